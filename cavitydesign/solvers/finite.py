"""Modes of a finite square array: rigorous poles at Γ give the coupling of four waves, these are solved on the array.

    poles at Γ:  bright pair E, dark A2 and B2 (TE-like) or A1 and B1 (TM-like)       solvers.poles
    one pole set at a small Bloch wavevector  →  group velocity v                     the same
    c, b, d  →  four waves on Nx Λ × Ny Λ, nothing entering at the edges              optics.coupled_waves

The band edges are called A, B, C, D from the longest wavelength on, as in Liang et al., Opt. Express 20, 15945 (2012);
of each the array's fundamental mode is reported, the one whose amplitude is most uniform. What this leaves out:
reflection at the edge of the pattern, different velocities of the two dark modes, coupling between TE-like and TM-like
waves, and light scattered out at the edges.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from typing import ClassVar, Literal

import numpy as np

from cavitydesign import units
from cavitydesign.errors import InputError, SolverError, Status
from cavitydesign.optics.arrays.coupled_waves import ArrayMode, FourWaves, Parity, array_modes
from cavitydesign.optics.media.numeric import resolve_stack
from cavitydesign.optics.patterned.fourier import centred, symmetry_group
from cavitydesign.solvers.ask import Ask, Solver
from cavitydesign.solvers.poles import Poles
from cavitydesign.solvers.solution import Mode, Modes, Solution

Exchange = Literal[-1, 0, 1]

_DARK = {"TE-like": ("A2", "B2"), "TM-like": ("A1", "B1")}  # even and odd under x ↔ y
_CLASS = {"TE-like": "A''", "TM-like": "A'"}  # what these and one of the pair become at a wavevector along x
_SPREAD = 0.12  # of the wavelengths in one family, relative; more is no weak coupling
_SHELL = 45  # plane waves for the velocity: whole shells of the square lattice at Γ and just beside it
_STEP = 5e-4  # Bloch wavevector for the velocity, in units of K
_POINTS = (12, 16)  # grid; the change from the one to the other is the error bar
_UNIFORM = 0.25  # least uniform share of a mode that is still called the fundamental one of its band edge
_COUNT = 12  # modes looked at around a band edge


@dataclass(frozen=True)
class Finite(Solver):
    """Settings of the finite-array solver: four coupled waves fed by rigorous Γ-point poles.

    Attributes:
        poles: settings of the solver of the infinite cell.
    """

    name: ClassVar[str] = "finite"
    version: ClassVar[int] = 3
    asks: ClassVar[tuple[str, ...]] = ("device",)

    poles: Poles = field(default_factory=Poles)

    def run(self, ask: Ask) -> Solution:
        """The fundamental array mode of each band edge of every complete family in the window.

        ``q`` is that of all losses; ``q_up``, ``q_down`` and ``q_absorbed`` are those of the Γ modes by their shares
        in it; the rest of 1/Q leaves through the sides, ``q_edges``. Error bars cover the grid and the plane waves,
        not the four-wave theory itself, so the status is APPROXIMATE.
        """
        periods = _periods(ask)
        ask.progress(0, 2, "modes of the infinite cell")
        _refuse_other_symmetries(ask)
        infinite = self.poles.run(ask)
        provenance = {
            "periods": list(periods),
            "theory": "four coupled waves from rigorous poles at Γ; no reflection at the edges",
            "infinite": dict(infinite.provenance),
        }
        families, warnings = _families(infinite.modes)
        ask.progress(1, 2, "waves on the array")
        velocities = _velocities(ask, self.poles, families) if families else []
        found: list[tuple[Mode, BandEdge]] = []
        for family, velocity in zip(families, velocities, strict=True):
            rows, missing = _family_rows(family, velocity, ask, periods)
            found += rows
            warnings += missing
        low, high = ask.window_nm
        kept = [
            pair
            for pair in sorted(found, key=lambda pair: -pair[0].wavelength_nm)
            if low <= pair[0].wavelength_nm <= high and not 0.0 <= pair[0].q < self.poles.q_min
        ]
        edges = tuple(edge for _, edge in kept)
        provenance["array"] = [asdict(edge) for edge in edges]
        status = Status.APPROXIMATE if kept else Status.NO_MODES
        if infinite.status is Status.INCOMPLETE:
            status = Status.INCOMPLETE
        modes = Modes.of([mode for mode, _ in kept])
        return Solution(modes, status, provenance, tuple(warnings), details=edges)


@dataclass(frozen=True, slots=True)
class BandEdge:
    """What the table has no column for: an array mode's detail in :attr:`Solution.details`.

    Attributes:
        band_edge: letter, A to D from the longest wavelength on; "CD" for a pair.
        polarization: that of its family.
        wavelength_at_gamma_nm: of the Γ mode that it comes from.
        q_vertical: Q of what leaves upwards and downwards together.
        shares_even_odd_bright: its energy in the dark even, the dark odd and the bright combination of waves.
        uniform_share: the part of its energy whose amplitude is uniform over the array.
        amplitude_gain_length: αL of the amplitude, L the root of the area.
        group_index: 1/v.
        coupling_back_length, coupling_cross_length: κL of the coupling back and across.
    """

    band_edge: str
    polarization: str
    wavelength_at_gamma_nm: float
    q_vertical: float
    shares_even_odd_bright: tuple[float, float, float]
    uniform_share: float
    amplitude_gain_length: float
    group_index: float
    coupling_back_length: float
    coupling_cross_length: float


def _refuse_other_symmetries(ask: Ask) -> None:
    numeric = resolve_stack(ask.stack, window_nm=ask.window_nm)
    group = symmetry_group(centred(numeric), bloch=ask.bloch).name
    if group != "C4v":
        raise InputError(
            f"four coupled waves need a cell with the symmetry C4v; this one has {group}", key="layers"
        )


def _periods(ask: Ask) -> tuple[int, int]:
    """Size of the array, after everything about the input that rules this theory out."""
    if ask.stack.is_uniform:
        rule = "finite arrays need a lattice and inclusions; use the poles solver for uniform layers"
        raise InputError(rule, key="layers")
    if ask.stack.lattice.kind != "square":
        rule = "four coupled waves need a square lattice"
        rule += (
            "; use fdtd" if ask.stack.lattice.kind in ("line", "rectangular") else ""
        )  # which has right angles
        raise InputError(rule, key="lattice.kind", value=ask.stack.lattice.kind)
    if ask.device is None:
        rule = (
            "this key is required and is missing: the size of the array, like [17, 17] (or --periods 17,17)"
        )
        raise InputError(rule, key="device.periods")
    periods = ask.device.counts
    if min(periods) < 3:
        rule = "slowly varying amplitudes need 3 periods at least"
        raise InputError(rule, key="device.periods", value=list(periods))
    return periods


# -- the family ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Family:
    """Rows of the poles table: dark even, dark odd, bright."""

    polarization: str
    dark_even: Mode
    dark_odd: Mode
    bright: Mode

    @property
    def members(self) -> tuple[Mode, ...]:
        return self.dark_even, self.dark_odd, self.bright


def _families(modes: Modes) -> tuple[list[_Family], list[str]]:
    """Complete families of the first shell of waves, and what is missing from the others, in words.

    The odd dark mode (B2, B1) belongs to waves along the axes only, so it leads; the nearest partners join it.
    """
    found, warnings = [], []
    for polarization, (even, odd) in _DARK.items():
        own = [row for row in modes if row.polarization == polarization]
        free = list(own)
        complete = False
        for leader in (row for row in own if row.symmetry == odd):
            near = [row for row in free if _distance(row, leader) < _SPREAD]
            picked = [
                min(alike, key=lambda row: _distance(row, leader))
                for label in (even, "E")
                if (alike := [row for row in near if row.symmetry == label])
            ]
            if len(picked) == 2:
                found.append(_Family(polarization, picked[0], leader, picked[1]))
                free = [row for row in free if row not in picked]
                complete = True
        if not complete:
            seen = ", ".join(f"{row.symmetry} {row.wavelength_nm:.1f} nm" for row in own) or "none"
            warnings.append(
                f"no complete {polarization} family ({even}, {odd}, E) in the window, which holds: {seen}"
            )
    return found, warnings


def _distance(first: Mode, second: Mode) -> float:
    return abs(first.wavelength_nm / second.wavelength_nm - 1.0)


def _velocities(ask: Ask, settings: Poles, families: list[_Family]) -> list[float]:
    """Group velocity v = dk0/dK of each family from rigorous poles at Γ and at a small wavevector q along x.

    The waves make ``Σ (k0 - mean)²`` of the even, the odd and one bright mode grow by ``2 v² q²`` exactly, whatever the
    couplings: v is a root of a difference, not a fit. Both sets of poles use the same plane waves.
    """
    reciprocal = 2.0 * math.pi / ask.stack.lattice.periods_nm[0]
    q = _STEP * reciprocal
    around = [row.wavelength_nm for family in families for row in family.members]
    window = (max(ask.window_nm[0], 0.98 * min(around)), min(ask.window_nm[1], 1.02 * max(around)))
    coarse = replace(settings, waves=_SHELL, exact_threshold=False)
    still = coarse.run(replace(ask, window_nm=window)).modes
    moving = coarse.run(replace(ask, window_nm=window, bloch=(q, 0.0))).modes
    velocities = []
    for family in families:
        own = [row for row in still if row.polarization == family.polarization]
        at_rest = [
            _nearest([other for other in own if other.symmetry == row.symmetry], [row.k0_per_nm])
            for row in family.members
        ]
        candidates = [row for row in moving if row.symmetry == _CLASS[family.polarization]]
        begin = np.array([k0 for found in at_rest for k0 in found])
        end = np.array(_nearest(candidates, list(begin)))
        if len(begin) < 3 or len(end) < 3:
            message = "a mode was lost on the way to a small wavevector; widen `window_nm`"
            raise SolverError(message, status=Status.INCOMPLETE)
        growth = np.sum((end - end.mean()) ** 2) - np.sum((begin - begin.mean()) ** 2)
        v = float(np.sqrt(growth / (2.0 * q * q)).real)
        if not 0.02 < v < 1.0:
            message = f"the bands near Γ give v/c = {v:.3g}, so these are no four coupled waves; use fdtd"
            raise SolverError(message, status=Status.UNCONVERGED)
        velocities.append(v)
    return velocities


def _nearest(rows: list[Mode], targets: list[complex]) -> list[complex]:
    """For each target the nearest k0 not yet taken."""
    free = [row.k0_per_nm for row in rows]
    picked = []
    for target in targets:
        if free:
            picked.append(free.pop(int(np.argmin([abs(k0 - target) for k0 in free]))))
    return picked


# -- the array -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Edge:
    """A band edge: its label at Γ, its place among the shares of an ArrayMode, and the symmetry to solve for."""

    row: Mode
    letter: str
    part: int
    parity: tuple[Parity, Parity]
    exchange: Exchange
    degeneracy: int


def _edges(family: _Family, *, square: bool) -> list[_Edge]:
    ranked = sorted(family.members, key=lambda row: -row.wavelength_nm)
    letters, names = {}, iter("ABCD")
    for row in ranked:
        letters[row.symmetry] = "".join(next(names) for _ in range(row.degeneracy))
    even, odd, bright = family.members
    name = letters["E"]
    swaps: tuple[Exchange, Exchange] = (1, -1) if square else (0, 0)
    dark = [
        _Edge(even, letters[even.symmetry], 0, (1, 1), swaps[0], 1),
        _Edge(odd, letters[odd.symmetry], 1, (1, 1), swaps[1], 1),
    ]
    if square:
        return [*dark, _Edge(bright, name, 2, (-1, 1), 0, 2)]
    return [*dark, _Edge(bright, name[0], 2, (-1, 1), 0, 1), _Edge(bright, name[1], 2, (1, -1), 0, 1)]


def _family_rows(
    family: _Family, velocity: float, ask: Ask, periods: tuple[int, int]
) -> tuple[list[tuple[Mode, BandEdge]], list[str]]:
    """Array modes, each with its band edge; and warnings."""
    period = ask.stack.lattice.periods_nm[0]
    even, odd, bright = (row.k0_per_nm for row in family.members)
    waves = FourWaves.from_poles(
        bright=bright, dark_even=even, dark_odd=odd, velocity=velocity, wavenumber=2.0 * math.pi / period
    )
    lengths = (periods[0] * period, periods[1] * period)
    rows, warnings = [], []
    for edge in _edges(family, square=periods[0] == periods[1]):
        coarse, fine = (_fundamental(waves, lengths, edge, points) for points in _POINTS)
        if fine is None or coarse is None:
            warnings.append(
                f"band edge {edge.letter} ({family.polarization} {edge.row.symmetry}, "
                f"{edge.row.wavelength_nm:.1f} nm at Γ) has no mode of its own in so small an array; "
                "more periods, or fdtd"
            )
            continue
        mode = _array_mode(family, edge, coarse, fine, waves)
        rows.append((mode, _band_edge(edge, mode, fine, waves, lengths)))
    return rows, warnings


def _fundamental(
    waves: FourWaves, lengths: tuple[float, float], edge: _Edge, points: int
) -> ArrayMode | None:
    """The most uniform array mode of a band edge; None where no mode is clearly that."""
    pole = (*waves.dark, waves.bright)[edge.part]
    near = pole - 0.5j * waves.velocity / max(
        lengths
    )  # a little below, as leaking through the sides will move it
    found = array_modes(
        waves,
        lengths_nm=lengths,
        parity=edge.parity,
        exchange=edge.exchange,
        near=near,
        count=_COUNT,
        points=points,
    )
    best = max(found, key=lambda mode: mode.uniform[edge.part], default=None)
    return best if best is not None and best.uniform[edge.part] >= _UNIFORM else None


def _array_mode(family: _Family, edge: _Edge, coarse: ArrayMode, fine: ArrayMode, waves: FourWaves) -> Mode:
    """One row of the modes table. Errors: the change of the grid, and those of the poles at Γ."""
    wavelength, q = units.wavelength_nm_of(fine.k0), units.quality_factor(fine.k0)
    confinement = _mean(family, fine, "confinement")
    loss_err = abs(1.0 / q - 1.0 / units.quality_factor(coarse.k0)) + _mean(family, fine, "loss_err")
    pole_err = max(row.wavelength_err_nm for row in family.members)
    up, down, absorbed = (
        _mean(family, fine, name, inverse=True) for name in ("q_up", "q_down", "q_absorbed")
    )
    gain = 2.0 * math.pi * _film_index(family.bright) / (wavelength * q * confinement) * units.NM_PER_CM
    return Mode(
        wavelength_nm=wavelength,
        q=q,
        symmetry=edge.row.symmetry,
        degeneracy=edge.degeneracy,
        polarization=family.polarization,
        confinement=confinement,
        threshold_gain_per_cm=gain,
        wavelength_err_nm=abs(wavelength - units.wavelength_nm_of(coarse.k0)) + pole_err,
        q_err=q * q * loss_err,
        q_up=_inverse(up),
        q_down=_inverse(down),
        q_absorbed=_inverse(absorbed),
        q_edges=_inverse(1.0 / q - up - down - absorbed),
        n_eff=waves.wavenumber / waves.centre.real,
        order=2,
        k0_per_nm=fine.k0,
        outward_share=_mean(family, fine, "outward_share"),
    )


def _mean(family: _Family, mode: ArrayMode, name: str, *, inverse: bool = False) -> float:
    """A number of the array mode from those of the Γ modes that it is made of, by their shares; losses add."""
    values = [getattr(row, name) for row in family.members]
    return sum(
        share * (1.0 / value if inverse else value) for share, value in zip(mode.shares, values, strict=True)
    )


def _film_index(bright: Mode) -> float:
    """Index of the gain film, by the bright mode's ``g = 2π n / (λ Q Γ)`` at Γ. NaN without a film."""
    gain = bright.threshold_gain_per_cm / units.NM_PER_CM
    return gain * bright.wavelength_nm * bright.q * bright.confinement / (2.0 * math.pi)


def _inverse(loss: float) -> float:
    return 1.0 / loss if loss else math.inf


def _band_edge(
    edge: _Edge, mode: Mode, found: ArrayMode, waves: FourWaves, lengths: tuple[float, float]
) -> BandEdge:
    length = math.sqrt(lengths[0] * lengths[1])
    return BandEdge(
        band_edge=edge.letter,
        polarization=mode.polarization,
        wavelength_at_gamma_nm=edge.row.wavelength_nm,
        q_vertical=_inverse(1.0 / mode.q_up + 1.0 / mode.q_down),
        shares_even_odd_bright=found.shares,
        uniform_share=found.uniform[edge.part],
        amplitude_gain_length=-found.k0.imag / waves.velocity * length,
        group_index=1.0 / waves.velocity,
        coupling_back_length=abs(waves.back.real) / waves.velocity * length,
        coupling_cross_length=abs(waves.cross.real) / waves.velocity * length,
    )
