"""Modes + gain → the report of a laser: ranked lines with errors, published values beside them, what was assumed."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cavitydesign.files import html_table
from cavitydesign.gain import CavityContribution, InputErrors, Line, Lines, couple
from cavitydesign.gain.coupler import half_range
from cavitydesign.gain.model import GainModel, ModelOf, model_of
from cavitydesign.geometry.design import Design
from cavitydesign.geometry.emitter import Emitter, Pump
from cavitydesign.kinds import Array
from cavitydesign.solvers.ask import Progress, Solver, checked_design, silent, solve
from cavitydesign.solvers.poles import Poles
from cavitydesign.solvers.solution import Modes, Solution
from cavitydesign.study import tolerance
from cavitydesign.study.peaks import Peak, checked_peaks, holding
from cavitydesign.study.published import Fact, beside_published
from cavitydesign.study.tolerance import Tolerances


@dataclass(frozen=True, eq=False)
class Prediction:
    """What one design is predicted to do.

    ``defaults`` names the tables ([emitter], [pump]) that the design leaves out, so that their defaults stand in;
    ``tolerances`` is None where they were not asked for; ``lines`` then lack the errors that the cavity's inputs
    cause. ``published`` are published facts beside the prediction.
    """

    design: Design
    solution: Solution
    lines: Lines
    tolerances: Tolerances | None
    published: tuple[Fact, ...]
    defaults: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """``predict --json``."""
        emitter = self.design.emitter
        return {
            "design": {"name": self.design.name, "id": self.design.id},
            "solver": self.solution.solver,
            "window_nm": list(self.solution.window_nm),
            "status": self.solution.status.name.lower(),
            "advice": self.solution.status.value,
            "warnings": list(self.solution.warnings),
            "temperature_k": emitter.temperature_k if emitter else None,
            "lines": [line.record() for line in self.lines],
            "published": [fact.record() for fact in self.published],
            "assumed": [item.record() for item in self.design.assumed()],
            "fitted": [item.record() for item in self.design.fitted()],
            "defaults_for": list(self.defaults),
        }

    def _repr_html_(self) -> str:
        """The lines, what was published beside what is predicted, and the status, for notebooks."""
        rows = []
        for fact in self.published:
            published = "-".join(f"{value:g}" for value in np.atleast_1d(fact.published))
            error = f" ± {fact.predicted_err:.2g}" if fact.predicted_err else ""
            predicted = "-" if fact.predicted is None else f"{fact.predicted:.4g}{error}"
            rows.append((fact.quantity, published, predicted, fact.unit, fact.verdict))
        head = ("quantity", "published", "predicted", "unit", "verdict")
        tables = self.lines._repr_html_() + (html_table(head, rows) if rows else "")
        name, status = html.escape(self.design.name), html.escape(self.solution.status.value)
        return f"<p><b>{name}</b></p>{tables}<p>{status}.</p>"


def with_emitter(design: Design) -> tuple[Design, tuple[str, ...]]:
    """The design with default [emitter] and [pump] where it has none, and which of them these are."""
    made = {"emitter": Emitter, "pump": Pump}
    missing = tuple(name for name in made if getattr(checked_design(design), name) is None)
    return (design.replace(**{name: made[name]() for name in missing}) if missing else design), missing


def lasing_lines(
    design: Design, modes: Modes, *, model: ModelOf | GainModel = model_of, errors: bool = True
) -> Lines:
    """Lasing lines of a design's modes (see :func:`cavitydesign.gain.couple`)."""
    full, _ = with_emitter(design)
    assert full.emitter is not None
    assert full.pump is not None
    return couple(modes, full.emitter, full.pump, model=model, sources=full.all_sources(), errors=errors)


@dataclass(frozen=True, eq=False)
class ModeThresholds:
    """What the coupler says of the modes of one table, in the table's order."""

    transition: Array
    value: Array
    pairs_per_shell: Array
    lasing: Array
    dark: Array


def mode_thresholds(
    pairs: Sequence[tuple[Design, Modes]], *, model: ModelOf | GainModel = model_of
) -> list[ModeThresholds]:
    """Thresholds of many tables at once: modes under one emitter and pump are coupled together, which is quicker.

    ``model`` is as :func:`cavitydesign.gain.couple` takes it.
    """
    groups: dict[Any, list[int]] = {}
    full = [with_emitter(design)[0] for design, _ in pairs]
    for index, design in enumerate(full):
        groups.setdefault((design.emitter, design.pump), []).append(index)
    found: dict[int, ModeThresholds] = {}
    for rows in groups.values():
        tables = [pairs[row][1] for row in rows]
        joined = Modes(
            {name: np.concatenate([table[name] for table in tables]) for name in tables[0].columns}
        )
        lines = lasing_lines(full[rows[0]], joined, model=model, errors=False)
        back = np.argsort(lines.mode_index)
        columns = [lines.transition, lines.value, lines.pairs_per_shell, lines.lasing, lines.dark]
        edges = np.cumsum([len(table) for table in tables])[:-1]
        parts = zip(*(np.split(np.asarray(column)[back], edges) for column in columns), strict=True)
        found |= {row: ModeThresholds(*part) for row, part in zip(rows, parts, strict=True)}
    return [found[row] for row in range(len(pairs))]


def predict(
    design: Design,
    settings: Solver | None = None,
    *,
    peaks: Sequence[Peak] = (),
    model: ModelOf | GainModel = model_of,
    tolerances: bool = True,
    progress: Progress = silent,
    **asked: Any,
) -> Prediction:
    """Predict the lasing lines of a design.

    Args:
        settings: of the solver; None is ``Poles()``.
        peaks: published or measured values to set beside the prediction
            (:func:`cavitydesign.study.peaks.read_peaks`).
        model: makes the gain model of an emitter, or is one for any; see :mod:`cavitydesign.gain.model`.
        tolerances: whether to move each assumed input of the cavity by its ``plus_minus``.
        progress: called with inputs moved and in all.
    """
    settings, peaks = Poles() if settings is None else settings, checked_peaks(peaks)
    full, missing = with_emitter(design)
    solution = solve(full, settings, **asked)
    lines = lasing_lines(full, solution.modes, model=model)
    moved = None
    doubts: list[str] = []
    if tolerances and len(solution.modes):
        moved = tolerance.propagate(full, settings, solution, progress=progress, **asked)
        lines = replace(lines, input_errors=tuple(_input_errors(full, lines, moved, model)))

    def lines_of(variant: Design, of: Sequence[Peak]) -> Sequence[Line]:
        """Predicted lines of another device, in a window widened to hold its peaks."""
        window = holding(asked.get("window_nm") or variant.window_nm, of)
        found = solve(variant, settings, **{**asked, "window_nm": window})
        if not found.status.trustworthy:
            rows = ", ".join(str(peak.line) for peak in of)
            doubts.append(f"the device of the peaks in line {rows}: {found.status.value}")
        return tuple(lasing_lines(variant, found.modes, model=model))

    facts = beside_published(full, tuple(lines), peaks, lines_of)
    solution = replace(solution, warnings=(*solution.warnings, *doubts))
    return Prediction(full, solution, lines, moved, facts, missing)


def _threshold_spread(
    design: Design, moved: Tolerances, model: ModelOf | GainModel
) -> Iterator[tuple[Array, Array]]:
    """For each input of the cavity, moved by ±σ: half the change of each mode's threshold, and whether that ends it."""
    signs = (1.0, -1.0)
    tables = [tolerance.moved_modes(moved, item, sign) for item in moved.sensitivities for sign in signs]
    pairs = [(design, table) for table in (moved.modes, *tables)]
    base, *sides = (found.value for found in mode_thresholds(pairs, model=model))
    for up, down in zip(sides[0::2], sides[1::2], strict=True):
        yield half_range(base, [up, down]), np.isfinite(base) & ~(np.isfinite(up) & np.isfinite(down))


def _input_errors(
    design: Design, lines: Lines, moved: Tolerances, model: ModelOf | GainModel
) -> Iterator[InputErrors]:
    """What the cavity's inputs do to each line, in the order of the lines; errors add in squares."""
    spread = list(_threshold_spread(design, moved, model))
    for row, mode in enumerate(lines.mode_index.tolist()):
        lases = math.isfinite(lines.value[row])
        cavity = np.array([change[mode] for change, _ in spread])
        of_cavity = math.sqrt(float((cavity**2).sum())) if lases else math.nan
        emitter = float(np.nan_to_num(lines.value_err[row]))
        yield InputErrors(
            wavelength_nm=float(moved.wavelength_nm[mode]),
            q_relative=float(moved.log_q[mode]),
            threshold_gain_relative=float(moved.log_gain[mode]),
            threshold=math.hypot(of_cavity, emitter),
            threshold_of_cavity=of_cavity,
            contributions=tuple(
                CavityContribution(
                    item.path,
                    item.source.plus_minus or 0.0,
                    float(item.wavelength_nm[mode]),
                    float(item.log_q[mode]),
                    float(cavity[at]) if lases else math.nan,
                )
                for at, item in enumerate(moved.sensitivities)
            ),
            lost_if=tuple(
                item.path for item, (_, lost) in zip(moved.sensitivities, spread, strict=True) if lost[mode]
            ),
            not_propagated=tuple(path for path, _ in moved.skipped),
        )
