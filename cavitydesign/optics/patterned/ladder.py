"""Search low, climb, and know when to stop: the poles of a patterned stack at growing numbers of plane waves.

For each symmetry class of the cell:

1. *find*: on a basis that holds every wave that can propagate in the stack, the response is sampled around each part
   of the window between Rayleigh thresholds, and a rational interpolant gives all poles at once
   (:mod:`cavitydesign.optics.patterned.search`);
2. *polish*: the two-sided Rayleigh iteration brings each pole to rounding
   (:mod:`cavitydesign.optics.patterned.resonance`);
3. *refine*: more plane waves, same pole, until λ and Q stay put;
4. *prove*: with the waves whose numbers are reported, the zeros of the characteristic function are counted, and what
   is missing is searched for anew (:mod:`cavitydesign.optics.patterned.completeness`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from cavitydesign import units
from cavitydesign.kinds import Window
from cavitydesign.optics.media.numeric import NumericStack
from cavitydesign.optics.patterned.admittance import BlockProblem
from cavitydesign.optics.patterned.completeness import SAME, Search, around, confirm, is_of_sheet, search
from cavitydesign.optics.patterned.fourier import centred, symmetry_group
from cavitydesign.optics.patterned.planewaves import Block, PlaneWaves, blocks, plane_waves
from cavitydesign.optics.patterned.regions import regions
from cavitydesign.optics.patterned.resonance import Resonance, polish
from cavitydesign.optics.patterned.search import Region
from cavitydesign.optics.patterned.symmetry import Group

_MARGIN = (
    0.04  # how far beyond the window the first search looks (relative): what more waves may move into it
)
_FAINTER = 0.75  # share of the smallest Q down to which the first search looks, for the same reason
_FRESH = 0.04  # a pole that moved by more than this (relative) from level to level is not the same any more
FEWEST_WAVES = 9
"""Fewer plane waves do not hold a guided wave of every symmetry."""
_FIRST = 25  # the fewest plane waves of a first search
_REACH = 1.6  # |k + G| up to which the first basis goes, in units of the highest index times k0
_BLURRED = 1e-8  # and followed poles nearer than this may be one: what is left of the last step is smaller
_CLOSE = 0.01  # poles nearer than this (relative) may change places from one level to the next
_GROWTH = 1.9  # plane waves of a level, by those of the one below
_SETTLED = (
    3e-5  # relative step after which a followed pole is taken: what is left of it is about the square, 1e-9
)


class Effort(Protocol):
    """How hard to try: what this module reads of a solver's settings."""

    @property
    def tolerance_nm(self) -> float: ...
    @property
    def q_tolerance(self) -> float: ...
    @property
    def waves(self) -> int | None: ...
    @property
    def max_waves(self) -> int: ...
    @property
    def q_min(self) -> float: ...


@dataclass(frozen=True)
class Settled:
    """A resonance with its error bars: of λ (nm) and of 1/Q, from the changes with the number of plane waves."""

    resonance: Resonance
    degeneracy: int
    symmetry: str
    waves: int
    wavelength_err_nm: float
    loss_err: float

    @property
    def wavelength_nm(self) -> float:
        """2π / Re k0."""
        return units.wavelength_nm_of(self.resonance.k0)

    @property
    def loss(self) -> float:
        """1/Q; exactly 0 for a mode that cannot lose energy, or whose loss in a passive stack is below rounding."""
        return self.resonance.loss

    @property
    def q(self) -> float:
        """Quality factor; inf for a mode that cannot lose energy."""
        return math.inf if self.loss == 0.0 else 1.0 / self.loss

    @property
    def q_err(self) -> float:
        """Error of Q from truncation: Q² times that of 1/Q."""
        return 0.0 if self.loss == 0.0 else self.q**2 * self.loss_err


@dataclass(frozen=True)
class Found:
    """The modes of a stack and how they were found.

    Attributes:
        modes: with error bars, unsorted, not yet cut to the window.
        group: the point group that sorts them.
        gaps: where in the window, and in which symmetry class, count and search disagree.
        waves: the most plane waves used.
    """

    modes: tuple[Settled, ...]
    group: str
    gaps: tuple[Gap, ...]
    waves: int

    @property
    def complete(self) -> bool:
        """Whether every class counts what it found."""
        return not self.gaps


@dataclass(frozen=True)
class Gap:
    """A part of the window in which the count of one symmetry class does not agree with its modes."""

    symmetry: str
    low_nm: float
    high_nm: float
    waves: int


def resonances(
    numeric: NumericStack,
    effort: Effort,
    *,
    window_nm: Window,
    bloch: tuple[float, float] = (0.0, 0.0),
    group: Group | None = None,
    progress: Callable[[float, float, str], None] = lambda _done, _total, _what: None,
) -> Found:
    """All modes of a patterned stack, with fields and error bars, unsorted and not yet cut to the window.

    ``group`` overrides the symmetry that is found, by one of its subgroups.
    """
    stack = centred(numeric)
    group = group or symmetry_group(stack, bloch=bloch)
    ladder = _Ladder(stack, group, bloch, effort, window_nm)
    modes: list[Settled] = []
    gaps: list[Gap] = []
    labels = ladder.labels()
    for number, label in enumerate(labels):
        progress(number, len(labels), f"symmetry class {label}")
        climb = _Climb(ladder, label, effort, window_nm)
        climb.run()
        modes += climb.settled()
        gaps += climb.gaps
    return Found(
        tuple(modes), group.name, tuple(gaps), max((m.waves for m in modes), default=ladder.counts[0])
    )


class _Ladder:
    """The problems of a stack at growing numbers of plane waves, made when first asked for."""

    def __init__(
        self,
        stack: NumericStack,
        group: Group,
        bloch: tuple[float, float],
        effort: Effort,
        window_nm: Window,
    ):
        self.stack, self.group, self.bloch, self.lattice = stack, group, bloch, stack.lattice
        self.counts = _wave_counts(effort, self._first(window_nm[0]))
        self._levels: dict[int, tuple[PlaneWaves, dict[str, Block]]] = {}

    def _first(self, shortest_nm: float) -> int:
        """Plane waves that reach ``_REACH`` times as far as any that propagates at the shortest wavelength."""
        k0 = units.k0_per_nm(shortest_nm)
        n = self.stack.index(np.asarray(k0 + 0j))
        inside = {self.stack.superstrate, self.stack.substrate}
        for layer in self.stack.layers:
            inside |= {layer.material, *(item.material for item in layer.inclusions)}
        reach = _REACH * k0 * max(float(n[number].real) for number in inside) + math.hypot(*self.bloch)
        if self.lattice.dimensions == 1:
            return max(FEWEST_WAVES, 2 * math.ceil(reach * self.lattice.periods_nm[0] / (2.0 * math.pi)) + 1)
        return max(_FIRST, math.ceil(reach**2 * self.lattice.cell_area_nm2 / (4.0 * math.pi)))

    def level(self, index: int) -> tuple[PlaneWaves, dict[str, Block]]:
        """Plane waves and blocks (by irrep) of one level."""
        if index not in self._levels:
            waves = plane_waves(self.lattice, bloch=self.bloch, count=self.counts[index])
            self._levels[index] = (waves, {block.irrep.label: block for block in blocks(waves, self.group)})
        return self._levels[index]

    def labels(self) -> list[str]:
        """Irreps that the basis holds."""
        return list(self.level(0)[1])

    def problem(self, index: int, label: str, interface: int | None = None) -> BlockProblem:
        """The problem of one symmetry class at one level, met at an interface (None: the default one)."""
        waves, by_label = self.level(index)
        return BlockProblem(self.stack, waves, by_label[label], interface=interface)


def _wave_counts(effort: Effort, first: int) -> list[int]:
    """Numbers of plane waves, each about twice the last. With ``waves`` given: half of it, then it."""
    if effort.waves is not None:
        return [max(effort.waves // 2, FEWEST_WAVES), effort.waves]
    most = max(effort.max_waves, FEWEST_WAVES)
    counts = [min(first, most)]
    while _GROWTH * counts[-1] <= most:
        counts.append(round(_GROWTH * counts[-1]))
    return counts


@dataclass
class _Track:
    """One pole on its way up the ladder: its k0 at each level from ``first`` on, and the latest resonance."""

    first: int
    k0: list[complex]
    resonance: Resonance

    def moved(self, new: Resonance) -> _Track:
        """The same pole one level up."""
        return _Track(self.first, [*self.k0, new.k0], replace(new, multiplicity=self.resonance.multiplicity))

    def settled(self, waves: int, shift: tuple[float, float]) -> Settled:
        """With error bars no smaller than ``shift`` (nm, 1/Q): what the class as a whole still moves."""
        irrep = self.resonance.problem.block.irrep
        wavelengths = [units.wavelength_nm_of(k) for k in self.k0]
        losses = [-2.0 * k.imag / k.real for k in self.k0]
        return Settled(
            self.resonance,
            irrep.degeneracy * self.resonance.multiplicity,
            irrep.label,
            waves,
            _error(wavelengths, shift[0]),
            _error(losses, shift[1]),
        )


def _error(values: list[float], floor: float) -> float:
    """What a value is likely to be off by, from its changes up the ladder; NaN where it has been seen once only."""
    steps = np.abs(np.diff(values))
    if not len(steps):
        return math.nan
    earlier = float(steps[-2]) if len(steps) > 1 else 0.0
    return float(max(steps[-1], 0.35 * earlier, floor))


class _Climb:
    """The modes of one symmetry class: searched low, followed up, counted where they are reported."""

    def __init__(self, ladder: _Ladder, label: str, effort: Effort, window_nm: Window):
        self.ladder, self.label, self.effort, self.window_nm = ladder, label, effort, window_nm
        self.tracks: list[_Track] = []
        self.parts: list[tuple[Region, Search]] = []  # what the lowest level gave, region by region
        self.lost: list[
            tuple[complex, Resonance]
        ] = []  # poles of the lowest level that could not be followed
        self.gaps: list[Gap] = []
        self.top = 0

    def run(self) -> None:
        """Climb until every mode of the window is settled and counted, or the ladder ends."""
        last = len(self.ladder.counts) - 1
        self._search()
        for level in range(1, last + 1):
            self._follow(level)
            if level < last and not self._is_settled():
                continue
            if not self._count(level) or self._is_settled():
                break

    def settled(self) -> list[Settled]:
        """The modes at the level reached."""
        waves, shift = len(self.ladder.level(self.top)[0]), self._shift()
        return [track.settled(waves, shift) for track in self.tracks]

    def _is_settled(self) -> bool:
        return all(is_converged(m, self.effort) for m in self.settled() if _may_enter(m, self.window_nm))

    def _shift(self) -> tuple[float, float]:
        """The typical last change of λ and 1/Q in this class: a mode that moved less did so by chance."""
        ends = [track.k0[-2:] for track in self.tracks if len(track.k0) > 1]
        if len(ends) < 2:
            return 0.0, 0.0
        moves = [abs(units.wavelength_nm_of(a) - units.wavelength_nm_of(b)) for a, b in ends]
        return 0.3 * float(np.median(moves)), 0.0

    def _follow(self, level: int) -> None:
        """Every pole at one more level; those that cannot be followed are left to the count."""
        kept: list[_Track] = []
        astray: list[_Track] = []
        for track in self.tracks:
            old = track.resonance
            problem = self.ladder.problem(level, self.label, old.problem.interface)
            new = polish(problem, track.k0[-1], reach=_FRESH * abs(track.k0[-1]), accept=1e-7)
            if new is None or any(_apart(new.k0, t.k0[-1]) < _BLURRED for t in kept):
                astray.append(track)
            else:
                kept.append(track.moved(new))
        for track in astray:
            new = self._beside(track, kept, level)
            if new is not None:
                kept.append(track.moved(new))
            elif track.first == 0:
                self.lost.append((track.k0[0], track.resonance))
        self.tracks, self.top = kept, level

    def _beside(self, track: _Track, kept: list[_Track], level: int) -> Resonance | None:
        """A pole that none of those followed is, near where they are: of several close ones, two may end on one."""
        old = track.resonance
        moved = [
            abs(t.k0[-1] - t.k0[-2])
            for t in kept
            if len(t.k0) > 1 and _apart(t.k0[-2], track.k0[-1]) < _CLOSE
        ]
        if not moved:
            return None
        radius = max(3.0 * max(moved), 1e-6 * abs(old.k0))
        region = next((region for region, _ in self.parts if is_of_sheet(old, region)), None)
        if region is None or radius > _CLOSE * abs(old.k0):
            return None
        problem = self.ladder.problem(level, self.label, old.problem.interface)
        known = [t.resonance for t in kept]
        found = around(problem, region, track.k0[-1], radius, known)
        new = [item for item in found.resonances if all(_apart(item.k0, t.k0[-1]) > SAME for t in kept)]
        return min(new, key=lambda item: abs(item.k0 - track.k0[-1]), default=None)

    def _search(self) -> None:
        """All poles at the lowest level, in the window and a margin in which more waves may still move them."""
        problem = self.ladder.problem(0, self.label)
        window = self.window_nm[0] * (1.0 - _MARGIN), self.window_nm[1] * (1.0 + _MARGIN)
        amplifying = bool(
            (problem.stack.index(units.k0_per_nm(np.linspace(*window, 5)) + 0j).imag < 0.0).any()
        )
        # a basis that the user chose may hold channels that its first half lacks
        widest = (
            problem
            if self.effort.waves is None
            else self.ladder.problem(len(self.ladder.counts) - 1, self.label)
        )
        for region in regions(widest, window, q_min=_FAINTER * self.effort.q_min, amplifying=amplifying):
            result = search(problem, region, known=[track.resonance for track in self.tracks])
            self._admit(result.resonances, 0)
            self.parts.append((region, result))

    def _admit(self, found: Iterable[Resonance], level: int) -> int:
        """New poles become tracks; how many of them there are."""
        new = 0
        for item in found:
            if not any(_apart(item.k0, t.k0[-1]) < SAME for t in self.tracks):
                self.tracks.append(self._joined(item, level))
                new += 1
        return new

    def _count(self, level: int) -> int:
        """Count at one level, and search where the count is not that of the modes; how many are new."""
        problem = self.ladder.problem(level, self.label)
        doubt = [(region, box) for region, low in self.parts for box in self._in_doubt(problem, region, low)]
        self.gaps, new = [], 0
        for region, box in doubt:
            known = [track.resonance for track in self.tracks]
            result = search(problem, region, known=known, boxes=[box])
            new += self._admit(result.resonances, level)
            for part in result.open:
                edges = part.k0(part.centre + part.half_re * np.array([-1.0, 1.0])).real
                low_nm, high_nm = (units.wavelength_nm_of(float(k)) for k in (edges.max(), edges.min()))
                if high_nm >= self.window_nm[0] and low_nm <= self.window_nm[1]:
                    self.gaps.append(Gap(self.label, low_nm, high_nm, len(problem.waves)))
        self.top = level
        return new

    def _in_doubt(self, problem: BlockProblem, region: Region, low: Search) -> list[Region]:
        """The boxes of a region in which the count of the lowest level cannot be carried over to this one."""
        each = 2 if problem.block.irrep.mixed else 1
        moved = [
            (t.k0[0] if t.first == 0 else None, t.k0[-1], each * t.resonance.multiplicity)
            for t in self.tracks
            if is_of_sheet(t.resonance, region)
        ]
        moved += [(k0, None, each * old.multiplicity) for k0, old in self.lost if is_of_sheet(old, region)]
        below = self.ladder.problem(0, self.label)
        if low.complete and confirm(below, problem, region, moved):
            return []
        doubtful = (
            [box for box in low.settled if not confirm(below, problem, box, moved)]
            if len(low.settled) > 1
            else [region]
        )
        return [*low.open, *doubtful]

    def _joined(self, item: Resonance, level: int) -> _Track:
        if level == 0:
            return _Track(0, [item.k0], item)
        below = self.ladder.problem(level - 1, self.label, item.problem.interface)
        seen = polish(below, item.k0, reach=_FRESH * abs(item.k0), accept=_SETTLED)
        return _Track(level, [item.k0] if seen is None else [seen.k0, item.k0], item)


def _apart(one: complex, other: complex) -> float:
    """Distance of two wavenumbers, relative."""
    return abs(one - other) / abs(one)


def _may_enter(mode: Settled, window_nm: Window) -> bool:
    """Whether a mode is in the window, or so near that what more plane waves will do may still bring it there."""
    outside = max(window_nm[0] - mode.wavelength_nm, mode.wavelength_nm - window_nm[1])
    return (
        math.isnan(mode.wavelength_err_nm)
        or outside < 3.0 * mode.wavelength_err_nm + 1e-4 * mode.wavelength_nm
    )


def is_converged(mode: Settled, effort: Effort) -> bool:
    """Whether the error bars meet the tolerance; 1/Q need not be known better than to 10⁻⁸."""
    return mode.wavelength_err_nm <= effort.tolerance_nm and mode.loss_err <= max(
        effort.q_tolerance * abs(mode.loss), 1e-8
    )


def is_wanted(mode: Settled, effort: Effort, window_nm: Window) -> bool:
    """Whether a mode lies in the window with a Q that was asked for."""
    return window_nm[0] <= mode.wavelength_nm <= window_nm[1] and (mode.q >= effort.q_min or mode.q < 0.0)
