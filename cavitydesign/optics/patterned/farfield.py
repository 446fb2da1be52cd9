"""Far field of a mode over a cone of directions: the polarisation that its band radiates beside the normal.

An array larger than a wavelength emits close to the normal of its surface, with the wavevectors k that its
envelope holds; each k is a resonance of its own. So the map is made of poles at each Bloch wavevector ``k = n
k0 sin θ (cos φ, sin φ)``, followed outwards from Γ by the overlap of their fields, with no expansion in k: a
dark mode shows its polarisation winding around the normal (B. Zhen et al., Phys. Rev. Lett. 113, 257401
(2014)), a bright pair splits into its two bands. How strongly a finite device populates each k is its
envelope's affair and not part of this.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cavitydesign import units
from cavitydesign.errors import InputError, SolverError
from cavitydesign.kinds import Array
from cavitydesign.optics.media.numeric import NumericStack
from cavitydesign.optics.patterned.admittance import BlockProblem
from cavitydesign.optics.patterned.fourier import symmetry_group
from cavitydesign.optics.patterned.nearfield import Side, of_partner, radiation, stokes, wave_components
from cavitydesign.optics.patterned.planewaves import PlaneWaves, blocks, moved_to, plane_waves
from cavitydesign.optics.patterned.resonance import Resonance, polish
from cavitydesign.optics.patterned.symmetry import point_group

_STEP = 1e-5  # relative step in k0 of the finite difference that only starts Newton's method
_FAR = 0.03  # poles further away than this (relative) are no candidates
_SURE, _LOST = 0.9, 0.5  # overlaps at which a candidate is taken at once, and below which the mode is lost


@dataclass(frozen=True, slots=True)
class FarField:
    """Poles and radiation of one band over directions; arrays of shape (angles, azimuths).

    Attributes:
        angles_deg, azimuths_deg: directions in the half-space ``side``.
        k0_per_nm: pole at each direction's Bloch wavevector.
        te, tm: amplitude of the order (0, 0) on the outer face, of the normalised mode (see
            :class:`cavitydesign.optics.patterned.nearfield.Channel`); their common phase is arbitrary from one
            direction to the next.
        stokes: (s1, s2, s3) on axes fixed in space: ``|E_x|² - |E_y|²``, ``2 Re E_x* E_y``, ``2 Im E_x* E_y``
            over their sum, with the TM part of E turned into the plane as a lens does; shape (3, angles,
            azimuths).
    """

    side: Side
    angles_deg: Array
    azimuths_deg: Array
    k0_per_nm: Array
    te: Array
    tm: Array
    stokes: Array

    @property
    def wavelength_nm(self) -> Array:
        """2π / Re k0."""
        return units.wavelength_nm_of(self.k0_per_nm)

    @property
    def q(self) -> Array:
        """Quality factor of the band at each direction."""
        return units.quality_factor(self.k0_per_nm)

    @property
    def intensity(self) -> Array:
        """|E|² of the radiated wave for the normalised mode, nm⁻³."""
        return np.abs(self.te) ** 2 + np.abs(self.tm) ** 2


def far_field(
    resonance: Resonance,
    *,
    angles_deg: Sequence[float] | Array,
    azimuths_deg: Sequence[float] | Array,
    side: Side = "superstrate",
    band: Literal[1, 2] = 1,
    waves: int = 37,
) -> FarField:
    """Follow a mode at Γ outwards along each azimuth and collect what its band radiates into the order (0, 0).

    Args:
        resonance: at Γ.
        angles_deg: rising, all > 0; steps small enough for the field to stay alike (a degree or less at first).
        band: of a degenerate pair, the band of longer (1) or shorter (2) wavelength at the first angle.
        waves: number of plane waves; patterns of polarisation need fewer than wavelengths do.

    Raises:
        SolverError: where the mode is lost between two angles.
    """
    angles, azimuths = np.asarray(angles_deg, dtype=float), np.asarray(azimuths_deg, dtype=float)
    rising = angles.ndim == 1 and len(angles) > 0 and bool((np.diff(angles, prepend=0.0) > 0.0).all())
    if not rising or angles[-1] >= 90.0:
        raise InputError(
            "must rise from above 0 to below 90 degrees", key="angles_deg", value=angles.tolist()
        )
    start, vectors, reference = _at_gamma(resonance, waves)
    k0, te, tm = (np.empty((len(angles), len(azimuths)), dtype=complex) for _ in range(3))
    for column, azimuth in enumerate(azimuths):
        direction = np.array([math.cos(math.radians(azimuth)), math.sin(math.radians(azimuth))])
        here, known = start, vectors
        for row, angle in enumerate(angles):
            here, known = _next(here, known, reference, angle, direction, side, band)
            k0[row, column] = here.k0
            channel = next(c for c in radiation(here) if (c.side, c.order) == (side, (0, 0)))
            te[row, column], tm[row, column] = channel.te, channel.tm
    return FarField(side, angles, azimuths, k0, te, tm, _fixed_stokes(te, tm, np.radians(azimuths)))


def _at_gamma(resonance: Resonance, waves: int) -> tuple[Resonance, list[Array], PlaneWaves]:
    """The mode in the basis of the map, and the in-plane fields of its partners."""
    stack = resonance.problem.stack
    lattice = stack.lattice
    reference = plane_waves(lattice, bloch=(0.0, 0.0), count=waves)
    label = resonance.problem.block.irrep.label
    found = [b for b in blocks(reference, symmetry_group(stack, bloch=(0.0, 0.0))) if b.irrep.label == label]
    near = _FAR * abs(resonance.k0)
    start = polish(BlockProblem(stack, reference, found[0]), resonance.k0, reach=near) if found else None
    if start is None:
        raise SolverError(
            f"the mode is not found at Γ with {waves} plane waves; it must be a mode at Γ, or take more waves"
        )
    partners = (1, 2) if start.problem.block.irrep.degeneracy == 2 else (1,)
    return start, [_in_plane(start, partner) for partner in partners], reference


def _in_plane(mode: Resonance, partner: int = 1) -> Array:
    """E_x and E_y of all waves in the middle of the first patterned layer, of length one."""
    stack = mode.problem.stack
    values = of_partner(mode, wave_components(mode, np.array([_height(stack)])), partner)[:2, 0].ravel()
    return values / np.linalg.norm(values)


def _height(stack: NumericStack) -> float:
    first = next(i for i, layer in enumerate(stack.layers) if layer.inclusions)
    return sum(layer.thickness_nm for layer in stack.layers[first:]) - 0.5 * stack.layers[first].thickness_nm


def _next(
    here: Resonance,
    known: list[Array],
    reference: PlaneWaves,
    angle: float,
    direction: Array,
    side: Side,
    band: int,
) -> tuple[Resonance, list[Array]]:
    """The mode at the next angle, and its field."""
    stack = here.problem.stack
    lattice = stack.lattice
    index = stack.index(np.asarray(here.k0.real + 0j))[getattr(stack, side)].real
    bloch = float(index) * here.k0.real * math.sin(math.radians(angle)) * direction
    basis = moved_to(reference, (float(bloch[0]), float(bloch[1])), period_nm=lattice.periods_nm[0])
    problem = BlockProblem(stack, basis, blocks(basis, point_group(1), keep=False)[0], keep=False)
    found: list[tuple[float, Resonance, Array]] = []
    for guess in _nearby(problem, here.k0):
        mode = polish(problem, guess, reach=_FAR * abs(guess), accept=1e-9)
        if mode is None or any(abs(mode.k0 - other.k0) < 1e-9 * abs(mode.k0) for _, other, _ in found):
            continue
        field = _in_plane(mode)
        overlap = math.sqrt(sum(abs(np.vdot(vector, field)) ** 2 for vector in known))
        found.append((overlap, mode, field))
        if len(known) == 1 and overlap > _SURE:
            break
    found.sort(key=lambda item: -item[0])
    chosen = sorted(found[: len(known)], key=lambda item: item[1].k0.real)
    if len(chosen) < len(known) or chosen[-1][0] < _LOST:
        raise SolverError(f"the mode is lost at {angle:g} degrees; take smaller steps in angle")
    overlap, mode, field = chosen[min(band, len(chosen)) - 1]
    return mode, [field]


def _nearby(problem: BlockProblem, k0: complex) -> list[complex]:
    """Poles near k0 by linearising M about it, nearest first: M₀ v = -(k - k0) M₁ v."""
    sheets = problem.sheets_at(k0)
    step = _STEP * abs(k0)
    m0, ahead, behind = (
        problem.matrix(np.asarray(k), sheets) for k in (k0 + 0.3 * step, k0 + step, k0 - step)
    )
    values = np.linalg.eigvals(np.linalg.solve(m0, (ahead - behind) / (2.0 * step)))
    shifts = -1.0 / values[np.argsort(-np.abs(values))[:5]]
    return [complex(k0 + 0.3 * step + shift) for shift in shifts if abs(shift) < _FAR * abs(k0)]


def _fixed_stokes(te: Array, tm: Array, azimuth: Array) -> Array:
    e_x = tm * np.cos(azimuth) - te * np.sin(azimuth)
    e_y = tm * np.sin(azimuth) + te * np.cos(azimuth)
    return stokes(e_y, e_x)
