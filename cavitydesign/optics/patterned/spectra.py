"""Reflection, transmission and absorption of patterned stacks, from the algebra that finds the poles.

Light comes down on the stack's upper face. With Y_in the diagonal admittance of the medium of incidence and Y
that of everything below the face (:mod:`cavitydesign.optics.patterned.admittance`), incident and reflected fields obey

    h = Y_in (F_i - F_r) = Y (F_i + F_r)   so   F_i + F_r = (Y_in + Y)⁻¹ 2 Y_in F_i:

the matrix that is singular at a resonance is inverted here on the real axis, so that every pole shows as a
Fano line. The fields then run down through the layers by decaying exponentials alone. The power through a
face is ``Re F†h``, in units in which the incident wave carries ``Re F_i†Y_in F_i``; what a layer absorbs is
the difference between its two faces.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from cavitydesign import units
from cavitydesign.errors import InputError
from cavitydesign.kinds import Array
from cavitydesign.optics.media.numeric import NumericStack
from cavitydesign.optics.patterned.admittance import BlockProblem, Pass, Sheets
from cavitydesign.optics.patterned.fourier import centred, symmetry_group
from cavitydesign.optics.patterned.planewaves import PlaneWaves, blocks, moved_to, plane_waves
from cavitydesign.optics.patterned.symmetry import Group, point_group

Jones = tuple[complex, complex]
Side = Literal["superstrate", "substrate"]

_CHUNK = 4_000_000  # complex numbers in one stack of matrices: bounds the memory of a sweep over wavelengths
# Relative step off a wavelength at which an order grazes exactly; all powers are continuous there.
_AT_THRESHOLD = 1e-12


@dataclass(frozen=True, slots=True)
class PatternedSpectrum:
    """Powers over the incident power at each wavelength: ``reflectance + transmittance + Σ absorptance = 1``.

    Attributes:
        wavelength_nm: shape (K,).
        reflectance, transmittance: of all diffracted orders together, shape (K,). Into an absorbing or
            amplifying half-space the transmittance is the power that enters it.
        absorptance: of each finite layer, superstrate side first, shape (layers, K); negative where a layer
            amplifies.
        orders: integer (n1, n2) of G = n1 b1 + n2 b2 of the orders that propagate on either side at some
            wavelength, (n, 2).
        reflected, transmitted: power of each of them, shape (n, K); 0 where it is evanescent.
        r, t: tangential E of the order (0, 0) along the TE and the TM direction over that of the incident wave,
            shape (2, K), at the upper and the lower face of the stack (in the direction in which the light
            travels).
    """

    wavelength_nm: Array
    reflectance: Array
    transmittance: Array
    absorptance: Array
    orders: Array
    reflected: Array
    transmitted: Array
    r: Array
    t: Array


def spectrum(
    stack: NumericStack,
    *,
    wavelength_nm: Array | Sequence[float] | float,
    angle_deg: float = 0.0,
    azimuth_deg: float = 0.0,
    polarization: Literal["TE", "TM"] | Jones = "TE",
    waves: int = 101,
    from_side: Side = "superstrate",
    factorisation: Literal["normal", "naive"] = "normal",
) -> PatternedSpectrum:
    """Spectra of a stack, patterned or not, for a plane wave of real wavelength.

    Args:
        stack: resolved for a window that holds the wavelengths
            (:func:`cavitydesign.optics.media.numeric.resolve_stack`).
        wavelength_nm: vacuum wavelengths, nm, shape (K,) or one number.
        angle_deg: θ of the in-plane wavevector ``n k0 sin θ (cos φ, sin φ)``, n and θ of the medium of incidence.
        azimuth_deg: its φ, from the x axis of the cell.
        polarization: "TM" (E in the plane of incidence; at θ = 0 along φ), "TE" (E across it), or amplitudes
            (TE, TM) of any elliptical polarization, for example ``(1, 1j)``; their scale does not matter.
        waves: number of plane waves. The powers add up to one at any number; raise it until they no longer
            change.
        from_side: the half-space that the light comes from; it must neither absorb nor amplify.

    At θ = 0 all wavelengths share one basis and the mirrors of the cell halve or quarter it; at an angle each
    wavelength has a basis of its own, halved only where the plane of incidence is a mirror. The orders G are
    the same throughout.
    """
    wavelength = np.atleast_1d(np.asarray(wavelength_nm, dtype=float))
    direction, jones = _checked(stack, wavelength, angle_deg, azimuth_deg, polarization, from_side)
    if from_side == "substrate":  # in the plane nothing changes when a stack is turned upside down
        stack = replace(
            stack, layers=stack.layers[::-1], superstrate=stack.substrate, substrate=stack.superstrate
        )
    if stack.is_uniform:
        waves = 1
    sine = math.sin(math.radians(angle_deg))
    setup = _Setup(centred(stack), direction, jones, math.cos(math.radians(angle_deg)), factorisation)
    k0 = units.k0_per_nm(wavelength).astype(complex)
    parts = _at_normal_incidence(setup, k0, waves) if sine == 0.0 else _at_an_angle(setup, k0, sine, waves)
    return _gathered(wavelength, parts, turned=from_side == "substrate")


# -- what comes in ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Setup:
    """The stack with the light coming from its superstrate; ``direction``: unit vector of the in-plane wavevector."""

    stack: NumericStack
    direction: Array
    jones: tuple[complex, complex]
    cosine: float
    factorisation: str

    @property
    def tangential(self) -> Array:
        """In-plane components (x, y) of the incident E, whose length is one."""
        (x, y), (te, tm) = self.direction, self.jones
        return te * np.array([-y, x]) + tm * self.cosine * np.array([x, y])


def _checked(
    stack: NumericStack,
    wavelength: Array,
    angle_deg: float,
    azimuth_deg: float,
    polarization: Any,
    from_side: str,
) -> tuple[Array, tuple[complex, complex]]:
    if from_side not in ("superstrate", "substrate"):
        raise InputError('must be "superstrate" or "substrate"', key="from_side", value=from_side)
    if not (wavelength.size and np.isfinite(wavelength).all() and wavelength.min() > 0.0):
        raise InputError("must be positive wavelengths in nm", key="wavelength_nm", value=wavelength.tolist())
    if not -90.0 < angle_deg < 90.0:
        raise InputError("must be between -90 and 90 degrees", key="angle_deg", value=angle_deg)
    eps = stack.eps(units.k0_per_nm(wavelength) + 0j)[getattr(stack, from_side)]
    if np.max(np.abs(np.imag(eps)) / np.abs(eps)) > 1e-12 or np.min(np.real(eps)) <= 0.0:
        raise InputError(
            "light must come from a medium without loss or gain, or R and T mean nothing", key=from_side
        )
    azimuth = math.radians(azimuth_deg)
    named = {"TE": (1.0, 0.0), "TM": (0.0, 1.0)}
    te, tm = named.get(polarization, (math.nan, math.nan)) if isinstance(polarization, str) else polarization
    size = math.hypot(abs(te), abs(tm))
    if not (math.isfinite(size) and size > 0.0):
        raise InputError(
            'must be "TE", "TM" or a pair of amplitudes (TE, TM)', key="polarization", value=polarization
        )
    # cos 90° is 6e-17: exactly zero keeps the mirrors of the cell
    x, y = (0.0 if abs(part) < 1e-15 else part for part in (math.cos(azimuth), math.sin(azimuth)))
    return np.array([x, y]), (complex(te) / size, complex(tm) / size)


def _at_normal_incidence(setup: _Setup, k0: Array, waves: int) -> list[_Part]:
    lattice = setup.stack.lattice
    basis = plane_waves(lattice, bloch=(0.0, 0.0), count=waves)
    group = _without_pairs(symmetry_group(setup.stack, bloch=(0.0, 0.0)))
    problems = _problems(setup, basis, group, keep=True)
    step = max(1, _CHUNK // max(problem.size for problem in problems) ** 2)
    return [_respond(setup, basis, problems, k0[i : i + step]) for i in range(0, len(k0), step)]


def _at_an_angle(setup: _Setup, k0: Array, sine: float, waves: int) -> list[_Part]:
    lattice = setup.stack.lattice
    period = lattice.periods_nm[0]
    reference = plane_waves(lattice, bloch=(0.0, 0.0), count=waves)
    tiny = 1e-3 / period * setup.direction  # of no symmetry but that of its direction
    group = symmetry_group(setup.stack, bloch=(float(tiny[0]), float(tiny[1])))
    index = np.sqrt(setup.stack.eps(k0)[setup.stack.superstrate]).real
    parts = []
    for k, n in zip(k0, index, strict=True):
        bloch = n * k.real * sine * setup.direction
        basis = moved_to(reference, (float(bloch[0]), float(bloch[1])), period_nm=period)
        parts.append(_respond(setup, basis, _problems(setup, basis, group, keep=False), np.array([k])))
    return parts


def _without_pairs(group: Group) -> Group:
    """The largest subgroup whose irreps are all one-dimensional: with it each polarization is a single class."""
    rotations = sum(not op.mirror for op in group.operations)
    mirrors = [op for op in group.operations if op.mirror]
    axis = 0.5 * math.atan2(mirrors[0].matrix[1, 0], mirrors[0].matrix[0, 0]) if mirrors else None
    return point_group(2 if rotations % 2 == 0 else 1, axis)


def _problems(setup: _Setup, basis: PlaneWaves, group: Group, *, keep: bool) -> list[BlockProblem]:
    """The classes of the basis that the incident wave is part of."""
    found = []
    for block in blocks(basis, group, keep=keep):
        if np.abs(_incident(setup, basis, block.l_part, block.t_part)).max() > 1e-13:
            problem = BlockProblem(
                setup.stack, basis, block, factorisation=setup.factorisation, interface=0, keep=keep
            )
            found.append(problem)
    return found


def _incident(setup: _Setup, basis: PlaneWaves, l_part: Array, t_part: Array) -> Array:
    """The incident F in the columns of a block."""
    zero = basis.specular
    l_share, t_share = basis.along[zero] @ setup.tangential, basis.across[zero] @ setup.tangential
    return l_share * l_part[zero] + t_share * t_part[zero]


# -- the response ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Part:
    """Results at some wavelengths that share a basis; powers and fluxes over the incident power."""

    flux: Array  # through the faces of the layers from the top down, (layers + 1, k)
    reflected: Array  # per order, (N, k)
    transmitted: Array
    reflectance: Array
    r: Array  # (2, k)
    t: Array
    orders: Array


def _respond(setup: _Setup, basis: PlaneWaves, problems: list[BlockProblem], k0: Array) -> _Part:
    stack = setup.stack
    lengths = basis.lengths / stack.lattice.periods_nm[0]
    k0 = _off_thresholds(stack, lengths, k0)
    count, layers = len(basis), len(stack.layers)
    up, down = (np.zeros((2, count, len(k0)), dtype=complex) for _ in range(2))  # (L, T) of each order
    flux, reflectance, incident_power = np.zeros((layers + 1, len(k0))), np.zeros(len(k0)), np.zeros(len(k0))
    for problem in problems:
        block = problem.block
        incident = _incident(setup, basis, block.l_part, block.t_part)
        reflected, transmitted, through, y_in = _driven(problem, incident, k0)
        up += np.stack([block.l_part @ reflected.T, block.t_part @ reflected.T])
        down += np.stack([block.l_part @ transmitted.T, block.t_part @ transmitted.T])
        flux += through
        incident_power += (np.abs(incident) ** 2 * y_in.real).sum(axis=1)
        reflectance += (np.abs(reflected) ** 2 * y_in.real).sum(axis=1)
    powers = []
    for number, amplitudes in ((stack.superstrate, up), (stack.substrate, down)):
        y_l, y_t, is_open = _order_admittances(stack.eps(k0)[number], k0, lengths)
        power = y_l.real * np.abs(amplitudes[0]) ** 2 + y_t.real * np.abs(amplitudes[1]) ** 2
        powers.append(np.where(is_open, power, 0.0) / incident_power)
    zero = basis.specular
    size = np.linalg.norm(setup.tangential)
    r, t = (_te_tm(setup, basis, zero, amplitudes) / size for amplitudes in (up, down))
    return _Part(
        flux / incident_power, powers[0], powers[1], reflectance / incident_power, r, t, basis.orders
    )


def _driven(problem: BlockProblem, incident: Array, k0: Array) -> tuple[Array, Array, Array, Array]:
    """One class: reflected F (k, m), transmitted F (k, m), power through each face (layers + 1, k), and Y_in (k, m)."""
    stack = problem.stack
    eps = stack.eps(k0)
    up, down = (
        ((eps[number] * k0 * k0)[:, None] - problem.length**2).real >= 0.0
        for number in (stack.superstrate, stack.substrate)
    )
    sheets = Sheets(up, down)
    y_in, y, _, below = problem.sides(k0, sheets)
    y = y if y.ndim == 3 else y[..., None] * np.eye(problem.size)
    total = y + y_in[..., None] * np.eye(problem.size)
    top = np.linalg.solve(total, (2.0 * y_in * incident)[..., None])[..., 0]
    f, fluxes = top, []
    for done in reversed(below):
        flux, f = _through(done, f)
        fluxes.append(flux)
    y_out = problem.half_space(eps[stack.substrate], k0, down)
    fluxes.append((np.abs(f) ** 2 * np.real(y_out)).sum(axis=1))
    return top - incident, f, np.array(fluxes), y_in


def _through(done: Pass, f: Array) -> tuple[Array, Array]:
    """From F on the upper face of a layer: the power through that face, and F on the lower one."""
    x, r = done.phase, done.reflection
    if r.ndim == 2:  # uniform layers all the way down: everything is diagonal
        a = f / (1.0 + x * r * x)
        b = r * x * a
    else:
        inner = f if done.uniform else (done.w_inverse @ f[..., None])[..., 0]
        round_trip = x[..., :, None] * r * x[..., None, :]
        a = np.linalg.solve(np.eye(f.shape[1]) + round_trip, inner[..., None])[..., 0]
        b = (r @ (x * a)[..., None])[..., 0]
    h, out = a - x * b, x * a + b
    h = done.v * h if done.uniform else (done.v @ h[..., None])[..., 0]
    out = out if done.uniform else (done.w @ out[..., None])[..., 0]
    return np.real(f.conj() * h).sum(axis=1), out


def _order_admittances(eps: Array, k0: Array, lengths: Array) -> tuple[Array, Array, Array]:
    """Admittances of each order in a half-space for L and T, and whether it propagates, shape (N, k) each."""
    z = eps * k0 * k0 - lengths[:, None] ** 2
    is_open = np.real(z) >= 0.0
    kz = np.where(is_open, np.sqrt(z), 1j * np.sqrt(-z))
    return eps * k0 / kz, kz / k0, is_open


def _off_thresholds(stack: NumericStack, lengths: Array, k0: Array) -> Array:
    """k0 moved by 10⁻¹² of itself where an order grazes to the last digit: its admittance would be infinite."""
    eps = stack.eps(k0)
    grazing = np.zeros(len(k0), dtype=bool)
    for number in (stack.superstrate, stack.substrate):
        z = eps[number] * k0 * k0 - lengths[:, None] ** 2
        grazing |= (np.abs(z) < _AT_THRESHOLD * np.abs(k0) ** 2).any(axis=0)
    return np.where(grazing, k0 * (1.0 - 2.0 * _AT_THRESHOLD), k0)


def _te_tm(setup: _Setup, basis: PlaneWaves, wave: int, amplitudes: Array) -> Array:
    """The TE and TM components of one order's tangential E, shape (2, k)."""
    x, y = setup.direction
    e = basis.along[wave][:, None] * amplitudes[0, wave] + basis.across[wave][:, None] * amplitudes[1, wave]
    return np.stack([-y * e[0] + x * e[1], x * e[0] + y * e[1]])


def _gathered(wavelength: Array, parts: list[_Part], *, turned: bool) -> PatternedSpectrum:
    flux, reflected, transmitted, reflectance, r, t = (
        np.concatenate([getattr(part, name) for part in parts], axis=-1)
        for name in ("flux", "reflected", "transmitted", "reflectance", "r", "t")
    )
    seen = (reflected > 0.0).any(axis=1) | (transmitted > 0.0).any(axis=1)
    absorbed = flux[:-1] - flux[1:]
    return PatternedSpectrum(
        wavelength_nm=wavelength,
        reflectance=reflectance,
        transmittance=flux[-1],
        absorptance=absorbed[::-1] if turned else absorbed,
        orders=parts[0].orders[seen],
        reflected=reflected[seen],
        transmitted=transmitted[seen],
        r=r,
        t=t,
    )
