"""Published or measured facts beside what is predicted: one row for each number of a peaks file."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cavitydesign.files import json_ready
from cavitydesign.gain import Line
from cavitydesign.geometry.design import Design
from cavitydesign.study.peaks import Peak, assign, devices, may_match

_MICROJOULE = {"uJ/cm2": 1.0, "mJ/cm2": 1e3}


@dataclass(frozen=True, slots=True)
class Fact:
    """One published number and the predicted one beside it.

    Attributes:
        quantity: what it is: ``line``, ``range of lines``, ``line width``, ``threshold``, ``threshold ⟨N⟩``, the first
            two with the transition behind them where it is known.
        published: the number, or (shortest, longest) of a range.
        predicted: the number; None where nothing is predicted.
        predicted_err: its ± from the assumed inputs; None where it is not known.
        unit: of all three.
        note: what to know, in words.
        device: the numbers that name the device, by dotted path.
        device_is: ``assigned`` where the device was concluded rather than published.
        unstated: paths that the source leaves open.
        source: where the number comes from.
    """

    quantity: str
    published: float | tuple[float, float]
    predicted: float | None
    predicted_err: float | None
    unit: str
    note: str
    device: Mapping[str, float]
    device_is: str | None
    unstated: tuple[str, ...]
    source: str | None

    @property
    def difference(self) -> float | None:
        """Line minus published, where both are one number of one device."""
        if self.predicted is None or self.unstated or isinstance(self.published, tuple):
            return None
        return self.predicted - self.published

    @property
    def is_wavelength(self) -> bool:
        """Whether it says where a line is."""
        return self.unit == "nm" and self.quantity != "line width"

    @property
    def verdict(self) -> str:
        """In a word or two: how prediction and publication compare, the inputs' ± considered."""
        if self.predicted is None:
            return "not predicted"
        low, high = self.published if isinstance(self.published, tuple) else (self.published, self.published)
        if self.quantity == "line width":
            return "narrower" if self.predicted < low else "wider"
        if low <= self.predicted <= high:
            return "inside"
        away = self.predicted - (low if self.predicted < low else high)
        text = f"{self.predicted / low:.2g} x"
        if self.unit == "nm":
            if self.unstated and low == high:
                return "see below"
            text = f"{away:+.1f} nm" + (", no gain" if "no threshold" in self.note else "")
        if not self.predicted_err:
            return text
        return f"{text}, within ±" if abs(away) <= self.predicted_err else f"{text}, DIFFERS"

    def record(self) -> dict[str, Any]:
        """As JSON has it."""
        names = (
            "quantity", "published", "predicted", "predicted_err", "difference", "unit", "note", "device", "device_is",
            "unstated", "source",
        )  # fmt: skip
        return json_ready({name: getattr(self, name) for name in names})


def beside_published(
    design: Design,
    lines: Sequence[Line],
    peaks: Sequence[Peak],
    predict: Callable[[Design, Sequence[Peak]], Sequence[Line]],
) -> tuple[Fact, ...]:
    """Published facts beside what is predicted, in the order of the peaks.

    Args:
        design: the design that ``lines`` belong to.
        lines: its predicted lines, ranked by threshold.
        peaks: published or measured rows. Those of an unstated device stand beside the design as it is, without a
            difference.
        predict: gives the lines of another device, whose peaks these are.
    """
    found: dict[int, list[Fact]] = {}
    for device, variant, indices in devices(design, peaks):
        here = [peaks[index] for index in indices]
        known = lines if variant.id == design.id else predict(variant, here)
        for index, peak, line in zip(indices, here, _assigned(here, known), strict=True):
            found[index] = _Beside(peak, device, line, _of_kind(peak, known)).facts()
    return tuple(fact for index in sorted(found) for fact in found[index])


def first_line(lines: Sequence[Line]) -> Line | None:
    """The line of lowest threshold (lines are ranked), or None where nothing lases."""
    return next((line for line in lines if line.lases), None)


def _of_kind(peak: Peak, lines: Sequence[Line]) -> list[Line]:
    """The lines that a peak may be, by what it says of symmetry and polarization."""
    allowed = may_match([peak], [line.mode for line in lines])[0]
    return [line for line, may in zip(lines, allowed, strict=True) if may]


def _assigned(peaks: Sequence[Peak], lines: Sequence[Line]) -> list[Line | None]:
    """The nearest line of each peak, one to one; lines that cannot lase stand back where there are others."""
    lines = [line for line in lines if line.lases] or list(lines)
    having = [row for row, peak in enumerate(peaks) if peak.has_wavelength and not peak.unstated]
    found: list[Line | None] = [
        first_line(_of_kind(peak, lines)) if peak.unstated else None for peak in peaks
    ]
    here = [peaks[row] for row in having]
    allowed = may_match(here, [line.mode for line in lines])
    at = assign(here, [line.wavelength_nm for line in lines], allowed)
    for row, line in zip(having, at, strict=True):
        found[row] = None if line is None else lines[line]
    return found


@dataclass(frozen=True)
class _Beside:
    """One peak, the line that it was given, and all lines of its device that it may be."""

    peak: Peak
    device: Mapping[str, float]
    line: Line | None
    lines: Sequence[Line]

    @property
    def label(self) -> str:
        name = self.peak.texts.get("transition")
        return f" ({name})" if name else ""

    def facts(self) -> list[Fact]:
        """A fact for each number of the peak."""
        peak, found = self.peak, []
        if peak.has_wavelength:
            found.append(self._wavelength())
        if math.isfinite(peak["wavelength_from_nm"]):
            found.append(self._range())
        if math.isfinite(peak["linewidth_nm"]):
            found.append(self._width())
        of = self.line if peak.has_wavelength else first_line(self.lines)
        if math.isfinite(level := peak["threshold"]):
            unit = peak.texts["unit"]
            found.append(self._fact("threshold", level, *_threshold_in(unit, of), of, unit=unit))
        if math.isfinite(level := peak["threshold_pairs"]):
            pairs = json_ready(of.threshold.pairs_per_shell) if of and not of.at_most else None
            note = _bound(of, of.threshold.pairs_per_shell, "") if of and of.at_most else ""
            found.append(self._fact("threshold ⟨N⟩", level, pairs, note, of, unit="pairs per shell"))
        return found

    def _wavelength(self) -> Fact:
        peak, line = self.peak, self.line
        note = "nearest predicted line"
        if line is None:
            note = f"no predicted {peak.label} line in the window".replace("  ", " ")
        named = peak.texts.get("transition")
        if peak.unstated:
            open_ = ", ".join({"lattice.period_nm": "period"}.get(path, path) for path in peak.unstated)
            note = f"{open_} not stated; predicted: the design's lowest threshold"
        elif line is not None and line.transition and named not in (None, line.transition):
            note += f"; the model names its transition {line.transition}"
        if line is not None and not line.lases:
            note += "; the gain model gives it no threshold"
        at = line.wavelength_nm if line else None
        return self._fact(f"line{self.label}", peak.wavelength_nm, at, note, line)

    def _range(self) -> Fact:
        span = (self.peak["wavelength_from_nm"], self.peak["wavelength_to_nm"])
        named = self.peak.texts.get("transition")
        lowest = first_line([item for item in self.lines if named in (None, item.transition)])
        if lowest is None:
            return self._fact(f"range of lines{self.label}", span, None, "no such line lases", None)
        where = "inside" if span[0] <= lowest.wavelength_nm <= span[1] else "outside"
        note = f"lowest threshold{self.label}, {where} the range"
        return self._fact(f"range of lines{self.label}", span, lowest.wavelength_nm, note, lowest)

    def _width(self) -> Fact:
        q = self.line.mode.q if self.line else math.nan
        width = self.line.wavelength_nm / q if self.line and math.isfinite(q) else None
        note = "predicted: λ/Q of the cold cavity; above threshold a line is narrower than that"
        return self._fact("line width", self.peak["linewidth_nm"], width, note, None)

    def _fact(
        self,
        quantity: str,
        published: float | tuple[float, float],
        predicted: float | None,
        note: str,
        line: Line | None,
        *,
        unit: str = "nm",
    ) -> Fact:
        peak = self.peak
        error = None if predicted is None else _error_of(quantity, unit, line)
        about = (dict(self.device), peak.texts.get("period_is"), peak.unstated, peak.texts.get("source"))
        return Fact(quantity, published, predicted, error, unit, note, *about)


def _error_of(quantity: str, unit: str, line: Line | None) -> float | None:
    """The predicted number's error from its assumed inputs, in the number's unit, where it is known."""
    if line is None or line.input_errors is None:
        return None
    if quantity == "threshold":
        return json_ready(line.input_errors.threshold * _factor(line.threshold.unit, unit))
    if quantity == "threshold ⟨N⟩":
        return json_ready(line.threshold.pairs_err)
    return json_ready(line.input_errors.wavelength_nm)


def _factor(own: str, unit: str) -> float:
    """What turns a threshold's own unit into a published one: 1 where they are not fluences both."""
    return _MICROJOULE[own] / _MICROJOULE[unit] if {own, unit} <= _MICROJOULE.keys() else 1.0


def _bound(line: Line, value: float, unit: str) -> str:
    """A number that is only known from above is not one to set beside."""
    return f"predicted: {line.at_most}{value:.3g} {unit}".rstrip() + f"; {line.status.value}"


def _threshold_in(unit: str, line: Line | None) -> tuple[float | None, str]:
    """A line's threshold in a published unit, and what to know of it."""
    if line is None:
        return None, "no predicted line"
    value, own = line.threshold.value, line.threshold.unit
    if not line.lases or math.isnan(value):
        return None, line.note
    if line.at_most:
        return None, _bound(line, value, own)
    if own == unit or {own, unit} <= _MICROJOULE.keys():
        note = f"of the predicted line at {line.wavelength_nm:.0f} nm, rank {line.rank}"
        return value * _factor(own, unit), note
    return (
        None,
        f"the design's pump gives a threshold in {own} ({value:.3g}); its pulse is not the published one",
    )
