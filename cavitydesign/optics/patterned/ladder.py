"""The same stack at growing numbers of plane waves, and what a look at each costs."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from cavitydesign import units
from cavitydesign.kinds import Window
from cavitydesign.optics.media.numeric import NumericStack
from cavitydesign.optics.patterned.admittance import BlockProblem
from cavitydesign.optics.patterned.planewaves import Block, PlaneWaves, blocks, plane_waves
from cavitydesign.optics.patterned.symmetry import Group

FEWEST_WAVES = 9
"""Fewer plane waves do not hold a guided wave of every symmetry."""
_MOST_WAVES = 400  # without a bound of the user's own
_FIRST = 25  # the fewest plane waves of a first search
_REACH = 1.6  # |k + G| up to which the first basis goes, in units of the highest index times k0
_NEAREST = 1.1  # the same where more would take too long
_GROWTH = 1.9  # plane waves of a level, by those of the one below
_WORK = 6.0  # seconds of a processor that a solve may take where the user bounds no number of waves
_SEARCH = 400  # looks that a first search takes in each symmetry class, about


class Effort(Protocol):
    """How hard to try: what this module reads of a solver's settings."""

    @property
    def tolerance_nm(self) -> float: ...
    @property
    def q_tolerance(self) -> float: ...
    @property
    def waves(self) -> int | None: ...
    @property
    def max_waves(self) -> int | None: ...
    @property
    def q_min(self) -> float: ...


class Ladder:
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
        self.patterned = sum(1 for layer in stack.layers if layer.inclusions)
        self.work_left = _WORK if effort.waves is None and effort.max_waves is None else math.inf
        first, fewest = (self._first(window_nm[0], times) for times in (_REACH, _NEAREST))
        while _SEARCH * self._all_looks(first) > 0.4 * self.work_left and first > fewest:
            first = max(round(0.9 * first), fewest)
        self.counts = _wave_counts(effort, first)
        self._levels: dict[int, tuple[PlaneWaves, dict[str, Block]]] = {}

    def _all_looks(self, waves: int) -> float:
        """Seconds of one look at every symmetry class on so many plane waves."""
        irreps = self.group.irreps
        columns = [2.0 * waves * irrep.degeneracy / sum(i.degeneracy**2 for i in irreps) for irrep in irreps]
        return sum(self.seconds(size) for size in columns)

    def seconds(self, size: float) -> float:
        """What one evaluation of M of this order takes, roughly, on a processor of 2025."""
        return 1e-3 + self.patterned * 5e-9 * size**3

    def _first(self, shortest_nm: float, times: float) -> int:
        """Plane waves that reach so many times as far as any that propagates at the shortest wavelength."""
        k0 = units.k0_per_nm(shortest_nm)
        n = self.stack.index(np.asarray(k0 + 0j))
        inside = {self.stack.superstrate, self.stack.substrate}
        for layer in self.stack.layers:
            inside |= {layer.material, *(item.material for item in layer.inclusions)}
        reach = times * k0 * max(float(n[number].real) for number in inside) + math.hypot(*self.bloch)
        if self.lattice.dimensions == 1:
            return max(FEWEST_WAVES, 2 * math.ceil(reach * self.lattice.periods_nm[0] / (2.0 * math.pi)) + 1)
        return max(_FIRST, math.ceil(reach**2 * self.lattice.cell_area_nm2 / (4.0 * math.pi)))

    def level(self, index: int) -> tuple[PlaneWaves, dict[str, Block]]:
        """Plane waves and blocks (by irrep) of one level."""
        if index not in self._levels:
            waves = plane_waves(self.lattice, bloch=self.bloch, count=self.counts[index])
            self._levels[index] = (waves, {block.irrep.label: block for block in blocks(waves, self.group)})
        return self._levels[index]

    def problem_size(self, index: int, label: str) -> int:
        """Order of M of one symmetry class at one level."""
        return self.level(index)[1][label].size

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
    most = max(effort.max_waves or _MOST_WAVES, FEWEST_WAVES)
    counts = [min(first, most)]
    while _GROWTH * counts[-1] <= most:
        counts.append(round(_GROWTH * counts[-1]))
    return counts
