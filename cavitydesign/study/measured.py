"""Measured peaks from CSV, and predicted ones beside them.

One row per peak (or per published fact). A column named like a dotted path of the design (``lattice.period_nm``;
``period_nm`` for short) says which device the row belongs to; the other columns are :data:`NUMBERS` and
:data:`TEXTS`. Lines starting with ``#`` are comments, a blank cell is "not measured",
columns named ``note…`` are ignored.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cavitydesign.errors import InputError
from cavitydesign.geometry.design import Design

NUMBERS: Mapping[str, str] = {
    "wavelength_nm": "vacuum wavelength of the peak",
    "wavelength_err_nm": "its error, one standard deviation",
    "wavelength_from_nm": "where only a range is known: its short end",
    "wavelength_to_nm": "and its long end",
    "linewidth_nm": "full width at half maximum",
    "threshold": "pump level at threshold, in `unit`",
    "threshold_pairs": "electron-hole pairs per shell at threshold",
    "temperature_k": "temperature of the measurement",
}
TEXTS: Mapping[str, str] = {
    "unit": "of `threshold`: uJ/cm2, mJ/cm2 or kW/cm2",
    "transition": "X, XX or MX, as its authors named it",
    "symmetry": "of the mode, where it is known (E, A1, …)",
    "polarization": "TE or TM, where it is known",
    "period_is": "`assigned` where the device of the peak was concluded rather than published",
    "source": "where the row comes from",
}
SHORT = {"period_nm": "lattice.period_nm"}
UNITS = {
    "uJ/cm2": "uJ/cm2",
    "µJ/cm2": "uJ/cm2",
    "µJ/cm²": "uJ/cm2",
    "mJ/cm2": "mJ/cm2",
    "mJ/cm²": "mJ/cm2",
    "kW/cm2": "kW/cm2",
    "kW/cm²": "kW/cm2",
}


@dataclass(frozen=True, slots=True)
class Peak:
    """One row: the numbers that name its device by dotted path, its numbers (NaN: not given) and its texts.

    ``unstated`` are the device columns that this row leaves blank: which device it belongs to is then not known.
    """

    device: Mapping[str, float]
    numbers: Mapping[str, float]
    texts: Mapping[str, str]
    line: int
    unstated: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> float:
        return self.numbers.get(name, math.nan)

    @property
    def wavelength_nm(self) -> float:
        """Vacuum wavelength in nm; NaN where only a range or a threshold is known."""
        return self["wavelength_nm"]

    @property
    def has_wavelength(self) -> bool:
        """Whether the row names one wavelength."""
        return math.isfinite(self.wavelength_nm)


def read_peaks(path: str | Path) -> tuple[Peak, ...]:
    """Measured peaks of a CSV file; an InputError names the file, the line and the column of what is wrong."""
    path = Path(path)
    header, rows = _table(path)
    names = [_column(SHORT.get(name, name), path) for name in header]
    if len(set(names)) != len(names):
        raise InputError("names a column twice", file=path, key="line 1", value=",".join(header))
    peaks = []
    for line, cells in rows:
        if len(cells) > len(names):
            raise InputError(
                f"has {len(cells)} cells for {len(names)} columns", file=path, key=f"line {line}"
            )
        content = {name: cell.strip() for name, cell in zip(names, cells, strict=False)}
        numbers = {
            name: _number(content[name], name, line, path)
            for name in content
            if name in NUMBERS or "." in name
        }
        texts = {name: content[name] for name in content if name in TEXTS and content[name]}
        device = {name: value for name, value in numbers.items() if "." in name and math.isfinite(value)}
        unstated = tuple(name for name in names if "." in name and name not in device)
        own = {name: value for name, value in numbers.items() if name in NUMBERS}
        peak = Peak(device, own, _checked(texts, line, path), line, unstated)
        _check(peak, path)
        peaks.append(peak)
    if not peaks:
        raise InputError("has a header row but no peaks", file=path)
    return tuple(peaks)


def published_beside(design_file: str | Path) -> Path | None:
    """The published values that stand beside a design file, ``measured/<same name>.csv``, if there are any."""
    path = Path(design_file)
    found = path.parent / "measured" / f"{path.stem}.csv"
    return found if found.is_file() else None


def devices(design: Design, peaks: Sequence[Peak]) -> list[tuple[dict[str, float], Design, list[int]]]:
    """The different devices that the peaks belong to: their numbers, the design with these, the rows of their peaks.

    A peak that does not say which device it belongs to counts for the design as it stands. A measurement at another
    temperature than the design's emitter is one of another device.
    """
    groups: dict[tuple[tuple[str, float], ...], list[int]] = {}
    for index, peak in enumerate(peaks):
        device = dict(peak.device)
        if design.emitter is not None and math.isfinite(peak["temperature_k"]):
            device["emitter.temperature_k"] = peak["temperature_k"]
        groups.setdefault(tuple(sorted(device.items())), []).append(index)
    found = []
    for key, rows in groups.items():
        changes = {path: value for path, value in key if value != design.value_at(path)}
        found.append((dict(key), design.with_values(changes) if changes else design, rows))
    return found


def assign(
    measured_nm: Sequence[float], predicted_nm: Sequence[float], allowed: np.ndarray | None = None
) -> list[int | None]:
    """Which prediction belongs to which peak: one to one, smallest sum of squared distances; None where none is left.

    ``allowed[i, j]`` False forbids prediction j for peak i (another symmetry or polarization).
    """
    if not len(measured_nm) or not len(predicted_nm):
        return [None] * len(measured_nm)
    from scipy.optimize import linear_sum_assignment

    distance = (np.asarray(measured_nm)[:, None] - np.asarray(predicted_nm)[None, :]) ** 2
    never = 1e12  # far beyond any squared distance of two wavelengths in one window
    cost = distance if allowed is None else np.where(allowed, distance, never)
    found: list[int | None] = [None] * len(measured_nm)
    for row, column in zip(*linear_sum_assignment(cost), strict=True):
        if cost[row, column] < never:
            found[int(row)] = int(column)
    return found


def may_match(peaks: Sequence[Peak], symmetry: Sequence[str], polarization: Sequence[str]) -> np.ndarray:
    """``allowed`` of :func:`assign`: where a peak says its symmetry or polarization, only modes of that kind fit."""
    allowed = np.ones((len(peaks), len(symmetry)), dtype=bool)
    for row, peak in enumerate(peaks):
        for name, have in (("symmetry", symmetry), ("polarization", polarization)):
            if wanted := peak.texts.get(name):
                allowed[row] &= [str(item) == wanted or str(item).startswith(wanted) for item in have]
    return allowed


@dataclass(frozen=True, slots=True)
class Compared:
    """One peak beside what is predicted for its device.

    ``line`` is the predicted line (``predict --json``) that was assigned to it, ``residual_nm`` predicted
    minus measured; ``strongest`` the predicted line of lowest threshold, whose residual flatters nobody.
    """

    peak: Peak
    device: Mapping[str, float]
    line: Mapping[str, Any] | None
    residual_nm: float
    strongest: Mapping[str, Any] | None
    strongest_residual_nm: float

    def record(self) -> dict[str, Any]:
        """As JSON has it; what is not known is None."""
        return {
            "device": dict(self.device),
            "device_is": self.peak.texts.get("period_is"),
            "measured": {
                **{name: _plain(value) for name, value in self.peak.numbers.items()},
                **self.peak.texts,
            },
            "predicted": dict(self.line) if self.line else None,
            "residual_nm": _plain(self.residual_nm),
            "lowest_threshold": dict(self.strongest) if self.strongest else None,
            "lowest_threshold_residual_nm": _plain(self.strongest_residual_nm),
        }


Predict = Callable[[Design, Sequence[Peak]], Sequence[Mapping[str, Any]]]
"""The predicted lines of a design whose peaks these are, ranked by threshold, as ``predict --json`` gives them."""


def compare(design: Design, peaks: Sequence[Peak], predict: Predict) -> list[Compared]:
    """Predicted beside measured, device by device, in the order of the peaks (those with a wavelength).

    Lines that cannot lase stand back where there are others. A peak whose device is not stated has no residual.
    """
    found: dict[int, Compared] = {}
    for device, variant, rows in devices(design, peaks):
        rows = [row for row in rows if peaks[row].has_wavelength]
        if not rows:
            continue
        here = [peaks[row] for row in rows]
        lines = predict(variant, here)
        lines = [line for line in lines if line["threshold"]["value"] is not None] or lines
        modes = [line.get("mode") or {} for line in lines]
        allowed = may_match(
            here, [m.get("symmetry", "") for m in modes], [m.get("polarization", "") for m in modes]
        )
        chosen = assign(
            [peak.wavelength_nm for peak in here], [line["wavelength_nm"] for line in lines], allowed
        )
        first = next((line for line in lines if line["threshold"]["value"] is not None), None)
        for row, peak, at in zip(rows, here, chosen, strict=True):
            line = None if at is None else lines[at]
            found[row] = Compared(peak, device, line, _residual(line, peak), first, _residual(first, peak))
    return [found[row] for row in sorted(found)]


def root_mean_square_nm(compared: Sequence[Compared]) -> float:
    """Root of the mean squared residual in nm over the assigned peaks; NaN where there is none."""
    residuals = [item.residual_nm for item in compared if math.isfinite(item.residual_nm)]
    return math.sqrt(math.fsum(r * r for r in residuals) / len(residuals)) if residuals else math.nan


def _residual(line: Mapping[str, Any] | None, peak: Peak) -> float:
    return math.nan if line is None or peak.unstated else line["wavelength_nm"] - peak.wavelength_nm


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _table(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError("there is no such file", file=path) from None
    except (OSError, UnicodeDecodeError):
        raise InputError("cannot be read as a UTF-8 text file", file=path) from None
    lines = [
        (at, line)
        for at, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    try:
        rows = [(at, next(csv.reader([line], strict=True))) for at, line in lines]
    except csv.Error as error:
        raise InputError(f"is not valid CSV: {error}", file=path) from None
    if not rows:
        raise InputError("is empty; it needs a header row", file=path)
    return [name.strip() for name in rows[0][1]], rows[1:]


def _column(name: str, path: Path) -> str:
    if name in NUMBERS or name in TEXTS or "." in name or name.startswith("note"):
        return name
    import difflib

    close = difflib.get_close_matches(name, [*NUMBERS, *TEXTS, *SHORT], n=1)
    hint = f"; did you mean {close[0]}?" if close else "; name it note… to have it ignored"
    raise InputError(f"unknown column{hint}", file=path, key="line 1", value=name)


def _number(text: str, name: str, line: int, path: Path) -> float:
    if not text:
        return math.nan
    try:
        number = float(text)
    except ValueError:
        raise InputError(
            "must be a number", file=path, key=f"line {line}, column {name}", value=text
        ) from None
    if not math.isfinite(number):
        raise InputError(
            "must be a finite number (or blank)", file=path, key=f"line {line}, column {name}", value=text
        )
    if number <= 0.0 and name in NUMBERS:
        raise InputError("must be > 0", file=path, key=f"line {line}, column {name}", value=text)
    return number


def _checked(texts: dict[str, str], line: int, path: Path) -> dict[str, str]:
    if "unit" in texts:
        if texts["unit"] not in UNITS:
            rule = "must be uJ/cm2, mJ/cm2 or kW/cm2"
            raise InputError(rule, file=path, key=f"line {line}, column unit", value=texts["unit"])
        texts["unit"] = UNITS[texts["unit"]]
    return texts


def _check(peak: Peak, path: Path) -> None:
    key = f"line {peak.line}"
    if math.isfinite(peak["threshold"]) and "unit" not in peak.texts:
        raise InputError(
            "a threshold needs its unit: uJ/cm2, mJ/cm2 or kW/cm2",
            file=path,
            key=f"{key}, column unit",
            value="",
        )
    low, high = peak["wavelength_from_nm"], peak["wavelength_to_nm"]
    if math.isfinite(low) != math.isfinite(high) or low > high:
        raise InputError(
            "a range needs wavelength_from_nm ≤ wavelength_to_nm, both", file=path, key=key, value=[low, high]
        )
    if not any(map(math.isfinite, peak.numbers.values())):
        raise InputError("has neither a wavelength nor a threshold", file=path, key=key)
