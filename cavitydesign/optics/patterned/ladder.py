"""Search low, climb, and know when to stop: the poles of a patterned stack at growing numbers of plane waves.

For each symmetry class of the cell:

1. *find*: the response is sampled on a curve around each part of the window between Rayleigh thresholds; a rational
   interpolant gives all poles at once (:mod:`cavitydesign.optics.patterned.search`);
2. *polish*: the two-sided Rayleigh iteration brings each pole to rounding
   (:mod:`cavitydesign.optics.patterned.resonance`);
3. *prove*: the contour moments of the response without the poles found must vanish
   (:mod:`cavitydesign.optics.patterned.completeness`);
4. *refine*: more plane waves, same pole, until λ and Q stay put; the last changes are the error bars.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from cavitydesign import units
from cavitydesign.kinds import Window
from cavitydesign.optics.media.numeric import NumericStack
from cavitydesign.optics.patterned.admittance import BlockProblem
from cavitydesign.optics.patterned.completeness import regions, search
from cavitydesign.optics.patterned.fourier import centred, symmetry_group
from cavitydesign.optics.patterned.planewaves import Block, PlaneWaves, blocks, plane_waves
from cavitydesign.optics.patterned.resonance import Resonance, polish
from cavitydesign.optics.patterned.symmetry import Group

_MARGIN = 0.04  # how far beyond the window the first search looks (relative); halved from level to level
FEWEST_WAVES = 9
"""Fewer plane waves do not hold a guided wave of every symmetry."""
_FIRST = 25  # plane waves of the first search
_FRESH = 4e-3  # a pole that moved by more than this (relative) from level to level is searched for anew, not followed
_ROUNDING = 1e-13
"""1/Q below which the sign of Im k0 is rounding: a few hundred ulp of k0, as the eigenvalues behind it lose."""
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
    """A resonance with its error bars: the change of λ (nm) and of 1/Q at the last addition of plane waves."""

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
        k0 = self.resonance.k0
        loss = -2.0 * k0.imag / k0.real
        unseen = self.resonance.is_passive and loss < _ROUNDING
        return 0.0 if self.resonance.is_lossless or unseen else loss

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
    """The modes of a stack and how they were found: group, completeness, largest remainder of the proof."""

    modes: tuple[Settled, ...]
    group: str
    complete: bool
    remainder: float
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
    ladder = _Ladder(stack, group, bloch, effort)
    modes: list[Settled] = []
    complete, remainder = True, 0.0
    labels = ladder.labels()
    for number, label in enumerate(labels):
        progress(number, len(labels), f"symmetry class {label}")
        found, proven, rest = _climb(ladder, label, effort, window_nm)
        modes += found
        complete, remainder = complete and proven, max(remainder, rest)
    return Found(tuple(modes), group.name, complete, remainder, ladder.counts[-1])


class _Ladder:
    """The problems of a stack at growing numbers of plane waves, made when first asked for."""

    def __init__(self, stack: NumericStack, group: Group, bloch: tuple[float, float], effort: Effort):
        self.stack, self.group, self.bloch, self.lattice = stack, group, bloch, stack.lattice
        self.counts = _wave_counts(effort)
        self._levels: dict[int, tuple[PlaneWaves, dict[str, Block]]] = {}

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


def _wave_counts(effort: Effort) -> list[int]:
    """Numbers of plane waves, each about twice the last. With ``waves`` given: half of it, then it."""
    if effort.waves is not None:
        return [max(effort.waves // 2, FEWEST_WAVES), effort.waves]
    counts = [min(_FIRST, effort.max_waves)]
    while 2 * counts[-1] <= effort.max_waves:
        counts.append(2 * counts[-1] - 1)
    return counts


def _climb(
    ladder: _Ladder, label: str, effort: Effort, window_nm: Window
) -> tuple[list[Settled], bool, float]:
    """Modes of one symmetry class: search low on the ladder, then follow each up until its error bars are met."""
    waiting: list[Resonance] | None = None  # None: a fresh search is due
    done: list[Settled] = []
    complete, remainder = True, 0.0
    for index in range(len(ladder.counts)):
        problem = ladder.problem(index, label)
        count = len(ladder.level(index)[0])
        last = index == len(ladder.counts) - 1
        if waiting is None:
            waiting, complete, remainder = _search_all(problem, effort, window_nm, level=index)
            if not last:
                continue
            return [_mode(item, item, problem, count) for item in waiting], complete, remainder
        meeting = {i: ladder.problem(index, label, i) for i in {item.problem.interface for item in waiting}}
        followed = [
            polish(meeting[item.problem.interface], item.k0, reach=_FRESH * abs(item.k0), accept=_SETTLED)
            for item in waiting
        ]
        if any(item is None for item in followed) or _collide(followed):
            done = []
            waiting, complete, remainder = _search_all(problem, effort, window_nm, level=index)
            if last:
                return [_mode(item, item, problem, count) for item in waiting], complete, remainder
            continue
        steps = [(old, new) for old, new in zip(waiting, followed, strict=True) if new is not None]
        modes = [_mode(old, new, problem, count) for old, new in steps]
        done += [mode for mode in modes if is_converged(mode, effort) or last or effort.waves is not None]
        waiting = [
            m.resonance
            for m in modes
            if not (is_converged(m, effort) or last or effort.waves is not None) and _may_enter(m, window_nm)
        ]
        if not waiting:
            break
    return done, complete, remainder


def _search_all(
    problem: BlockProblem, effort: Effort, window_nm: Window, *, level: int
) -> tuple[list[Resonance], bool, float]:
    """A fresh search in every region of the window, widened a little for what more plane waves will move into it."""
    margin = max(_FRESH, _MARGIN / 2**level)
    wide = (window_nm[0] * (1.0 - margin), window_nm[1] * (1.0 + margin))
    amplifying = bool(
        (problem.stack.index(units.k0_per_nm(np.linspace(*window_nm, 5)) + 0j).imag < 0.0).any()
    )
    found: list[Resonance] = []
    complete, remainder = True, 0.0
    parts = regions(problem, wide, q_min=effort.q_min, amplifying=amplifying)
    for interface in problem.viewpoints(units.k0_per_nm(0.5 * (wide[0] + wide[1]))):
        there = problem if interface == problem.interface else problem.met_at(interface)
        for region in parts:
            result = search(there, region)
            for item in result.resonances:
                _admit(item, found)
            complete, remainder = complete and result.complete, max(remainder, result.remainder)
    return found, complete, remainder


def _admit(item: Resonance, found: list[Resonance]) -> None:
    """Add a pole; one met from another interface already is kept from where it is seen best (largest residue)."""
    for index, other in enumerate(found):
        same = abs(other.k0 - item.k0) < 1e-7 * abs(item.k0)
        if same and other.problem.interface != item.problem.interface:
            found[index] = min(other, item, key=lambda seen: abs(seen.norm))
            return
    found.append(item)


def _collide(items: list[Resonance | None]) -> bool:
    k0 = np.array([item.k0 for item in items if item is not None])
    gap = np.abs(k0[:, None] - k0[None, :]) + np.eye(len(k0))
    return bool((gap < 1e-10 * np.abs(k0[:, None])).any()) if len(k0) > 1 else False


def _mode(old: Resonance, new: Resonance, problem: BlockProblem, waves: int) -> Settled:
    irrep = problem.block.irrep
    same = old is new
    error = math.nan if same else abs(units.wavelength_nm_of(old.k0) - units.wavelength_nm_of(new.k0))
    loss_error = math.nan if same else abs(2.0 * old.k0.imag / old.k0.real - 2.0 * new.k0.imag / new.k0.real)
    return Settled(new, irrep.degeneracy, irrep.label, waves, error, loss_error)


def _may_enter(mode: Settled, window_nm: Window) -> bool:
    """Whether a mode is in the window, or so near that what more plane waves will do may still bring it there."""
    outside = max(window_nm[0] - mode.wavelength_nm, mode.wavelength_nm - window_nm[1])
    return outside < 3.0 * mode.wavelength_err_nm + 1e-4 * mode.wavelength_nm


def is_converged(mode: Settled, effort: Effort) -> bool:
    """Whether the error bars meet the tolerance; 1/Q need not be known better than to 10⁻⁸."""
    return mode.wavelength_err_nm <= effort.tolerance_nm and mode.loss_err <= max(
        effort.q_tolerance * abs(mode.loss), 1e-8
    )


def is_wanted(mode: Settled, effort: Effort, window_nm: Window) -> bool:
    """Whether a mode lies in the window with a Q that was asked for."""
    return window_nm[0] <= mode.wavelength_nm <= window_nm[1] and (mode.q >= effort.q_min or mode.q < 0.0)
