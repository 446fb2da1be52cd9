"""Open resonances of a uniform stack: every pole in a window, its Q, its confinement in the gain film, its threshold.

::

        ↑ leaks (Q up)
    ═════════════ mirror
      spacer              poles: zeros of D(k0), multilayer.characteristic, in  Re k0 = 2π/window,  Q ≥ q_min
    ~~~~~~~~~~~~~ film    dk0/dn = -(∂D/∂n) / (∂D/∂k0)
    ═════════════ mirror
        ↓ leaks (Q down)
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cavitydesign import units
from cavitydesign.errors import InputError, SolverError
from cavitydesign.kinds import Array, Window
from cavitydesign.optics.media.index import carried
from cavitydesign.optics.media.numeric import NumericStack
from cavitydesign.optics.uniform.lines import lines_within, without
from cavitydesign.optics.uniform.losses import split_losses
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
class UniformResonance:
    """One pole of a uniform stack.

    Attributes:
        k0: complex vacuum wavenumber, 1/nm.
        k0_err: its numerical error (rounding of D over its slope), 1/nm.
        k0_open: ``|Δ Re k0| + i |Δ Im k0|`` by what the materials' tables leave open of n and k there, 1/nm.
        polarization: "TE" or "TM"; "" at normal incidence, where the two are one doubly degenerate mode.
        degeneracy: 2 at normal incidence, else 1.
        in_plane_per_nm: kx at the pole (complex where it follows the frequency at a fixed angle).
        n_eff: Re kx / Re k0.
        sheets: of superstrate and substrate; see :mod:`cavitydesign.optics.uniform.multilayer`.
        dk0_dn: derivative of k0 by the index of the gain film, 1/nm, at fixed kx (or fixed angle); 0 without a
            film.
        confinement: ``Re(-(n/k0) dk0/dn)``, n of the film: its share of the mode's ∫ε E·E (NaN without a film).
        threshold_gain_per_cm: first-order material power gain that brings the pole to the real axis (NaN
            without a film).
        q_up, q_down, q_absorbed: ``1/Q = 1/q_up + 1/q_down + 1/q_absorbed``.
        outward_share: power that leaves through the outer faces, by all that the field carries or swings there.
        complete: whether the count of zeros in this mode's search region agreed with the zeros found.
    """

    k0: complex
    k0_err: float
    k0_open: complex
    polarization: str
    degeneracy: int
    in_plane_per_nm: complex
    n_eff: float
    sheets: Sheets
    dk0_dn: complex
    confinement: float
    threshold_gain_per_cm: float
    q_up: float
    q_down: float
    q_absorbed: float
    outward_share: float
    complete: bool

    @property
    def wavelength_nm(self) -> float:
        """2π / Re k0."""
        return 2.0 * math.pi / self.k0.real

    @property
    def q(self) -> float:
        """-Re k0 / (2 Im k0); inf where Im k0 is below its numerical error, negative where amplified."""
        if abs(self.k0.imag) <= self.k0_err:
            return math.inf
        return units.quality_factor(self.k0)

    @property
    def wavelength_err_nm(self) -> float:
        """Of the numerics and of the tables together."""
        return self.wavelength_nm * (self.k0_err + self.k0_open.real) / self.k0.real

    @property
    def q_err(self) -> float:
        """The same for q; NaN where that is not finite."""
        if not math.isfinite(self.q):
            return math.nan
        by_tables = self.k0_open.imag / abs(self.k0.imag) + self.k0_open.real / self.k0.real
        return abs(self.q) * (self.k0_err / abs(self.k0.imag) + by_tables)

    @property
    def algebra(self) -> Polarization:
        """The polarization to compute with: TE at normal incidence."""
        return "TM" if self.polarization == "TM" else "TE"


@dataclass(frozen=True, slots=True)
class CharacteristicAtK0:
    """D as a function of k0 alone: a polarization, sheets, and kx fixed or following k0 (kx² = sin² ε_sup k0²).

    ``lines`` are the poles of the materials' ε in the region that is looked at.
    """

    numeric: NumericStack
    polarization: Polarization
    sheets: Sheets
    kx: float
    sin2: float
    lines: tuple[complex, ...] = ()

    def u(self, k0: Array, eps: Array) -> Array:
        return np.sqrt(self.sin2 * eps[self.numeric.superstrate]) if self.sin2 else self.kx / k0

    def local_scale(self, k0: Array) -> Array:
        """Distance in k0, 1/nm, over which D's phase turns by about one radian."""
        stack = media(self.numeric, k0)
        rate = phase_rate(stack, k0, self.u(k0, stack.eps))
        scale = np.abs(k0) / (np.max(np.abs(stack.eps), axis=0) * rate)
        # towards an absorption line the index turns the phase too
        return np.min([scale, *(0.3 * np.abs(k0 - line) for line in self.lines)], axis=0)

    def scaled(self, k0: Array) -> tuple[Array, Array]:
        stack = media(self.numeric, k0)
        return characteristic(stack, k0, self.u(k0, stack.eps), self.polarization, self.sheets)

    def by_index(self, k0: complex, numbers: Sequence[int]) -> Scaled:
        """D at fixed k0 as a function of a common index change of some materials."""
        stack = media(self.numeric, k0)

        def scaled(change: Array) -> tuple[Array, Array]:
            eps = np.repeat(stack.eps[:, None], change.size, axis=1).reshape(-1, *change.shape)
            for number in numbers:
                eps[number] = (np.sqrt(stack.eps[number]) + change) ** 2
            u = self.u(np.array(k0), stack.eps)  # the medium of incidence keeps its index, so kx stays
            shifted = Media(eps, stack.layers, stack.superstrate, stack.substrate)
            return characteristic(shifted, k0, u, self.polarization, self.sheets)

        return scaled


def uniform_resonances(
    numeric: NumericStack,
    *,
    window_nm: Window,
    q_min: float = 5.0,
    angle_deg: float = 0.0,
    bloch: tuple[float, float] = (0.0, 0.0),
    polarizations: Sequence[Polarization] = ("TE", "TM"),
    closed_sides: int = 0,
) -> list[UniformResonance]:
    """All poles of a uniform stack with wavelength in ``window_nm`` and ``1/Q ≤ 1/q_min`` (amplified ones included).

    Longest wavelength first. Either ``angle_deg`` (in the superstrate; kx follows the frequency) or ``bloch`` (fixed
    in-plane wavevector, 1/nm) may be given. At normal incidence TE and TM coincide and are reported once.
    ``closed_sides``: leave out modes that are bound at fewer half-spaces than this (1: waves that a slab guides).

    Around absorption lines in the window nothing is searched (:mod:`cavitydesign.optics.uniform.lines`). An incomplete
    count is told by ``UniformResonance.complete``; when nothing could be located at all,
    :class:`~cavitydesign.errors.SolverError` is raised.
    """
    kx = math.hypot(*bloch)
    if kx > 0.0 and angle_deg != 0.0:
        raise InputError(
            "give an angle or an in-plane wavevector, not both", key="angle_deg", value=angle_deg
        )
    if not abs(angle_deg) < 90.0:
        raise InputError("must be between -90 and 90 degrees", key="angle_deg", value=angle_deg)
    sin2 = math.sin(math.radians(angle_deg)) ** 2
    normal = kx == 0.0 and sin2 == 0.0
    lines = lines_within(numeric, window_nm, q_min)
    found: list[UniformResonance] = []
    failed: SolverError | None = None
    for polarization in ("TE",) if normal else polarizations:
        for sheets, region, grow in _regions(numeric, window_nm, q_min, kx, sin2):
            if sheets.count("closed") < closed_sides:
                continue
            poles = tuple(line.k0 for line in lines)
            problem = CharacteristicAtK0(numeric, polarization, sheets, kx, sin2, poles)
            for part in without(region, lines):
                edges = [side and a == b for side, a, b in zip(grow, part, region, strict=True)]
                free = (edges[0], edges[1], edges[2], edges[3])
                try:
                    found += _in_region(problem, part, free, window_nm, q_min, normal=normal)
                except SolverError as error:
                    failed = error
    if failed is not None:
        if not found:
            raise failed
        found = [replace(mode, complete=False) for mode in found]
    return sorted(found, key=lambda mode: -mode.wavelength_nm)


def resonance_columns(resonances: Sequence[UniformResonance]) -> dict[str, list[Any]]:
    """The columns of the modes table that a uniform stack fills: ``Modes.from_columns(**resonance_columns(found))``."""
    shared = (
        "wavelength_nm", "wavelength_err_nm", "q", "q_err", "degeneracy", "confinement", "threshold_gain_per_cm",
        "q_up", "q_down", "q_absorbed", "n_eff", "outward_share",
    )  # fmt: skip
    return {name: [getattr(mode, name) for mode in resonances] for name in shared} | {
        "polarization": [mode.polarization or "TE+TM" for mode in resonances],
        "k0_per_nm": [mode.k0 for mode in resonances],
    }


def resonance_field(numeric: NumericStack, mode: UniformResonance, *, z_nm: Array | None = None) -> Field:
    """The field of a resonance along z; largest |E| is one."""
    u = mode.in_plane_per_nm / mode.k0
    return field_profile(numeric, mode.k0, u=u, polarization=mode.algebra, sheets=mode.sheets, z_nm=z_nm)


def _regions(
    numeric: NumericStack, window_nm: Window, q_min: float, kx: float, sin2: float
) -> list[tuple[Sheets, Region, tuple[bool, bool, bool, bool]]]:
    """Rectangles of complex k0 on which D is analytic, with the sheets that hold there and the sides that may grow."""
    left, right = 2.0 * math.pi / window_nm[1], 2.0 * math.pi / window_nm[0]
    middle = np.array(0.5 * (left + right))
    index = numeric.index(np.linspace(left, right, 65))
    gain = float(np.max(-np.imag(index) / np.abs(index)))
    low, high = -0.505 * right / q_min, right * max(2e-3, 1.5 * gain)
    ends = (numeric.superstrate, numeric.substrate)
    if kx == 0.0:
        eps = numeric.eps(middle)
        u2 = sin2 * eps[numeric.superstrate]
        sheets: list[Sheet] = ["open" if (eps[end] - u2).real > 0.0 else "closed" for end in ends]
        return [((sheets[0], sheets[1]), (left, right, low, high), (True, True, True, True))]
    branches = [branch_k0(numeric, end, kx, float(middle)).real for end in ends]
    edges = [left, *sorted({b for b in branches if left < b < right}), right]
    regions = []
    for i, (a, b) in enumerate(itertools.pairwise(edges)):
        sheets = ["open" if 0.5 * (a + b) > branch else "closed" for branch in branches]
        room = 0.02 * (right - left)
        free = [not (x - room < branch < x + room) for x in (a, b) for branch in branches]
        grow = (i == 0 and all(free[:2]), i == len(edges) - 2 and all(free[2:]), True, True)
        regions.append(((sheets[0], sheets[1]), (a, b, low, high), grow))
    return regions


def branch_k0(numeric: NumericStack, end: int, kx: float, start: float) -> complex:
    """Where ``ε k0² = kx²`` for a half-space's material: complex k0, 1/nm, by fixed-point iteration."""
    k0 = complex(start)
    for _ in range(60):
        new = kx / complex(np.sqrt(numeric.eps(np.array(k0))[end]))
        if abs(new - k0) < 1e-15 * abs(k0):
            break
        if not 0.3 * start < new.real < 3.0 * start:  # far outside the window: no need to know where
            return new
        k0 = new
    return k0


def _in_region(
    problem: CharacteristicAtK0,
    region: Region,
    grow: tuple[bool, bool, bool, bool],
    window_nm: Window,
    q_min: float,
    *,
    normal: bool,
) -> list[UniformResonance]:
    numeric = problem.numeric
    middle = 0.5 * (region[0] + region[1])
    n = np.abs(numeric.index(np.array(middle)))
    length = sum(layer.thickness_nm * float(n[layer.material]) for layer in numeric.layers)
    ends = (numeric.superstrate, numeric.substrate) if problem.kx else ()
    branches = [*problem.lines, *(branch_k0(numeric, end, problem.kx, middle) for end in ends)]
    zeros = find_zeros(
        problem.scaled,
        region,
        scale=1.0 / max(length, 0.1 / middle),  # D's phase turns with Σ |n| d
        local_scale=problem.local_scale,
        branch_points=branches,
        may_grow=grow,
    )
    modes = []
    for z, residual in zip(zeros.z, zeros.residual, strict=True):
        k0 = complex(z)
        low, high = (2.0 * math.pi / edge for edge in reversed(window_nm))
        inside = low <= k0.real * (1.0 + 1e-12) and k0.real * (1.0 - 1e-12) <= high
        if inside and -2.0 * k0.imag / k0.real <= 1.0 / q_min:
            near = min((abs(k0 - b) for b in branches), default=math.inf)
            step = min(float(problem.local_scale(np.array(k0))), 20.0 * near)
            modes.append(
                _resonance(problem, k0, float(residual), step, complete=zeros.complete, normal=normal)
            )
    if not zeros.complete and not modes:
        raise SolverError(
            f"{zeros.count} resonances were counted but could not be located; narrow `window_nm` or raise `q_min`"
        )
    return modes


def _resonance(
    problem: CharacteristicAtK0, k0: complex, residual: float, scale: float, *, complete: bool, normal: bool
) -> UniformResonance:
    numeric = problem.numeric
    eps = numeric.eps(np.array(k0))
    u = complex(problem.u(np.array(k0), eps))
    error = zero_error(problem.scaled, k0, residual, scale)
    film = [number for number, is_gain in enumerate(numeric.gain) if is_gain]
    slope, confinement, threshold = 0.0j, math.nan, math.nan
    if film:
        slope, confinement = _by_film(problem, k0, film, 1e-3 * scale)
        if slope.real != 0.0:
            threshold = units.gain_per_cm_from_kappa(k0.imag / slope.real, 2.0 * math.pi / k0.real)
    (q_up, q_down, q_absorbed), outward = split_losses(
        numeric, k0, u, polarization=problem.polarization, sheets=problem.sheets, k0_err=error
    )
    return UniformResonance(
        k0=k0,
        k0_err=error,
        k0_open=_by_tables(problem, k0, 1e-3 * scale),
        polarization="" if normal else problem.polarization,
        degeneracy=2 if normal else 1,
        in_plane_per_nm=u * k0,
        n_eff=(u * k0).real / k0.real,
        sheets=problem.sheets,
        dk0_dn=slope,
        confinement=confinement,
        threshold_gain_per_cm=threshold,
        q_up=q_up,
        q_down=q_down,
        q_absorbed=q_absorbed,
        outward_share=outward,
        complete=complete,
    )


def _by_film(
    problem: CharacteristicAtK0, k0: complex, film: Sequence[int], h: float
) -> tuple[complex, float]:
    """(dk0/dn for a common change of the film's indices, confinement ``Re Σ -(n_i/k0) dk0/dn_i``)."""
    index, slopes = problem.numeric.index(np.array(k0)), _by_index(problem, k0, film, h)
    share = sum((-index[number] / k0 * slope).real for number, slope in zip(film, slopes, strict=True))
    return sum(slopes), float(share)


def _by_tables(problem: CharacteristicAtK0, k0: complex, h: float) -> complex:
    """``|Δ Re k0| + i |Δ Im k0|`` when every table is off by its uncertainty at once, each in the worse direction."""
    uncertainty = problem.numeric.index_uncertainty(k0)
    tables = [int(number) for number in np.flatnonzero(uncertainty)]
    slopes = _by_index(problem, k0, tables, h)
    return complex(
        sum(carried(slope, uncertainty[number]) for number, slope in zip(tables, slopes, strict=True))
    )


def _by_index(problem: CharacteristicAtK0, k0: complex, numbers: Sequence[int], h: float) -> list[complex]:
    """dk0/dn of some materials, each alone."""
    if not numbers:
        return []
    _, slope_k = value_and_derivative(problem.scaled, np.array(k0), h)
    # a change of n turns the phase as a relative change of k0 does
    at, step = np.array(0.0j), h / abs(k0)
    by_n = [value_and_derivative(problem.by_index(k0, [number]), at, step)[1] for number in numbers]
    return [-complex(slope_n) / complex(slope_k) for slope_n in by_n]
