"""Guided and leaky modes of any uniform stack at a real wavelength: complex n_eff, none missing, both polarizations.

::

    ────────── superstrate        exp(i k0 n_eff x), n_eff = u
      layers                      guided: bound at both half-spaces, Re u above both indices
    ────────── substrate          leaky:  Re u below the index of a half-space, into which it radiates

They are the zeros of the characteristic function (``optics.multilayer``) in the complex plane of u, on the sheets
stated there, and their number is that of the argument principle (``optics.zeros``).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from cavitydesign import units
from cavitydesign.errors import InputError, SolverError, Status
from cavitydesign.geometry.stack import Stack
from cavitydesign.kinds import Array
from cavitydesign.optics.media.numeric import NumericStack, resolve_stack
from cavitydesign.optics.uniform.multilayer import (
    Field,
    Media,
    Polarization,
    Sheet,
    Sheets,
    characteristic,
    field_profile,
    media,
    phase_rate,
)
from cavitydesign.optics.uniform.zeros import Region, Scaled, find_zeros, value_and_derivative, zero_error


@dataclass(frozen=True, slots=True)
class SlabMode:
    """One mode of a slab.

    Attributes:
        n_eff: complex effective index; ``Im n_eff > 0`` decays along x, by ``2 k0 Im n_eff`` in power.
        n_eff_err: numerical error (rounding of D over its slope).
        index: 0 for the mode of the largest Re n_eff of its kind and polarization, and so on.
        kind: "guided" (bound at both sides) or "leaky".
        group_index: ``d(k0 n_eff)/dk0``, with the dispersion of the materials; complex.
        confinement: ``Re dn_eff/dn_j`` for each layer, superstrate and substrate included, superstrate first:
            material gain g of layer j gives modal gain ``confinement[j] g``. May exceed 1 in a strongly guiding
            layer.
    """

    n_eff: complex
    n_eff_err: float
    polarization: Polarization
    index: int
    kind: Literal["guided", "leaky"]
    wavelength_nm: float
    sheets: Sheets
    group_index: complex
    confinement: Array

    @property
    def loss_per_cm(self) -> float:
        """Power loss along the slab, ``4π Im n_eff / λ``, in cm⁻¹; negative where the mode is amplified."""
        return units.gain_per_cm_from_kappa(self.n_eff.imag, self.wavelength_nm)

    @property
    def q(self) -> float:
        """``Re n_g / (2 Im n_eff)`` with the group index n_g: Q of the standing wave, to first order in the loss."""
        return math.inf if self.n_eff.imag == 0.0 else self.group_index.real / (2.0 * self.n_eff.imag)


@dataclass(frozen=True, slots=True)
class LeakyRegion:
    """Where leaky modes are searched for.

    ``re_min`` None: the lower one of the two half-spaces' indices, so that modes are bound at one side at least.
    ``re_max`` None: the largest index of the layers. ``im_max``: the largest Im n_eff.
    """

    re_min: float | None = None
    re_max: float | None = None
    im_max: float = 0.15


def slab_modes(
    stack: Stack | NumericStack,
    *,
    wavelength_nm: float,
    polarization: Polarization,
    leaky: bool = False,
    leaky_region: LeakyRegion | None = None,
) -> tuple[SlabMode, ...]:
    """All guided modes of a uniform stack, largest Re n_eff first; with ``leaky`` those of ``leaky_region`` too.

    Raises:
        SolverError: (``Status.INCOMPLETE``) when the modes found differ in number from the winding number of the
            characteristic function.
        InputError: for patterned stacks.
    """
    if not (math.isfinite(wavelength_nm) and wavelength_nm > 0.0):
        raise InputError("must be > 0", key="wavelength_nm", value=wavelength_nm)
    if polarization not in ("TE", "TM"):
        raise InputError('must be "TE" or "TM"', key="polarization", value=polarization)
    numeric = _numeric(stack, wavelength_nm)
    k0 = complex(units.k0_per_nm(wavelength_nm))
    problem = _Problem(media(numeric, k0), numeric, k0, polarization)
    modes = problem.modes("guided", problem.guided_region())
    if leaky or leaky_region is not None:
        modes += problem.modes("leaky", problem.leaky_region(leaky_region or LeakyRegion()))
    return tuple(sorted(modes, key=lambda mode: -mode.n_eff.real))


def slab_field(stack: Stack | NumericStack, mode: SlabMode, *, z_nm: Array | None = None) -> Field:
    """The field of a mode along z (nm above the substrate); its largest |E| is one."""
    numeric, k0 = _numeric(stack, mode.wavelength_nm), complex(units.k0_per_nm(mode.wavelength_nm))
    return field_profile(
        numeric, k0, u=mode.n_eff, polarization=mode.polarization, sheets=mode.sheets, z_nm=z_nm
    )


def _numeric(stack: Stack | NumericStack, wavelength_nm: float) -> NumericStack:
    window = (wavelength_nm, wavelength_nm)
    return stack if isinstance(stack, NumericStack) else resolve_stack(stack, window_nm=window)


@dataclass(frozen=True, slots=True)
class _Problem:
    stack: Media
    numeric: NumericStack
    k0: complex
    polarization: Polarization

    @property
    def n_ends(self) -> tuple[complex, complex]:
        """Indices of superstrate and substrate."""
        eps = self.stack.eps[[self.stack.superstrate, self.stack.substrate]]
        return complex(np.sqrt(eps[0])), complex(np.sqrt(eps[1]))

    @property
    def eps_layers(self) -> Array:
        """Permittivities of the finite layers, substrate side first (of both half-spaces if there are none)."""
        rows = [row for _, row in self.stack.layers] or [self.stack.substrate, self.stack.superstrate]
        return self.stack.eps[rows]

    def highest(self) -> float:
        """An upper bound of Re n_eff.

        TE: ``Re n_eff² ≤ max Re ε``, TM too if no layer is metallic. With metal it covers the surface plasmon of every
        pair of materials, √(ε₁ε₂/(ε₁+ε₂)), and the gap plasmon of a layer of thickness d, about 2ε₁/(|ε₂| k0 d).
        """
        eps = self.stack.eps[
            sorted({row for _, row in self.stack.layers} | {self.stack.superstrate, self.stack.substrate})
        ]
        bound = float(
            np.sqrt(max(np.max(eps.real), 0.0) + np.max(np.abs(eps.imag)) ** 2 / (4.0 * np.max(np.abs(eps))))
        )
        if self.polarization == "TM" and np.min(eps.real) < 0.0:
            thin = min((d for d, _ in self.stack.layers), default=math.inf)
            for first, second in itertools.combinations(eps, 2):
                if first.real * second.real < 0.0:
                    plasmon = abs(np.sqrt(first * second / (first + second)))
                    gap = 3.0 * max(abs(first / second), abs(second / first)) / (abs(self.k0) * thin)
                    bound = max(bound, 1.2 * plasmon, gap)
        return 1.001 * bound

    def imaginary(self, re_min: float) -> tuple[float, float]:
        """Bounds of Im n_eff of bound modes.

        ``Im n_eff²`` is an average of Im ε (TE), twice that is allowed for TM, and beyond for metals. A margin of 1 %
        of Re n_eff keeps the real axis, where the modes of a lossless guide lie, inside.
        """
        eps = self.stack.eps
        factor = 0.55 if self.polarization == "TE" else 1.1
        if self.polarization == "TM" and np.min(eps.real) < 0.0:
            return -factor * max(0.0, float(np.max(-eps.imag))) - 0.01, self.highest()
        low, high = float(np.min(np.minimum(eps.imag, 0.0))), float(np.max(np.maximum(eps.imag, 0.0)))
        return factor * low / re_min - 0.01 * re_min, factor * high / re_min + 0.01 * re_min

    def guided_region(self) -> Region | None:
        """Above both half-spaces' indices."""
        left, right = max(n.real for n in self.n_ends), self.highest()
        return (left, right, *self.imaginary(left)) if right > left > 0.0 else None

    def leaky_region(self, wanted: LeakyRegion) -> Region | None:
        """As wanted, but never beyond the larger index of the half-spaces: there begin the guided modes."""
        n_ends = [n.real for n in self.n_ends]
        left = min(n_ends) if wanted.re_min is None else wanted.re_min
        largest = float(np.max(np.real(np.sqrt(self.eps_layers))))
        right = min(largest if wanted.re_max is None else wanted.re_max, max(n_ends))
        return (left, right, self.imaginary(max(left, 0.1))[0], wanted.im_max) if right > left else None

    def scaled(self, sheets: Sheets) -> Scaled:
        return lambda u: characteristic(self.stack, self.k0, u, self.polarization, sheets)

    def local_scale(self, u: Array) -> Array:
        """Distance in u (or in any index) over which D's phase turns by about one radian."""
        largest = np.maximum(np.abs(u), np.sqrt(np.max(np.abs(self.stack.eps))))
        return 1.0 / (largest * phase_rate(self.stack, self.k0, u))

    def step_scale(self, u: complex) -> float:
        """The same, not larger than ten times the distance to the cut-off of a half-space."""
        near = min(abs(u - n) for n in self.n_ends)
        return max(min(float(self.local_scale(np.array(u))), 10.0 * near, 0.5), 1e-11)

    def modes(self, kind: Literal["guided", "leaky"], region: Region | None) -> list[SlabMode]:
        if region is None:
            return []
        branches = [n.real for n in self.n_ends]
        edges = [region[0], *sorted({b for b in branches if region[0] < b < region[1]}), region[1]]
        scale = min(
            1.0 / (abs(self.k0) * max(sum(d for d, _ in self.stack.layers), 1.0)),
            0.3 * (region[1] - region[0]),
        )
        found: list[SlabMode] = []
        for a, b in itertools.pairwise(edges):
            sheet: list[Sheet] = ["open" if 0.5 * (a + b) < branch else "closed" for branch in branches]
            sheets = (sheet[0], sheet[1])
            zeros = find_zeros(
                self.scaled(sheets), (a, b, region[2], region[3]), scale=scale, local_scale=self.local_scale,
                branch_points=self.n_ends, may_grow=(a not in branches, b not in branches, True, True),
            )  # fmt: skip
            if not zeros.complete:
                raise SolverError(
                    f"{zeros.count} {kind} {self.polarization} modes were counted and {len(zeros.z)} found "
                    f"for Re n_eff in {a:.6g}-{b:.6g}",
                    status=Status.INCOMPLETE,
                )
            steps = zip(zeros.z, zeros.residual, strict=True)
            found += [self.mode(complex(u), float(step), kind, sheets) for u, step in steps]
        found.sort(key=lambda mode: -mode.n_eff.real)
        return [replace(mode, index=index) for index, mode in enumerate(found)]

    def mode(self, u: complex, residual: float, kind: Literal["guided", "leaky"], sheets: Sheets) -> SlabMode:
        scale = self.step_scale(u)
        h = 1e-3 * scale
        _, slope = value_and_derivative(self.scaled(sheets), np.array(u), h)
        _, slope_k = value_and_derivative(self.by_k0(u, sheets), np.array(self.k0), h * abs(self.k0))
        return SlabMode(
            n_eff=u,
            n_eff_err=zero_error(self.scaled(sheets), u, residual, scale),
            polarization=self.polarization,
            index=-1,
            kind=kind,
            wavelength_nm=2.0 * math.pi / self.k0.real,
            sheets=sheets,
            group_index=u - self.k0 * complex(slope_k) / complex(slope),
            confinement=self.by_layers(u, sheets, complex(slope)),
        )

    def by_k0(self, u: complex, sheets: Sheets) -> Scaled:
        return lambda k0: characteristic(media(self.numeric, k0), k0, u, self.polarization, sheets)

    def by_layers(self, u: complex, sheets: Sheets, slope: complex) -> Array:
        """``Re dn_eff/dn_j = -Re (∂D/∂n_j)/(∂D/∂u)`` for superstrate, layers from the top, substrate."""
        rows = [
            self.stack.superstrate,
            *(row for _, row in reversed(self.stack.layers)),
            self.stack.substrate,
        ]
        n = np.sqrt(self.stack.eps[rows])
        last = len(rows) - 1
        layers = tuple((d, last - 1 - i) for i, (d, _) in enumerate(self.stack.layers))

        def scaled(change: Array) -> tuple[Array, Array]:
            index = np.broadcast_to(n.reshape(-1, *(1,) * change.ndim), (len(rows), *change.shape)).copy()
            for j in range(len(rows)):
                index[j, :, j] += change[:, j]  # change has shape (5, layers): each layer alone
            return characteristic(Media(index**2, layers, 0, last), self.k0, u, self.polarization, sheets)

        _, by_n = value_and_derivative(scaled, np.zeros(len(rows), complex), 1e-3 * self.step_scale(u))
        return np.real(-by_n / slope)
