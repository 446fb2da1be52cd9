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

import numpy as np

from cavitydesign import units
from cavitydesign.kinds import Window
from cavitydesign.optics.media.numeric import NumericStack
from cavitydesign.optics.patterned.admittance import BlockProblem
from cavitydesign.optics.patterned.completeness import SAME, Search, around, is_of_sheet, search
from cavitydesign.optics.patterned.counting import confirm, may_enter
from cavitydesign.optics.patterned.fourier import centred, symmetry_group
from cavitydesign.optics.patterned.ladder import Effort, Ladder
from cavitydesign.optics.patterned.regions import regions
from cavitydesign.optics.patterned.resonance import Resonance, polish
from cavitydesign.optics.patterned.search import Region
from cavitydesign.optics.patterned.symmetry import Group

_MARGIN = (
    0.04  # how far beyond the window the first search looks (relative): what more waves may move into it
)
_FAINTER = 0.75  # share of the smallest Q down to which the first search looks, for the same reason
_FRESH = 0.04  # a pole that moved by more than this (relative) from level to level is not the same any more
_BLURRED = (
    1e-8  # followed poles nearer than this (relative) may be one: what is left of the last step is smaller
)
_CLOSE = 0.01  # poles nearer than this (relative) may change places from one level to the next
_STEPS = 3  # looks that following one pole takes
_COUNT = 9  # and counting one region, on the larger basis


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
    ladder = Ladder(stack, group, bloch, effort, window_nm)
    modes: list[Settled] = []
    gaps: list[Gap] = []
    labels = ladder.labels()
    for number, label in enumerate(labels):
        progress(number, len(labels), f"symmetry class {label}")
        share = ladder.seconds(ladder.problem_size(0, label)) / sum(
            ladder.seconds(ladder.problem_size(0, other)) for other in labels[number:]
        )
        work = share * ladder.work_left
        climb = _Climb(ladder, label, effort, window_nm, work)
        climb.run()
        if math.isfinite(work):
            ladder.work_left -= work - max(climb.work, 0.0)  # what one class leaves is the others'
        modes += climb.settled()
        gaps += climb.gaps
    return Found(
        tuple(modes), group.name, tuple(gaps), max((m.waves for m in modes), default=ladder.counts[0])
    )


@dataclass
class _Track:
    """One pole on its way up the ladder: its k0 at each level, the latest resonance, and that of the last count."""

    k0: list[complex]
    resonance: Resonance
    counted: Resonance | None = None

    def moved(self, new: Resonance) -> _Track:
        """The same pole one level up."""
        new = replace(new, multiplicity=self.resonance.multiplicity)
        return _Track([*self.k0, new.k0], new, self.counted)

    @property
    def ahead(self) -> complex:
        """Where the next level may find it: half a step further."""
        return self.k0[-1] + (0.4 * (self.k0[-1] - self.k0[-2]) if len(self.k0) > 1 else 0.0)

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

    def __init__(self, ladder: Ladder, label: str, effort: Effort, window_nm: Window, work: float):
        self.ladder, self.label, self.effort, self.window_nm, self.work = (
            ladder,
            label,
            effort,
            window_nm,
            work,
        )
        self.tracks: list[_Track] = []
        self.parts: list[tuple[Region, Search]] = []  # what the last count gave, region by region
        self.lost: list[Resonance] = []  # poles of that count that could not be followed
        self.gaps: list[Gap] = []
        self.base = self.top = 0  # the levels of the last count, and of the poles

    def run(self) -> None:
        """Climb until every mode of the window is settled and counted, or the ladder or the work ends."""
        last = len(self.ladder.counts) - 1
        self._search()
        for level in range(1, last + 1):
            self._follow(level)
            is_last = level == last or not self._affords(level + 1)
            self._count(level)
            if is_last or self._is_settled():
                break

    def _affords(self, level: int) -> bool:
        """Whether following and counting at one more level stays within the work of this class."""
        looks = _STEPS * len(self.tracks) + _COUNT * len(self.parts)
        return looks * self._seconds(level) < self.work

    def _seconds(self, level: int) -> float:
        return self.ladder.seconds(self.ladder.problem_size(level, self.label))

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

    # -- up --------------------------------------------------------------------------------------------------------

    def _search(self) -> None:
        """All poles at the lowest level, in the window and a margin in which more waves may still move them."""
        problem = self.ladder.problem(0, self.label)
        window = self.window_nm[0] * (1.0 - _MARGIN), self.window_nm[1] * (1.0 + _MARGIN)
        amplifying = bool(
            (problem.stack.index(units.k0_per_nm(np.linspace(*window, 5)) + 0j).imag < 0.0).any()
        )
        # a basis that the user chose may hold channels that its first half lacks
        widest = self.ladder.problem(
            0 if self.effort.waves is None else len(self.ladder.counts) - 1, self.label
        )
        for region in regions(widest, window, q_min=_FAINTER * self.effort.q_min, amplifying=amplifying):
            result = search(problem, region, known=[track.resonance for track in self.tracks])
            self._admit(result.resonances, 0)
            self.parts.append((region, result))
            self.work -= result.looks * self._seconds(0)
        self._counted(0)

    def _follow(self, level: int) -> None:
        """Every pole at one more level; those that cannot be followed are left to the count."""
        kept: list[_Track] = []
        astray: list[_Track] = []
        for track in self.tracks:
            problem = self.ladder.problem(level, self.label, track.resonance.problem.interface)
            new = polish(problem, track.ahead, reach=_FRESH * abs(track.k0[-1]), accept=1e-7)
            if new is None or any(_apart(new.k0, t.k0[-1]) < _BLURRED for t in kept):
                astray.append(track)
            else:
                kept.append(track.moved(new))
        for track in astray:
            new = self._beside(track, kept, level)
            if new is not None:
                kept.append(track.moved(new))
            elif track.counted is not None:
                self.lost.append(track.counted)
        self.work -= _STEPS * len(self.tracks) * self._seconds(level)
        self.tracks, self.top = kept, level

    def _beside(self, track: _Track, kept: list[_Track], level: int) -> Resonance | None:
        """A pole that none of those followed is, near where they are: of several close ones, two may end on one."""
        old, here = track.resonance, track.k0[-1]
        moved = [abs(t.k0[-1] - t.k0[-2]) for t in kept if len(t.k0) > 1 and _apart(t.k0[-2], here) < _CLOSE]
        radius = max(3.0 * max(moved, default=math.inf), 1e-6 * abs(here))
        region = next((region for region, _ in self.parts if is_of_sheet(old, region)), None)
        if region is None or radius > _CLOSE * abs(here):
            return None
        problem = self.ladder.problem(level, self.label, old.problem.interface)
        found = around(problem, region, here, radius, [t.resonance for t in kept])
        self.work -= found.looks * self._seconds(level)
        new = [item for item in found.resonances if all(_apart(item.k0, t.k0[-1]) > SAME for t in kept)]
        return min(new, key=lambda item: abs(item.k0 - here), default=None)

    def _admit(self, found: Iterable[Resonance], level: int) -> None:
        """New poles become tracks, with where they were one level below if that can be seen."""
        for item in found:
            if any(_apart(item.k0, t.k0[-1]) < SAME for t in self.tracks):
                continue
            seen = None
            if level > 0:
                below = self.ladder.problem(level - 1, self.label, item.problem.interface)
                seen = polish(below, item.k0, reach=_FRESH * abs(item.k0), accept=1e-7)
            self.tracks.append(_Track([item.k0] if seen is None else [seen.k0, item.k0], item))

    # -- counting --------------------------------------------------------------------------------------------------

    def _count(self, level: int) -> None:
        """Count at one level, and search where the count is not that of the modes."""
        problem = self.ladder.problem(level, self.label)
        parts: list[tuple[Region, Search]] = []
        for region, low in self.parts:
            sure, doubt = self._judged(problem, region, low)
            open_: list[Region] = []
            strangers, looks = list(low.strangers), 0
            for box in doubt:
                result = search(problem, region, known=[t.resonance for t in self.tracks], boxes=[box])
                self._admit(result.resonances, level)
                sure, open_, looks = [*sure, *result.settled], [*open_, *result.open], looks + result.looks
                strangers += result.strangers
            parts.append((region, Search((), tuple(sure), tuple(open_), strangers=tuple(strangers))))
            self.work -= (_COUNT + looks) * self._seconds(level)
        self.parts, self.gaps = parts, self._gaps(parts, len(problem.waves))
        self._counted(level)

    def _counted(self, level: int) -> None:
        self.lost, self.base, self.top = [], level, level
        for track in self.tracks:
            track.counted = track.resonance

    def _gaps(self, parts: list[tuple[Region, Search]], waves: int) -> list[Gap]:
        found = []
        for box in (box for _, part in parts for box in part.open):
            edges = box.k0(box.centre + box.half_re * np.array([-1.0, 1.0])).real
            low_nm, high_nm = (units.wavelength_nm_of(float(k)) for k in (edges.max(), edges.min()))
            if high_nm >= self.window_nm[0] and low_nm <= self.window_nm[1]:
                found.append(Gap(self.label, low_nm, high_nm, waves))
        return found

    def _judged(
        self, problem: BlockProblem, region: Region, low: Search
    ) -> tuple[list[Region], list[Region]]:
        """The boxes of a region to which the count of the last level can be carried, and the others."""
        each = problem.block.irrep.zeros

        def here(item: Resonance | None) -> complex | None:
            """Where it is a zero of D: one may leave a region for another, through a threshold."""
            return item.k0 if item is not None and is_of_sheet(item, region) else None

        moved = [
            (here(t.counted), here(t.resonance), each * t.resonance.multiplicity) for t in self.tracks
        ] + [(here(item), None, each * item.multiplicity) for item in self.lost]
        below = self.ladder.problem(self.base, self.label)
        steps = [abs(t.k0[-1] - t.counted.k0) for t in self.tracks if t.counted is not None]
        furthest = max([2e-4 * region.high, *steps])

        def carries(box: Region) -> bool:
            stays = not may_enter(region, box, low.strangers, 1.5 * furthest)
            return stays and confirm(below, problem, box, moved)

        if low.complete and carries(region):
            return list(low.settled), []
        if len(low.settled) == 1 and low.complete:
            return [], list(low.settled)
        sure = [box for box in low.settled if carries(box)]
        return sure, [*low.open, *(box for box in low.settled if box not in sure)]


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
