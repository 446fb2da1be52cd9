"""How far what was assumed moves what is predicted.

Each input with a ``plus_minus`` σ is moved by a small part of it, up and down, and the modes are found again; the
central difference, scaled to σ, is its contribution. Contributions add as squares: inputs count as independent
and their effect as linear. This error is separate from the numerical one, and from what the model leaves out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cavitydesign.errors import InputError, SolverError
from cavitydesign.geometry.base import SourcedNumber
from cavitydesign.geometry.design import Design
from cavitydesign.kinds import Array
from cavitydesign.solvers.ask import Progress, Solver, silent, solve
from cavitydesign.solvers.match import column_of, partners
from cavitydesign.solvers.poles import Poles
from cavitydesign.solvers.solution import Modes, Solution

STEP = 0.1
"""Part of ``plus_minus`` that is moved: large beside the solver's noise, small beside the distance of modes."""
WAVES = 49
"""Plane waves for derivatives of patterned stacks; λ is then 0.02 nm off, its derivatives about 0.1 %."""


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """What one input does to M modes when it moves by its ``plus_minus``; NaN where a mode was lost on the way.

    Attributes:
        wavelength_nm: change of λ.
        log_q, log_gain: changes of ln Q and of ln g_th (relative changes, for small ones).
    """

    source: SourcedNumber
    wavelength_nm: Array
    log_q: Array
    log_gain: Array

    @property
    def path(self) -> str:
        """Dotted path of the input."""
        return self.source.path


@dataclass(frozen=True, eq=False)
class Tolerances:
    """Sensitivities of one table of modes, and the inputs that could not be moved (with the reason)."""

    modes: Modes
    sensitivities: tuple[Sensitivity, ...]
    skipped: tuple[tuple[str, str], ...] = ()

    @property
    def wavelength_nm(self) -> Array:
        """One standard deviation of each λ from all inputs, nm."""
        return self._total("wavelength_nm")

    @property
    def log_q(self) -> Array:
        """The same for ln Q."""
        return self._total("log_q")

    @property
    def log_gain(self) -> Array:
        """The same for ln g_th."""
        return self._total("log_gain")

    def _total(self, name: str) -> Array:
        if not self.sensitivities:
            return np.full(len(self.modes), np.nan)
        rows = np.array([getattr(item, name) for item in self.sensitivities])
        known = np.isfinite(rows).any(axis=0)
        return np.where(known, np.sqrt(np.nansum(rows**2, axis=0)), np.nan)


def checked_paths(paths: Sequence[str]) -> tuple[str, ...]:
    """Several dotted paths, or an InputError."""
    if isinstance(paths, str) or not all(isinstance(path, str) for path in paths):
        raise InputError(
            'must be a list of dotted paths, such as ["lattice.period_nm"]', key="paths", value=paths
        )
    return tuple(paths)


def cavity_inputs(design: Design) -> tuple[SourcedNumber, ...]:
    """The inputs with a half-width that act on the cavity (those of emitter and pump are the gain coupler's).

    Mostly assumed ones; a published number may come with a half-width too (a duty cycle read from a picture).
    """
    return tuple(
        item
        for item in design.all_sources()
        if item.plus_minus and not item.path.startswith(("emitter.", "pump."))
    )


def propagate(
    design: Design,
    settings: Any,
    solution: Solution,
    *,
    progress: Progress = silent,
    **asked: Any,
) -> Tolerances:
    """Sensitivities of a solution's modes to the inputs of its design, see :func:`cavity_inputs`."""
    sources = cavity_inputs(design)
    asked = {**asked, "window_nm": solution.window_nm}
    coarse = few_waves(settings)
    base = solution.modes
    if coarse is not settings:
        base = base.with_columns(**_paired(base, solve(design, coarse, **asked).modes))
    found, skipped = [], []
    for index, source in enumerate(sources):
        progress(index, len(sources))
        try:
            found.append(_sensitivity(design, source, base, coarse, asked))
        except (InputError, SolverError) as error:
            skipped.append((source.path, str(error)))
    return Tolerances(solution.modes, tuple(found), tuple(skipped))


def few_waves(settings: Solver) -> Solver:
    """The settings at a fixed, small number of plane waves: a derivative needs fewer than the mode itself.

    Fixed, so that a difference is never one of truncations.
    """
    return (
        replace(settings, waves=WAVES) if isinstance(settings, Poles) and settings.waves is None else settings
    )


def moved_modes(tolerances: Tolerances, item: Sensitivity, sign: float) -> Modes:
    """The table with each mode moved by one input's ``plus_minus``, for what follows from modes (thresholds)."""
    modes = tolerances.modes
    shift, gain, q = (
        np.nan_to_num(values) * sign for values in (item.wavelength_nm, item.log_gain, item.log_q)
    )
    return modes.with_columns(
        wavelength_nm=modes["wavelength_nm"] + shift,
        threshold_gain_per_cm=modes["threshold_gain_per_cm"] * np.exp(gain),
        q=modes["q"] * np.exp(q),
    )


def _sensitivity(
    design: Design, source: SourcedNumber, base: Modes, settings: Solver, asked: dict[str, Any]
) -> Sensitivity:
    """By small steps; by whole ``plus_minus`` where only whole numbers are allowed (the pairs of a mirror)."""
    width = source.plus_minus or 0.0

    def sides(step: float) -> list[tuple[float, dict[str, Array]]]:
        designs = [(by, design.with_value(source.path, source.value + by * width)) for by in (step, -step)]
        return [(by, _paired(base, solve(moved, settings, **asked).modes)) for by, moved in designs]

    try:
        found = sides(STEP)
    except InputError:
        if source.value % 1.0 or width % 1.0:
            raise
        found = sides(1.0)

    def change(name: str, of: Callable[[Array, Array], Array]) -> Array:
        """Central differences where both sides have the mode, one-sided where one has, scaled to σ."""
        with np.errstate(divide="ignore", invalid="ignore"):
            parts = [of(values[name], base[name]) / by for by, values in found]
        return np.ma.masked_invalid(parts).mean(axis=0).filled(np.nan)

    return Sensitivity(
        source,
        change("wavelength_nm", np.subtract),
        *(change(name, lambda a, b: np.log(a / b)) for name in ("q", "threshold_gain_per_cm")),
    )


def _paired(base: Modes, other: Modes) -> dict[str, Array]:
    """The other table's numbers in the order of the base."""
    rows = partners(base, other)
    names = ("wavelength_nm", "q", "threshold_gain_per_cm")
    return {name: column_of(other, name, rows) for name in names}
