"""Predicted lines beside measured peaks, device by device."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cavitydesign.files import json_ready
from cavitydesign.gain import Line
from cavitydesign.geometry.design import Design
from cavitydesign.study.peaks import Peak, assign, checked_peaks, devices, may_match
from cavitydesign.study.predict import with_emitter
from cavitydesign.study.published import first_line


@dataclass(frozen=True, slots=True)
class Compared:
    """One peak beside what is predicted for its device.

    ``line`` is the predicted line (``predict --json``) that was assigned to it, ``residual_nm`` predicted
    minus measured; ``strongest`` the predicted line of lowest threshold, whose residual flatters nobody.
    """

    peak: Peak
    device: Mapping[str, float]
    line: Line | None
    residual_nm: float
    strongest: Line | None
    strongest_residual_nm: float

    def record(self) -> dict[str, Any]:
        """As JSON has it; what is not known is None."""
        return {
            "device": dict(self.device),
            "device_is": self.peak.texts.get("period_is"),
            "measured": {**json_ready(self.peak.numbers), **self.peak.texts},
            "predicted": self.line.record() if self.line else None,
            "residual_nm": json_ready(self.residual_nm),
            "lowest_threshold": self.strongest.record() if self.strongest else None,
            "lowest_threshold_residual_nm": json_ready(self.strongest_residual_nm),
        }


def compare(
    design: Design, peaks: Sequence[Peak], predict: Callable[[Design, Sequence[Peak]], Sequence[Line]]
) -> list[Compared]:
    """Predicted beside measured, device by device, in the order of the peaks (those with a wavelength).

    ``predict`` gives the lines of a design whose peaks these are, ranked by threshold. Lines that cannot lase stand
    back where there are others. A peak whose device is not stated has no residual.
    """
    found: dict[int, Compared] = {}
    checked_peaks(peaks)
    for device, variant, rows in devices(with_emitter(design)[0], peaks):
        rows = [row for row in rows if peaks[row].has_wavelength]
        if not rows:
            continue
        here = [peaks[row] for row in rows]
        lines = predict(variant, here)
        lines = [line for line in lines if line.lases] or lines
        allowed = may_match(here, [line.mode for line in lines])
        chosen = assign(here, [line.wavelength_nm for line in lines], allowed)
        first = first_line(lines)
        for row, peak, at in zip(rows, here, chosen, strict=True):
            line = None if at is None else lines[at]
            found[row] = Compared(peak, device, line, _residual(line, peak), first, _residual(first, peak))
    return [found[row] for row in sorted(found)]


def root_mean_square_nm(compared: Sequence[Compared]) -> float:
    """Root of the mean squared residual in nm over the assigned peaks; NaN where there is none."""
    residuals = [item.residual_nm for item in compared if math.isfinite(item.residual_nm)]
    return math.sqrt(math.fsum(r * r for r in residuals) / len(residuals)) if residuals else math.nan


def _residual(line: Line | None, peak: Peak) -> float:
    return math.nan if line is None or peak.unstated else line.wavelength_nm - peak.wavelength_nm
