"""Fit what was assumed to measured peaks: calibrate on one device, predict the rest.

Regularised least squares. With ``u = (p - p₀)/σ`` the chosen inputs in units of their ``plus_minus``, minimise

    χ²(u) = Σ_peaks ((λ_mode(u) - λ_peak)/σ_peak)² + Σ u²

that is, the assumed values with their half-widths are a Gaussian prior (Tarantola, Inverse Problem Theory, SIAM 2005,
section 3.2), and the posterior covariance is ``(JᵀJ + 1)⁻¹``. Gauss-Newton; the Jacobian J by forward
differences of the solver. Which mode a peak belongs to is decided anew in every round, by trying each mode of
the first peak as the start and giving the other peaks their best one-to-one match; when another choice fits
nearly as well, the result says so.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cavitydesign.errors import InputError, SolverError, Status
from cavitydesign.geometry.base import SourcedNumber
from cavitydesign.geometry.design import Design
from cavitydesign.kinds import Array
from cavitydesign.solvers.ask import Progress, Solver, checked_design, silent, solve
from cavitydesign.solvers.match import column_of, partners
from cavitydesign.solvers.solution import Modes, Solution
from cavitydesign.study import tolerance
from cavitydesign.study.peaks import Peak, assign, checked_peaks, devices, holding, may_match

ROUNDS = 8
STEP = 0.05
"""Forward-difference step in units of ``plus_minus``."""
NEARLY = 4.0
"""Another assignment whose χ² is larger by less than this (two standard deviations) is named."""
FURTHEST = 4.0
"""No input moves by more than this many ``plus_minus`` in a fit: beyond, the prior was wrong and a person decides."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """One input before and after: assumed ``prior ± plus_minus``, fitted ``value ± error``."""

    path: str
    prior: float
    plus_minus: float
    value: float
    error: float

    @property
    def pull(self) -> float:
        """How far the fit moved it, in units of its ``plus_minus``."""
        return (self.value - self.prior) / self.plus_minus

    def record(self, note: str) -> SourcedNumber:
        """The number with its new source."""
        return SourcedNumber(
            path=self.path, value=self.value, source="fitted", plus_minus=self.error, note=note
        )


@dataclass(frozen=True, slots=True)
class Match:
    """One peak of the fit: measured wavelength, its error, the mode's before and after, and the kind of mode."""

    peak: Peak
    measured_nm: float
    error_nm: float
    before_nm: float
    after_nm: float
    symmetry: str
    polarization: str


@dataclass(frozen=True, eq=False)
class Calibration:
    """The calibrated design and how it came about. Nothing is fitted in silence: the design's sources say "fitted".

    ``solutions`` are those of the last round, one for each device.
    """

    design: Design
    fitted: tuple[Fitted, ...]
    matches: tuple[Match, ...]
    chi2: float
    chi2_before: float
    rounds: int
    converged: bool
    ambiguous: tuple[str, ...]
    correlation: Array
    solutions: tuple[Solution, ...] = ()


def fittable(design: Design) -> tuple[SourcedNumber, ...]:
    """The inputs that calibration moves unless told otherwise: assumed, with a half-width, and acting on the cavity."""
    return tuple(item for item in tolerance.cavity_inputs(design) if item.source == "assumed")


def calibrate(
    design: Design,
    peaks: Sequence[Peak],
    settings: Solver,
    *,
    paths: Sequence[str] = (),
    peak_error_nm: float = 1.0,
    note: str = "",
    progress: Progress = silent,
    **asked: Any,
) -> Calibration:
    """Fit assumed inputs to the peaks that have a wavelength.

    Args:
        paths: the inputs to fit; empty takes all of :func:`fittable`.
        peak_error_nm: standard deviation of a peak whose row gives none; it stands for what the model leaves
            out too.
        note: what the fitted numbers' source will say.
        progress: told how many solutions of this round are done.
        asked: window, wavevector, angle and device, as :func:`cavitydesign.solvers.ask.solve` takes them; without a
            window the design's, widened to hold every peak with 20 nm to spare.
    """
    chosen = _chosen(checked_design(design), paths)
    used = [peak for peak in checked_peaks(peaks) if peak.has_wavelength]
    if not used:
        raise InputError("has no peak with a wavelength to fit to", key="wavelength_nm")
    problem = _Problem(
        design,
        used,
        settings,
        chosen,
        {"window_nm": holding(design.window_nm, used, spare_nm=20.0), **asked},
        peak_error_nm,
        progress,
    )
    u = np.zeros(len(problem.inputs))
    first = state = problem.linearise(u)
    best, others = state.best(), ()
    before, rounds, converged = best, 0, False
    while rounds < ROUNDS and not converged:
        rounds += 1
        candidates = state.candidates()
        best, others = candidates[0], candidates[1:]
        last, u = u, np.clip(best.u, -FURTHEST, FURTHEST)
        state = problem.linearise(u)
        converged = bool(np.abs(u - last).max() < 5e-3)
    final = state.at(best.choice)
    if final is None:
        raise SolverError(
            "the modes that the peaks were given to were lost on the way", status=Status.INCOMPLETE
        )
    found = _result(problem, first, before, u, final, others, (rounds, converged), note)
    return replace(found, solutions=state.solutions)


def _chosen(design: Design, paths: Sequence[str]) -> tuple[SourcedNumber, ...]:
    known = {item.path: item for item in design.all_sources()}
    for path in tolerance.checked_paths(paths):
        design.value_at(path)
        if path not in known or not known[path].plus_minus:
            rule = "needs a plus_minus in the design file, which says how far it may be off"
            raise InputError(rule, key=path, value=design.value_at(path))
        if path.startswith(("emitter.", "pump.")):
            raise InputError("moves no mode, so peaks cannot calibrate it", key=path)
    chosen = tuple(known[path] for path in paths) if paths else fittable(design)
    if not chosen:
        raise InputError("the design has no assumed number with a plus_minus to fit", key="sources")
    if len(set(paths)) != len(paths):
        raise InputError("names an input twice", key="--fit", value=list(paths))
    return chosen


@dataclass(frozen=True, eq=False)
class _Choice:
    """An assignment of modes to peaks: (kind, row) per peak, its linear optimum u and χ² there."""

    choice: tuple[tuple[int, tuple[Any, ...]], ...]
    u: Array
    chi2: float
    wavelengths: Array
    jacobian: Array


@dataclass(frozen=True, eq=False)
class _Problem:
    design: Design
    peaks: list[Peak]
    settings: Solver
    inputs: tuple[SourcedNumber, ...]
    asked: dict[str, Any]
    peak_error_nm: float
    progress: Progress

    @property
    def sigma(self) -> Array:
        """Errors of the peaks, nm."""
        given = np.array([peak["wavelength_err_nm"] for peak in self.peaks])
        return np.where(np.isfinite(given), given, self.peak_error_nm)

    @property
    def measured_nm(self) -> Array:
        """Wavelengths of the peaks."""
        return np.array([peak.wavelength_nm for peak in self.peaks])

    @property
    def widths(self) -> Array:
        """The inputs' own σ."""
        return np.array([item.plus_minus or 0.0 for item in self.inputs])

    def design_at(self, u: Array, base: Design) -> Design:
        """A design with its inputs at p₀ + u σ."""
        by = zip(self.inputs, u * self.widths, strict=True)
        return base.with_values({item.path: item.value + change for item, change in by})

    def solved_at(self, u: Array, base: Design, settings: Solver) -> Solution:
        """The solution of that design."""
        return solve(self.design_at(u, base), settings, **self.asked)

    def linearise(self, u: Array) -> _State:
        """Modes of every device at u, and their derivatives."""
        tables, solutions = [], []
        variants = devices(self.design, self.peaks)
        total, done = len(variants) * (len(u) + 1), itertools.count(1)
        coarse = tolerance.few_waves(self.settings)
        for _, variant, rows in variants:
            solutions.append(self.solved_at(u, variant, self.settings))
            modes = solutions[-1].modes
            base = modes if coarse is self.settings else self.solved_at(u, variant, coarse).modes
            self.progress(next(done), total)
            start, slopes = _wavelengths_of(modes, base), []
            for step in STEP * np.eye(len(u)):
                moved = self.solved_at(u + step, variant, coarse).modes
                slopes.append((_wavelengths_of(modes, moved) - start) / STEP)
                self.progress(next(done), total)
            tables.append((modes, np.stack(slopes, axis=-1), rows))
        return _State(self, u, tables, tuple(solutions))


@dataclass(frozen=True, eq=False)
class _State:
    """The linearised problem at u."""

    problem: _Problem
    u: Array
    tables: list[tuple[Modes, Array, list[int]]]
    solutions: tuple[Solution, ...]

    def best(self) -> _Choice:
        """The assignment that fits best at u itself."""
        return min(self._all(), key=lambda c: self._chi2(c.wavelengths, self.u))

    def candidates(self) -> list[_Choice]:
        """Assignments by the χ² of their linear optimum, best first."""
        unique = {choice.choice: choice for choice in self._all()}
        return sorted(unique.values(), key=lambda choice: choice.chi2)

    def at(self, choice: tuple[tuple[int, tuple[Any, ...]], ...]) -> _Choice | None:
        """The same assignment at this u: the same kinds of modes, nearest to the peaks' wavelengths."""
        same = (found for found in self._all() if found.choice == choice)
        return min(same, key=lambda found: found.chi2, default=None)

    def _chi2(self, wavelengths: Array, u: Array) -> float:
        residual = (wavelengths - self.problem.measured_nm) / self.problem.sigma
        return float(residual @ residual + u @ u)

    def _all(self) -> list[_Choice]:
        modes, slopes, (peak, *_) = self.tables[0]
        measured_nm, sigma = self.problem.measured_nm[[peak]], self.problem.sigma[[peak]]
        found = []
        for start in np.flatnonzero(np.isfinite(slopes).all(axis=1)).tolist():
            one = [start]  # the linear optimum for one peak alone is where to look for the others' modes
            moved = self._optimum(slopes[one], modes["wavelength_nm"][one] - measured_nm, sigma)
            rows_of = self._assign(moved, (peak, start))
            if len(rows_of) == len(self.problem.peaks):
                found.append(self._solve(rows_of))
        if not found:
            raise SolverError(
                "not every peak has a mode of its own in the window; widen --window, or look at the symmetries that "
                "the peaks name",
                status=Status.NO_MODES,
            )
        return found

    def _assign(self, u: Array, start: tuple[int, int]) -> dict[int, tuple[int, int]]:
        """Modes for all peaks at u, one to one within a device; the start's choice is kept."""
        found: dict[int, tuple[int, int]] = {}
        for table, (modes, slopes, rows) in enumerate(self.tables):
            wavelengths = modes["wavelength_nm"] + np.nan_to_num(slopes) @ (u - self.u)
            peaks = [self.problem.peaks[row] for row in rows]
            allowed = may_match(peaks, list(modes)) & np.isfinite(slopes).all(axis=1)
            if table == 0:
                at = np.array(rows) == start[0], np.arange(len(modes)) == start[1]
                allowed &= at[0][:, None] == at[1]
            for row, mode in zip(rows, assign(peaks, wavelengths, allowed), strict=True):
                if mode is not None:
                    found[row] = (table, mode)
        return found

    def _solve(self, rows_of: dict[int, tuple[int, int]]) -> _Choice:
        pairs = [rows_of[row] for row in range(len(self.problem.peaks))]
        wavelengths = np.array([self.tables[table][0]["wavelength_nm"][mode] for table, mode in pairs])
        jacobian = np.array([self.tables[table][1][mode] for table, mode in pairs])
        u = self._optimum(jacobian, wavelengths - self.problem.measured_nm, self.problem.sigma)
        there = wavelengths + jacobian @ (u - self.u)
        kinds = tuple((table, self._kind(table, mode)) for table, mode in pairs)
        return _Choice(kinds, u, self._chi2(there, u), wavelengths, jacobian)

    def _kind(self, table: int, mode: int) -> tuple[Any, ...]:
        """Symmetry, polarization, and its place among its like from the longest wavelength."""
        modes = self.tables[table][0]
        kinds = [(item.symmetry, item.polarization) for item in modes]
        return (*kinds[mode], kinds[:mode].count(kinds[mode]))

    def _optimum(self, jacobian: Array, residual_nm: Array, sigma_nm: Array) -> Array:
        """argmin of |(residual + J (u - u_here))/σ|² + |u|²."""
        scaled = jacobian / sigma_nm[:, None]
        left = scaled.T @ scaled + np.eye(scaled.shape[1])
        return np.linalg.solve(left, scaled.T @ (scaled @ self.u - residual_nm / sigma_nm))


def _wavelengths_of(modes: Modes, others: Modes) -> Array:
    """Wavelengths of the same modes in another table; NaN where it lacks one."""
    return column_of(others, "wavelength_nm", partners(modes, others))


def _result(
    problem: _Problem,
    first: _State,
    before: _Choice,
    u: Array,
    final: _Choice,
    others: Sequence[_Choice],
    loop: tuple[int, bool],
    note: str,
) -> Calibration:
    scaled = final.jacobian / problem.sigma[:, None]
    covariance = np.linalg.inv(scaled.T @ scaled + np.eye(len(u)))
    error = np.sqrt(np.diag(covariance))
    columns = (column.tolist() for column in (problem.widths, u * problem.widths, error * problem.widths))
    fitted = tuple(
        Fitted(item.path, item.value, width, item.value + moved, err)
        for item, width, moved, err in zip(problem.inputs, *columns, strict=True)
    )
    said = note or f"calibrated to {len(problem.peaks)} measured peak(s)"
    design = problem.design_at(u, problem.design)
    design = design.replace(sources=(*design.sources, *(item.record(said) for item in fitted)))
    same = first.at(final.choice) or before
    matches = tuple(
        Match(peak, peak.wavelength_nm, float(s), float(b), float(a), *kind[:2])
        for peak, s, b, a, (_, kind) in zip(
            problem.peaks, problem.sigma, same.wavelengths, final.wavelengths, final.choice, strict=True
        )
    )
    state_chi2 = first._chi2(final.wavelengths, u)
    close = tuple(
        ", ".join(
            f"{symmetry or '?'} {polarization or '?'} at {peak.wavelength_nm:g} nm"
            for peak, (_, (symmetry, polarization, _)) in zip(problem.peaks, other.choice, strict=True)
        )
        for other in others
        if other.chi2 - state_chi2 < NEARLY
    )
    chi2_before = first._chi2(same.wavelengths, np.zeros(len(u)))
    correlation = covariance / np.outer(error, error)
    return Calibration(design, fitted, matches, state_chi2, chi2_before, *loop, close, correlation)


def is_pulled(item: Fitted) -> bool:
    """Whether the fit moved an input by more than twice its ``plus_minus``: then model or assumption is doubtful."""
    return abs(item.pull) > 2.0
