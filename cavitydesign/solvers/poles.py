"""Every resonance of a multilayer in a wavelength window, rigorously.

A resonance is a pole of the stack's response: a complex k0 where the admittances above and below an interface cancel,
``M(k0) v = 0`` (:mod:`cavitydesign.optics.patterned.admittance`). For each symmetry class of the cell:

1. *find*: the response is sampled on a curve around each part of the window between Rayleigh thresholds; a rational
   interpolant gives all poles at once (:mod:`cavitydesign.optics.patterned.search`);
2. *polish*: the two-sided Rayleigh iteration brings each pole to rounding
   (:mod:`cavitydesign.optics.patterned.resonance`);
3. *prove*: the contour moments of the response without the poles found must vanish
   (:mod:`cavitydesign.optics.patterned.completeness`);
4. *refine*: more plane waves, same pole, until λ and Q stay put; the last changes are the error bars;
5. *differentiate*: the fields give the exact first derivative of the pole by anything, hence confinement and
threshold.

A stack without inclusions is the same problem with one plane wave; its poles are the zeros of a scalar function
(:mod:`cavitydesign.optics.uniform.resonator`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cavitydesign import units
from cavitydesign.errors import InputError, Status
from cavitydesign.geometry.stack import Stack
from cavitydesign.kinds import Window
from cavitydesign.optics.media.numeric import NumericStack, resolve_stack
from cavitydesign.optics.patterned.admittance import BlockProblem
from cavitydesign.optics.patterned.completeness import regions, search
from cavitydesign.optics.patterned.fourier import centred, symmetry_group
from cavitydesign.optics.patterned.planewaves import Block, PlaneWaves, blocks, plane_waves
from cavitydesign.optics.patterned.resonance import Resonance, polish
from cavitydesign.optics.patterned.symmetry import Group
from cavitydesign.solvers.base import Modes, Poles, Solution

VERSION = 1
"""Raised whenever the numbers of this solver change; stored results of older versions are then not reused."""

_MARGIN = 0.04  # how far beyond the window the first search looks (relative); halved from level to level
_FIRST = 25  # plane waves of the first search
_FRESH = 4e-3  # a pole that moved by more than this (relative) from level to level is searched for anew, not followed
_SETTLED = (
    3e-5  # relative step after which a followed pole is taken: what is left of it is about the square, 1e-9
)


def run(stack: Stack, settings: Poles, *, window_nm: Window, subject: Any = None) -> Solution:
    """All resonances of a stack in the window; see :func:`cavitydesign.solvers.base.solve`."""
    del subject
    numeric = resolve_stack(stack, window_nm=window_nm)
    provenance = {"solver_version": VERSION, "index_fit_errors": numeric.fit_errors}
    if numeric.is_uniform:
        return _run_uniform(numeric, settings, window_nm, provenance)
    if settings.angle_deg:
        raise InputError(
            "an angle of incidence is for stacks without lattice; give the Bloch wavevector instead",
            key="angle_deg", value=settings.angle_deg,
        )  # fmt: skip
    found = resonances(numeric, settings, window_nm=window_nm)
    modes = [mode for mode in found.modes if _wanted(mode, settings, window_nm)]
    table = Modes.from_columns(**_columns(modes, settings)) if modes else Modes.empty()
    if not found.complete:
        status = Status.INCOMPLETE
    elif not modes:
        status = Status.NO_MODES
    else:
        status = Status.OK if all(_converged(mode, settings) for mode in modes) else Status.UNCONVERGED
    ranked = sorted(modes, key=lambda mode: -mode.wavelength_nm)
    provenance |= {"absorption": [_absorption(mode.resonance) for mode in ranked]}
    provenance |= {
        "waves": max((m.waves for m in modes), default=found.waves),
        "group": found.group,
        "remainder": found.remainder,
    }
    return Solution(table, status, provenance)


@dataclass(frozen=True)
class Mode:
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
        """1/Q; exactly 0 for a mode that cannot lose energy."""
        k0 = self.resonance.k0
        return 0.0 if self.resonance.is_lossless else -2.0 * k0.imag / k0.real

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

    modes: tuple[Mode, ...]
    group: str
    complete: bool
    remainder: float
    waves: int


def resonances(
    numeric: NumericStack, settings: Poles, *, window_nm: Window, group: Group | None = None
) -> Found:
    """All modes of a patterned stack, with fields and error bars, unsorted and not yet cut to the window.

    ``group`` overrides the symmetry that is found, by one of its subgroups.
    """
    stack = centred(numeric)
    group = group or symmetry_group(stack, bloch=settings.bloch)
    ladder = Ladder(stack, group, settings)
    modes: list[Mode] = []
    complete, remainder = True, 0.0
    for label in ladder.labels():
        found, proven, rest = _climb(ladder, label, settings, window_nm)
        modes += found
        complete, remainder = complete and proven, max(remainder, rest)
    return Found(tuple(modes), group.name, complete, remainder, ladder.counts[-1])


class Ladder:
    """The problems of a stack at growing numbers of plane waves, made when first asked for."""

    def __init__(self, stack: NumericStack, group: Group, settings: Poles):
        self.stack, self.group, self.bloch, self.lattice = stack, group, settings.bloch, stack.lattice
        self.counts = _wave_counts(settings)
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


def _wave_counts(settings: Poles) -> list[int]:
    """Numbers of plane waves, each about twice the last. With ``waves`` given: half of it, then it."""
    if settings.waves is not None:
        return [max(settings.waves // 2, 9), settings.waves]
    counts = [_FIRST]
    while 2 * counts[-1] <= settings.max_waves:
        counts.append(2 * counts[-1] - 1)
    return counts


def _climb(ladder: Ladder, label: str, settings: Poles, window_nm: Window) -> tuple[list[Mode], bool, float]:
    """Modes of one symmetry class: search low on the ladder, then follow each up until its error bars are met."""
    waiting: list[Resonance] | None = None  # None: a fresh search is due
    done: list[Mode] = []
    complete, remainder = True, 0.0
    for index in range(len(ladder.counts)):
        problem = ladder.problem(index, label)
        count = len(ladder.level(index)[0])
        last = index == len(ladder.counts) - 1
        if waiting is None:
            waiting, complete, remainder = _search_all(problem, settings, window_nm, level=index)
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
            waiting, complete, remainder = _search_all(problem, settings, window_nm, level=index)
            if last:
                return [_mode(item, item, problem, count) for item in waiting], complete, remainder
            continue
        steps = [(old, new) for old, new in zip(waiting, followed, strict=True) if new is not None]
        modes = [_mode(old, new, problem, count) for old, new in steps]
        done += [mode for mode in modes if _converged(mode, settings) or last or settings.waves is not None]
        waiting = [
            m.resonance
            for m in modes
            if not (_converged(m, settings) or last or settings.waves is not None)
            and _may_enter(m, window_nm)
        ]
        if not waiting:
            break
    return done, complete, remainder


def _search_all(
    problem: BlockProblem, settings: Poles, window_nm: Window, *, level: int
) -> tuple[list[Resonance], bool, float]:
    """A fresh search in every region of the window, widened a little for what more plane waves will move into it."""
    margin = max(_FRESH, _MARGIN / 2**level)
    wide = (window_nm[0] * (1.0 - margin), window_nm[1] * (1.0 + margin))
    amplifying = bool(
        (problem.stack.index(units.k0_per_nm(np.linspace(*window_nm, 5)) + 0j).imag < 0.0).any()
    )
    found: list[Resonance] = []
    complete, remainder = True, 0.0
    parts = regions(problem, wide, q_min=settings.q_min, amplifying=amplifying)
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


def _mode(old: Resonance, new: Resonance, problem: BlockProblem, waves: int) -> Mode:
    irrep = problem.block.irrep
    same = old is new
    error = math.nan if same else abs(units.wavelength_nm_of(old.k0) - units.wavelength_nm_of(new.k0))
    loss_error = math.nan if same else abs(2.0 * old.k0.imag / old.k0.real - 2.0 * new.k0.imag / new.k0.real)
    return Mode(new, irrep.degeneracy, irrep.label, waves, error, loss_error)


def _may_enter(mode: Mode, window_nm: Window) -> bool:
    """Whether a mode is in the window, or so near that what more plane waves will do may still bring it there."""
    outside = max(window_nm[0] - mode.wavelength_nm, mode.wavelength_nm - window_nm[1])
    return outside < 3.0 * mode.wavelength_err_nm + 1e-4 * mode.wavelength_nm


def _converged(mode: Mode, settings: Poles) -> bool:
    """Whether the error bars meet the tolerance; 1/Q need not be known better than to 10⁻⁸."""
    return mode.wavelength_err_nm <= settings.tolerance_nm and mode.loss_err <= max(
        settings.q_tolerance * abs(mode.loss), 1e-8
    )


def _wanted(mode: Mode, settings: Poles, window_nm: Window) -> bool:
    return window_nm[0] <= mode.wavelength_nm <= window_nm[1] and (mode.q >= settings.q_min or mode.q < 0.0)


# -- the table -----------------------------------------------------------------------------------------------------


def _columns(modes: list[Mode], settings: Poles) -> dict[str, list[Any]]:
    rows = [_row(mode, settings) for mode in modes]
    return {name: [row[name] for row in rows] for name in rows[0]}


def _row(mode: Mode, settings: Poles) -> dict[str, Any]:
    resonance = _sharp(mode.resonance)
    mode = replace(mode, resonance=resonance)
    k0 = complex(resonance.k0.real, 0.0) if resonance.is_lossless else resonance.k0
    up, down, absorbed = (0.0, 0.0, 0.0) if resonance.is_lossless else resonance.losses()
    if resonance.is_lossless:
        kappa = 0.0 if any(resonance.problem.stack.gain) else math.nan
    else:
        kappa = exact_threshold_kappa(resonance) if settings.exact_threshold else resonance.threshold_kappa()
    return {
        "wavelength_nm": mode.wavelength_nm,
        "q": mode.q,
        "symmetry": mode.symmetry,
        "degeneracy": mode.degeneracy,
        "polarization": resonance.polarization,
        "confinement": resonance.confinement(),
        "threshold_gain_per_cm": units.gain_per_cm_from_kappa(kappa, mode.wavelength_nm),
        "wavelength_err_nm": mode.wavelength_err_nm,
        "q_err": mode.q_err,
        "q_up": _inverse(up),
        "q_down": _inverse(down),
        "q_absorbed": _inverse(absorbed),
        "k0_per_nm": k0,
    }


def _sharp(resonance: Resonance) -> Resonance:
    """The resonance with its fields taken at the pole itself: those of a followed one lag a step behind, and powers
    (unlike the pole) feel that to first order."""
    if resonance.is_lossless or resonance.residual < 1e-7:
        return resonance
    return polish(resonance.problem, resonance.k0, accept=1e-7) or resonance


def _absorption(resonance: Resonance) -> dict[str, float]:
    """``1/Q`` by absorption for each material that absorbs in the finite layers, by what the material is."""
    found: dict[str, float] = {}
    for number, loss in resonance.absorption().items():
        name = resonance.problem.stack.materials[number].source
        found[name] = found.get(name, 0.0) + loss
    return found


def _inverse(loss: float) -> float:
    return 1.0 / loss if loss else math.inf


def exact_threshold_kappa(resonance: Resonance, *, tolerance: float = 1e-9) -> float:
    """The exact linear threshold: the κ of the film's index ``n - iκ`` that puts the pole on the real axis.

    Newton in κ with the exact slope Im dk0/dκ, the pole polished at each step. NaN where there is no film, or
    where the gain cannot reach the loss.
    """
    kappa, current = 0.0, resonance
    for _ in range(20):
        step = current.threshold_kappa()
        if not math.isfinite(step):
            return math.nan
        kappa += step
        if abs(step) <= tolerance * max(abs(kappa), 1e-12):
            return kappa
        problem = resonance.problem.with_stack(resonance.problem.stack.with_gain_kappa(kappa))
        moved = polish(problem, complex(current.k0.real, 0.0) if current is resonance else current.k0)
        if moved is None:
            return math.nan
        current = moved
    return math.nan


def _run_uniform(
    numeric: NumericStack, settings: Poles, window_nm: Window, provenance: dict[str, Any]
) -> Solution:
    """One plane wave: the zeros of a scalar function, counted by its winding number."""
    from cavitydesign.optics.uniform.resonator import exact_threshold, resonance_columns, uniform_resonances

    angle, bloch = settings.angle_deg, settings.bloch
    found = uniform_resonances(
        numeric, window_nm=window_nm, q_min=settings.q_min, angle_deg=angle, bloch=bloch
    )
    if not found:
        return Solution(Modes.empty(), Status.NO_MODES, provenance)
    columns = resonance_columns(found)
    if settings.exact_threshold and any(numeric.gain):
        exact = [exact_threshold(numeric, mode, angle_deg=angle, bloch=bloch)[1] for mode in found]
        columns["threshold_gain_per_cm"] = exact
    status = Status.OK if all(mode.complete for mode in found) else Status.INCOMPLETE
    return Solution(Modes.from_columns(**columns), status, provenance)
