"""Following modes along a sweep: a predictor and one or two Newton steps instead of a new search, with proof at
the ends.

A mode keeps its identity by its symmetry class and by continuity: it may cross modes of other classes freely,
and meets those of its own only in avoided crossings. Between check points it is predicted (first by the exact
derivative of the pole, then by a parabola through its last three values) and polished. At each check point a
fresh search with its own proof of completeness says which modes there are: what has been followed there must be
the same set. Modes that the search finds and no chain has reached entered the window on the way; they are
followed back to where they came in. Check points lie so close that no mode can cross the whole window unseen
between two of them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cavitydesign import units
from cavitydesign.errors import InputError, Status
from cavitydesign.geometry.design import Design
from cavitydesign.geometry.stack import Stack
from cavitydesign.kinds import Array, Window
from cavitydesign.optics.media.numeric import NumericStack, resolve_stack
from cavitydesign.optics.patterned.admittance import BlockProblem
from cavitydesign.optics.patterned.derivative import pole_derivative
from cavitydesign.optics.patterned.fourier import centred, symmetry_group
from cavitydesign.optics.patterned.planewaves import blocks, plane_waves
from cavitydesign.optics.patterned.resonance import Resonance, polish
from cavitydesign.optics.patterned.symmetry import Group
from cavitydesign.solvers.ask import Ask
from cavitydesign.solvers.poles import Patterned, Poles
from cavitydesign.solvers.solution import Mode, Modes

_SAME = (
    2e-5  # relative distance in k0 below which two poles of one class are one; numerical errors are below it
)
_SETTLED = 3e-5  # relative step after which a followed pole is taken: what is left is about its square
_NUMBERS = ("wavelength_nm", "q", "confinement", "outward_share", "threshold_gain_per_cm")
_EDGE = 0.01  # relative; a chain ends once it is this far outside the window


@dataclass
class Chain:
    """One mode along the sweep: as a fresh search found it first, and its resonance at the points where it is known."""

    mode: Mode
    waves: int
    wavelength_err_nm: float
    points: dict[int, Resonance]

    @property
    def label(self) -> str:
        """Its symmetry class."""
        return self.mode.symmetry


@dataclass(frozen=True)
class Followed:
    """Modes along a sweep.

    Attributes:
        values: the swept parameter at each point, shape (P,).
        labels, degeneracies, polarizations: of each mode, shape (M,).
        wavelength_nm, q, confinement, threshold_gain_per_cm, outward_share: shape (M, P); NaN where a mode is
            outside the window.
        wavelength_err_nm: numerical error of each mode's λ, from the nearest check point.
        checks: the points at which a fresh search was made.
        proven: whether every fresh search was complete and agreed with what had been followed.
    """

    values: Array
    labels: tuple[str, ...]
    degeneracies: Array
    polarizations: tuple[str, ...]
    wavelength_nm: Array
    q: Array
    confinement: Array
    threshold_gain_per_cm: Array
    outward_share: Array
    wavelength_err_nm: Array
    checks: tuple[int, ...]
    proven: bool

    def modes_at(self, point: int) -> Modes:
        """The modes table at one point of the sweep."""
        there = np.flatnonzero(np.isfinite(self.wavelength_nm[:, point]))
        return Modes.from_columns(
            symmetry=[self.labels[i] for i in there],
            degeneracy=self.degeneracies[there],
            polarization=[self.polarizations[i] for i in there],
            wavelength_err_nm=self.wavelength_err_nm[there],
            **{name: getattr(self, name)[there, point] for name in _NUMBERS},
        )


def follow(
    make: Callable[[float], Design | Stack],
    values: Sequence[float],
    *,
    window_nm: Window,
    settings: Poles | None = None,
    bloch: tuple[float, float] = (0.0, 0.0),
) -> Followed:
    """Follow every mode in the window along a sweep of one parameter; ``make(value)`` gives the design.

    Raises InputError for a stack without pattern.
    """
    sweep = _Sweep(
        lambda value: Ask.of(make(value), window_nm=window_nm, bloch=bloch),
        np.asarray(values, dtype=float),
        settings or Poles(),
    )
    checks = sweep.check_points()
    chains: list[Chain] = []
    proven = True
    for number, check in enumerate(checks):
        fresh, complete = sweep.search(check)
        for chain in [c for c in chains if c.points and number and checks[number - 1] in c.points]:
            proven = sweep.extend(chain, checks[number - 1], check) and proven
        new, none_lost = _join(chains, fresh, check, sweep)
        if number:
            for chain in new:
                proven = sweep.extend(chain, check, checks[number - 1]) and proven
        chains += new
        proven = proven and complete and none_lost and sweep.distinct(chains)
    return sweep.table(chains, tuple(checks), proven)


def _join(chains: list[Chain], fresh: list[Mode], check: int, sweep: _Sweep) -> tuple[list[Chain], bool]:
    """What a fresh search finds at a check point and no chain has reached, and whether it finds all that has."""
    new, left = [], [chain for chain in chains if check in chain.points]
    for mode in fresh:
        live = _live(mode)
        chain = next(
            (c for c in left if c.label == mode.symmetry and sweep.same(c.points[check], mode)), None
        )
        if chain is None:
            new.append(Chain(mode, live.waves, mode.wavelength_err_nm, {check: live.resonance}))
            continue
        left.remove(chain)
        chain.waves = max(chain.waves, live.waves)
        chain.wavelength_err_nm = max(chain.wavelength_err_nm, mode.wavelength_err_nm)
    return new, not any(sweep.inside(chain.points[check].k0) for chain in left)


class _Sweep:
    """The problems along a sweep, made when first needed."""

    def __init__(self, ask: Callable[[float], Ask], values: Array, settings: Poles):
        if len(values) < 2 or not (np.all(np.diff(values) > 0.0) or np.all(np.diff(values) < 0.0)):
            rule = "a sweep needs two or more values in rising or falling order"
            raise InputError(rule, key="values", value=len(values))
        self.ask, self.values, first = ask, values, ask(float(values[0]))
        self.window_nm, self.bloch = first.window_nm, first.bloch
        self._stacks: dict[float, NumericStack] = {}
        if self.stack(values[0]).is_uniform:
            rule = "only modes of patterned stacks are followed; sweep a uniform one point by point"
            raise InputError(rule, key="design")
        three = (self.stack(values[at]) for at in (0, len(values) // 2, -1))
        groups = [symmetry_group(stack, bloch=self.bloch) for stack in three]
        self.group: Group = min(groups, key=lambda group: len(group.operations))
        self.settings = replace(settings, group=self.group)

    def stack(self, value: float) -> NumericStack:
        """The numeric stack at one value of the parameter."""
        value = float(value)
        if value not in self._stacks:
            self._stacks[value] = centred(resolve_stack(self.ask(value).stack, window_nm=self.window_nm))
        return self._stacks[value]

    def problem(self, value: float, chain: Chain) -> BlockProblem:
        """The block problem of a chain's class at one value."""
        stack = self.stack(value)
        waves = plane_waves(stack.lattice, bloch=self.bloch, count=chain.waves)
        block = next(b for b in blocks(waves, self.group) if b.irrep.label == chain.label)
        interface = list(chain.points.values())[-1].strongest_interface(by=1.0)
        return BlockProblem(stack, waves, block, interface=interface)

    def search(self, point: int) -> tuple[list[Mode], bool]:
        """A fresh search at one point: its modes, and whether it is complete."""
        found = self.settings.run(self.ask(float(self.values[point])))
        return list(found.modes), found.status is not Status.INCOMPLETE

    def inside(self, k0: complex, *, margin: float = 0.0) -> bool:
        """Whether a pole's wavelength lies in the window, widened by a relative margin."""
        low, high = self.window_nm
        return low * (1.0 - margin) <= units.wavelength_nm_of(k0) <= high * (1.0 + margin)

    def same(self, resonance: Resonance, mode: Mode) -> bool:
        """Whether a followed pole and a freshly found one are one: equal within their error bars."""
        slack = max(_SAME, 3.0 * mode.wavelength_err_nm / mode.wavelength_nm + mode.loss_err)
        return abs(resonance.k0 - mode.k0_per_nm) < slack * abs(mode.k0_per_nm)

    def check_points(self) -> list[int]:
        """Ends, and points between them so that no mode crosses half the window from one to the next.

        The fastest a wavelength can follow a parameter is bounded by that of the modes at the first point, doubled.
        """
        middle = len(self.values) // 2
        found, _ = self.search(middle)
        rates = [abs(self.slope(_live(m).resonance, middle, 1)) for m in found] or [0.0]
        fastest = 2.0 * max(rates) / min(abs(m.k0_per_nm) for m in found) if found else 0.0
        width = (self.window_nm[1] - self.window_nm[0]) / self.window_nm[1]
        span = abs(self.values[-1] - self.values[0])
        pieces = max(1, math.ceil(fastest * span / width))
        return sorted({round(i * (len(self.values) - 1) / pieces) for i in range(pieces + 1)})

    def slope(self, resonance: Resonance, point: int, direction: int) -> complex:
        """dk0/dp at one point, by the fields."""
        value = float(self.values[point])
        beside = float(self.values[min(max(point + direction, 0), len(self.values) - 1)])
        step = 1e-3 * abs(beside - value) or 1e-6
        return pole_derivative(resonance, self.stack(value - step), self.stack(value + step), step=step)

    def extend(self, chain: Chain, start: int, stop: int) -> bool:
        """Follow a chain from one check point towards another, until it arrives or leaves the window.

        False where it was lost inside the window instead.
        """
        step = 1 if stop > start else -1
        trail: list[tuple[float, complex]] = [(float(self.values[start]), chain.points[start].k0)]
        rate = self.slope(chain.points[start], start, step)
        for point in range(start + step, stop + step, step):
            target = float(self.values[point])
            guess = _predict(trail, target, rate)
            found = self._arrive(chain, trail, target, guess)
            if found is None:
                # the last step may have led out; what is nearer to the middle than that was lost
                return not all(self.inside(k0, margin=-_EDGE) for k0 in (trail[-1][1], guess))
            if not self.inside(found.k0, margin=_EDGE):
                return True
            chain.points[point] = found
            trail = [*trail[-2:], (target, found.k0)]
        return True

    def _arrive(
        self, chain: Chain, trail: list[tuple[float, complex]], target: float, guess: complex
    ) -> Resonance | None:
        """Polish at the target; where that jumps, go there in smaller steps."""
        reach = 0.3 * abs(guess - trail[-1][1]) + 2e-3 * abs(guess)
        found = polish(self.problem(target, chain), guess, reach=reach, accept=_SETTLED)
        for pieces in (4, 16):
            if found is None:
                found = self._in_steps(chain, trail[-1], target, pieces)
        return found

    def _in_steps(
        self, chain: Chain, start: tuple[float, complex], target: float, pieces: int
    ) -> Resonance | None:
        """Reach the target in small steps, each predicted by the two before it."""
        trail, found = [start], None
        for piece in range(1, pieces + 1):
            value = start[0] + piece / pieces * (target - start[0])
            guess = _predict(trail, value, 0.0)
            found = polish(self.problem(value, chain), guess, reach=5e-3 * abs(guess), accept=_SETTLED)
            if found is None:
                return None
            trail = [*trail[-1:], (value, found.k0)]
        return found

    def distinct(self, chains: list[Chain]) -> bool:
        """Whether no two chains of one class have run into each other anywhere."""
        return not any(
            abs(one.points[point].k0 - other.points[point].k0) < 1e-9 * abs(one.points[point].k0)
            for one, other in itertools.combinations(chains, 2)
            if one.label == other.label
            for point in one.points.keys() & other.points.keys()
        )

    def table(self, chains: list[Chain], checks: tuple[int, ...], proven: bool) -> Followed:
        """The chains as arrays."""
        chains = [c for c in chains if any(self.inside(r.k0) for r in c.points.values())]
        numbers = np.full((len(_NUMBERS), len(chains), len(self.values)), np.nan)
        for i, chain in enumerate(chains):
            for point, resonance in chain.points.items():
                if not self.inside(resonance.k0):
                    continue
                k0, lossless = resonance.k0, resonance.is_lossless
                wavelength = units.wavelength_nm_of(k0)
                q = math.inf if lossless else units.quality_factor(k0)
                kappa = 0.0 if lossless and resonance.film_slopes else resonance.threshold_kappa()
                gain = units.gain_per_cm_from_kappa(kappa, wavelength)
                numbers[:, i, point] = wavelength, q, resonance.confinement(), resonance.outward_share(), gain
        return Followed(
            values=self.values,
            labels=tuple(c.label for c in chains),
            degeneracies=np.array([c.mode.degeneracy for c in chains], dtype=int),
            polarizations=tuple(c.mode.polarization for c in chains),
            wavelength_err_nm=np.array([c.wavelength_err_nm for c in chains], dtype=float),
            checks=checks,
            proven=proven,
            **dict(zip(_NUMBERS, numbers, strict=True)),
        )


def _live(mode: Mode) -> Patterned:
    assert isinstance(mode.live, Patterned)  # the pole solver's modes of a patterned stack are
    return mode.live


def _predict(trail: list[tuple[float, complex]], target: float, rate: complex) -> complex:
    """Lagrange extrapolation through up to three points; the first step goes by the derivative."""
    if len(trail) == 1:
        return trail[0][1] + rate * (target - trail[0][0])
    total = 0.0 + 0.0j
    for i, (x, y) in enumerate(trail):
        weight = math.prod((target - other) / (x - other) for j, (other, _) in enumerate(trail) if j != i)
        total += weight * y
    return total
