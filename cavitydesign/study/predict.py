"""Modes + gain → the report of a laser: ranked lines with errors, published values beside them, what was assumed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cavitydesign.gain import LasingLines, couple
from cavitydesign.geometry.design import Design
from cavitydesign.geometry.emitter import Emitter, Pump
from cavitydesign.kinds import Array, Window
from cavitydesign.solvers.ask import Progress, Solver, silent, solve
from cavitydesign.solvers.poles import Poles
from cavitydesign.solvers.solution import Modes, Solution
from cavitydesign.study import tolerance
from cavitydesign.study.peaks import Peak
from cavitydesign.study.tolerance import Tolerances

_MICROJOULE = {"uJ/cm2": 1.0, "mJ/cm2": 1e3}


@dataclass(frozen=True, eq=False)
class Prediction:
    """What one design is predicted to do.

    ``defaults`` names the tables ([emitter], [pump]) that the design leaves out, so that their defaults stand in;
    ``tolerances`` is None where they were not asked for. ``records`` are the lines as ``predict --json`` gives
    them, with the errors that the cavity's inputs cause; ``published`` are rows of published beside predicted.
    """

    design: Design
    solution: Solution
    lines: LasingLines
    tolerances: Tolerances | None
    records: tuple[dict[str, Any], ...]
    published: tuple[dict[str, Any], ...]
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
            "lines": list(self.records),
            "published": list(self.published),
            "assumed": [
                {
                    "input": s.path,
                    "value": s.value,
                    "source": s.source,
                    "plus_minus": s.plus_minus,
                    "note": s.note,
                }
                for s in self.design.assumed()
            ],
            "fitted": [
                {
                    "input": s.path,
                    "value": s.value,
                    "source": s.source,
                    "plus_minus": s.plus_minus,
                    "note": s.note,
                }
                for s in self.design.all_sources()
                if s.source == "fitted"
            ],
            "defaults_for": list(self.defaults),
        }


def with_emitter(design: Design) -> tuple[Design, tuple[str, ...]]:
    """The design with default [emitter] and [pump] where it has none, and which of them these are."""
    missing = tuple(name for name in ("emitter", "pump") if getattr(design, name) is None)
    made = {"emitter": Emitter, "pump": Pump}
    return (design.replace(**{name: made[name]() for name in missing}) if missing else design), missing


def lasing_lines(design: Design, modes: Modes, *, errors: bool = True) -> LasingLines:
    """Lasing lines of a design's modes (see :func:`cavitydesign.gain.couple`)."""
    full, _ = with_emitter(design)
    assert full.emitter is not None
    assert full.pump is not None
    return couple(modes, full.emitter, full.pump, sources=full.all_sources(), errors=errors)


@dataclass(frozen=True, eq=False)
class ModeThresholds:
    """What the coupler says of the modes of one table, in the table's order."""

    transition: Array
    value: Array
    pairs_per_shell: Array
    lasing: Array
    dark: Array


def mode_thresholds(pairs: Sequence[tuple[Design, Modes]]) -> list[ModeThresholds]:
    """Thresholds of many tables at once: modes under one emitter and pump are coupled together, which is quicker."""
    groups: dict[Any, list[int]] = {}
    full = [with_emitter(design)[0] for design, _ in pairs]
    for index, design in enumerate(full):
        groups.setdefault((design.emitter, design.pump), []).append(index)
    found: list[ModeThresholds | None] = [None] * len(pairs)
    for rows in groups.values():
        tables = [pairs[row][1] for row in rows]
        joined = Modes(
            {name: np.concatenate([table[name] for table in tables]) for name in tables[0].columns}
        )
        lines = lasing_lines(full[rows[0]], joined, errors=False)
        back = np.argsort(lines.mode_index)
        columns = [lines.transition, lines.value, lines.pairs_per_shell, lines.lasing, lines.dark]
        edges = np.cumsum([len(table) for table in tables])[:-1]
        parts = zip(*(np.split(np.asarray(column)[back], edges) for column in columns), strict=True)
        for row, part in zip(rows, parts, strict=True):
            found[row] = ModeThresholds(*part)
    return [item for item in found if item is not None]


def predict(
    design: Design,
    settings: Solver | None = None,
    *,
    peaks: Sequence[Peak] = (),
    tolerances: bool = True,
    progress: Progress = silent,
    **asked: Any,
) -> Prediction:
    """Predict the lasing lines of a design.

    Args:
        settings: of the solver; None is ``Poles()``.
        peaks: published or measured values to set beside the prediction
            (:func:`cavitydesign.study.peaks.read_peaks`).
        tolerances: whether to move each assumed input of the cavity by its ``plus_minus``.
        progress: called with inputs moved and in all.
    """
    settings = Poles() if settings is None else settings
    full, missing = with_emitter(design)
    solution = solve(full, settings, **asked)
    lines = lasing_lines(full, solution.modes)
    moved = (
        tolerance.propagate(full, settings, solution, progress=progress, **asked)
        if tolerances and len(solution.modes)
        else None
    )
    records = tuple(_with_errors(full, lines, moved))
    rows = (
        beside_published(full, records, peaks, settings, window_nm=solution.window_nm)
        if peaks
        else ()
    )
    return Prediction(full, solution, lines, moved, records, tuple(rows), missing)


def beside_published(
    design: Design,
    records: Sequence[Mapping[str, Any]],
    peaks: Sequence[Peak],
    settings: Any,
    *,
    window_nm: Window,
) -> list[dict[str, Any]]:
    """One row per published number: quantity, published, predicted, difference, unit, device, and words where needed.

    ``records`` are the predicted lines of the design itself. Other devices are solved here, in a window
    widened to hold their peaks. A peak of an unstated device stands beside the design as it is, without a difference.
    """
    rows: list[tuple[int, dict[str, Any]]] = []
    for device, variant, indices in measured.devices(design, peaks):
        here = [peaks[index] for index in indices]
        if variant.id == design.id:
            lines: Sequence[Mapping[str, Any]] = records
        else:
            found = solve(variant, settings, window_nm=holding(window_nm, here))
            lines = lasing_lines(variant, found.modes).records()
        for index, peak, line in zip(indices, here, _assigned(here, lines), strict=True):
            rows += [(index, row) for row in _rows_of(peak, device, line, lines)]
    return [row for _, row in sorted(rows, key=lambda pair: pair[0])]


def holding(window_nm: Window, peaks: Sequence[Peak], *, spare_nm: float = 30.0) -> Window:
    """The window, widened to hold the peaks with something to spare."""
    wavelengths = [peak.wavelength_nm for peak in peaks if peak.has_wavelength]
    low, high = window_nm
    return min([low, *(w - spare_nm for w in wavelengths)]), max([high, *(w + spare_nm for w in wavelengths)])


def first_line(lines: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The line of lowest threshold (the coupler ranks), or None where nothing lases."""
    return next((line for line in lines if line["threshold"]["value"] is not None), None)


def _assigned(
    peaks: Sequence[Peak], lines: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any] | None]:
    """The nearest line of each peak, one to one; lines that cannot lase stand back where there are others."""
    lines = [line for line in lines if line["threshold"]["value"] is not None] or list(lines)
    having = [row for row, peak in enumerate(peaks) if peak.has_wavelength and not peak.unstated]
    found: list[Mapping[str, Any] | None] = [first_line(lines) if peak.unstated else None for peak in peaks]
    at = measured.assign(
        [peaks[row].wavelength_nm for row in having], [line["wavelength_nm"] for line in lines]
    )
    for row, line in zip(having, at, strict=True):
        found[row] = None if line is None else lines[line]
    return found


def _rows_of(
    peak: Peak,
    device: Mapping[str, float],
    line: Mapping[str, Any] | None,
    lines: Sequence[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    about = {
        "device": dict(device),
        "device_is": peak.texts.get("period_is"),
        "unstated": list(peak.unstated),
        "source": peak.texts.get("source"),
    }
    label = f" ({peak.texts['transition']})" if "transition" in peak.texts else ""
    first = first_line(lines)
    rows = []

    def add(
        quantity: str,
        published: Any,
        predicted: Any,
        unit: str,
        note: str = "",
        line: Mapping[str, Any] | None = line,
    ) -> None:
        both = isinstance(published, float) and isinstance(predicted, float) and not peak.unstated
        difference = predicted - published if both else None
        error = _error_of(quantity, line)
        rows.append(
            {
                "quantity": quantity,
                "published": published,
                "predicted": predicted,
                "predicted_err": error,
                "difference": difference,
                "unit": unit,
                "note": note,
                **about,
            }
        )

    if peak.has_wavelength:
        note = "nearest predicted line" if line is not None else "no predicted line in the window"
        if peak.unstated:
            note = f"{', '.join(map(_spoken, peak.unstated))} not stated; predicted: the design's lowest threshold"
        elif (
            line is not None
            and line["transition"]
            and peak.texts.get("transition") not in (None, line["transition"])
        ):
            note += f"; the model names its transition {line['transition']}"
        if line is not None and line["threshold"]["value"] is None:
            note += "; the gain model gives it no threshold"
        add(f"line{label}", peak.wavelength_nm, line["wavelength_nm"] if line else None, "nm", note)
    if math.isfinite(peak["wavelength_from_nm"]):
        span = [peak["wavelength_from_nm"], peak["wavelength_to_nm"]]
        lowest = first_line(
            [item for item in lines if peak.texts.get("transition") in (None, item["transition"])]
        )
        at = lowest["wavelength_nm"] if lowest else None
        inside = at is not None and span[0] <= at <= span[1]
        note = (
            "no such line lases"
            if at is None
            else f"lowest threshold{label}, {'inside' if inside else 'outside'} the range"
        )
        add(f"range of lines{label}", span, at, "nm", note, lowest)
    if math.isfinite(peak["linewidth_nm"]):
        q = line["mode"]["q"] if line else None
        add(
            "line width",
            peak["linewidth_nm"],
            line["wavelength_nm"] / q if line and q else None,
            "nm",
            "predicted: λ/Q of the cold cavity; above threshold a line is narrower than that",
            None,
        )
    of = line if peak.has_wavelength else first
    if math.isfinite(peak["threshold"]):
        value, note = _threshold_in(peak.texts["unit"], of)
        add("threshold", peak["threshold"], value, peak.texts["unit"], note, of)
    if math.isfinite(peak["threshold_pairs"]):
        add(
            "threshold ⟨N⟩",
            peak["threshold_pairs"],
            of["threshold"]["pairs_per_shell"] if of else None,
            "pairs per shell",
            "",
            of,
        )
    return rows


def _error_of(quantity: str, line: Mapping[str, Any] | None) -> float | None:
    """The predicted number's error from its assumed inputs, where it is known."""
    errors = (line or {}).get("input_errors")
    if not errors:
        return None
    if quantity == "threshold":
        return errors["threshold"]
    if quantity == "threshold ⟨N⟩":
        return line["threshold"]["pairs_err"] if line else None
    return errors["wavelength_nm"] if quantity.startswith(("line (", "range")) or quantity == "line" else None


def _spoken(path: str) -> str:
    return {"lattice.period_nm": "period"}.get(path, path)


def _threshold_in(unit: str, line: Mapping[str, Any] | None) -> tuple[float | None, str]:
    if line is None:
        return None, "no predicted line"
    value, own = line["threshold"]["value"], line["threshold"]["unit"]
    if value is None:
        return None, line.get("note", "")
    if own == unit:
        return value, f"of the predicted line at {line['wavelength_nm']:.0f} nm, rank {line['rank']}"
    if own in _MICROJOULE and unit in _MICROJOULE:
        return value * _MICROJOULE[own] / _MICROJOULE[unit], ""
    return (
        None,
        f"the design's pump gives a threshold in {own} ({value:.3g}); its pulse is not the published one",
    )


@dataclass(frozen=True, eq=False)
class _Spread:
    """Half the change of each line's threshold by each input, and the inputs that end its lasing."""

    inputs: tuple[str, ...]
    value: Array
    lost: tuple[tuple[str, ...], ...]


def _threshold_spread(design: Design, moved: Tolerances) -> _Spread:
    """Thresholds with the modes moved by ±σ of each input of the cavity, by mode rather than by rank."""
    count = len(moved.modes)
    if not moved.sensitivities:
        return _Spread((), np.zeros((0, count)), ((),) * count)
    tables = [moved.modes]
    tables += [
        tolerance.moved_modes(moved, item, sign) for item in moved.sensitivities for sign in (1.0, -1.0)
    ]
    base, *sides = (found.value for found in mode_thresholds([(design, table) for table in tables]))
    up, down = np.array(sides[0::2]), np.array(sides[1::2])
    both = np.isfinite(up) & np.isfinite(down)
    one = np.where(np.isfinite(up), np.abs(up - base), np.abs(down - base))
    paths = tuple(item.path for item in moved.sensitivities)
    lost = tuple(
        tuple(path for path, kept in zip(paths, both[:, mode], strict=True) if not kept)
        for mode in range(count)
    )
    lasing = np.isfinite(base)
    lost = tuple(names if lases else () for names, lases in zip(lost, lasing, strict=True))
    return _Spread(paths, np.where(both, 0.5 * np.abs(up - down), one), lost)


def _with_errors(design: Design, lines: LasingLines, moved: Tolerances | None) -> list[dict[str, Any]]:
    """The lines as ``predict --json`` gives them, each with the errors that the cavity's inputs cause."""
    records = lines.records()
    if moved is not None:
        spread = _threshold_spread(design, moved)
        for record, mode in zip(records, lines.mode_index, strict=True):
            record["input_errors"] = _input_errors(moved, int(mode), record, spread)
    return records


def _input_errors(moved: Tolerances, mode: int, record: Mapping[str, Any], spread: _Spread) -> dict[str, Any]:
    cavity = np.nan_to_num(spread.value[:, mode])
    emitter = record["threshold"]["value_err"]
    has = record["threshold"]["value"] is not None
    total = math.sqrt(float((cavity**2).sum()) + (emitter or 0.0) ** 2) if has else None
    return {
        "wavelength_nm": _finite(moved.wavelength_nm[mode]),
        "q_relative": _finite(moved.log_q[mode]),
        "threshold_gain_relative": _finite(moved.log_gain[mode]),
        "threshold": total,
        "threshold_of_cavity": math.sqrt(float((cavity**2).sum())) if has else None,
        "contributions": [
            {
                "input": item.path,
                "plus_minus": item.source.plus_minus,
                "wavelength_nm": _finite(item.wavelength_nm[mode]),
                "q_relative": _finite(item.log_q[mode]),
                "threshold": _finite(cavity[at]) if has else None,
            }
            for at, item in enumerate(moved.sensitivities)
        ],
        "lost_if": list(spread.lost[mode]),
        "not_propagated": [path for path, _ in moved.skipped],
    }


def _finite(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None
