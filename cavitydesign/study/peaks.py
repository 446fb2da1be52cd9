"""Measured peaks from CSV, and which mode each may belong to.

One row per peak (or per published fact). A column named like a dotted path of the design (``lattice.period_nm``;
``period_nm`` for short) says which device the row belongs to; the other columns are :data:`NUMBERS` and
:data:`TEXTS`. Lines starting with ``#`` are comments, a blank cell is "not measured",
columns named ``note…`` are ignored.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cavitydesign.errors import InputError, told_together
from cavitydesign.files import csv_rows, finite_number
from cavitydesign.gain.model import TRANSITIONS
from cavitydesign.geometry.design import Design
from cavitydesign.kinds import Array, Window
from cavitydesign.solvers.match import pair
from cavitydesign.solvers.solution import Mode

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
UNITS = ("uJ/cm2", "mJ/cm2", "kW/cm2")
KINDS: Mapping[str, tuple[str, ...]] = {
    "symmetry": ("A1", "A2", "B1", "B2", "E", "E1", "E2", "A'", "A''", "A", "B"),
    "polarization": ("TE", "TM", "TE-like", "TM-like", "TE+TM"),
}
"""What a row may say of the mode; a mode is of that kind where its own label begins so."""


@dataclass(frozen=True, slots=True)
class Peak:
    """One row: the numbers that name its device by dotted path, its numbers (NaN: not given) and its texts.

    ``unstated`` are the device columns that this row leaves blank: which device it belongs to is then not known.
    ``file`` is where the row stands.
    """

    device: Mapping[str, float]
    numbers: Mapping[str, float]
    texts: Mapping[str, str]
    line: int
    unstated: tuple[str, ...] = ()
    file: Path | None = None

    def __getitem__(self, name: str) -> float:
        return self.numbers.get(name, math.nan)

    @property
    def wavelength_nm(self) -> float:
        """Vacuum wavelength in nm; NaN where only a range or a threshold is known."""
        return self["wavelength_nm"]

    @property
    def label(self) -> str:
        """What the row says of the mode: its symmetry and polarization."""
        return " ".join(text for name in KINDS if (text := self.texts.get(name)))

    @property
    def has_wavelength(self) -> bool:
        """Whether the row names one wavelength."""
        return math.isfinite(self.wavelength_nm)


def read_peaks(path: str | Path) -> tuple[Peak, ...]:
    """Measured peaks of a CSV file; an InputError names the file, and the line and column of all that is wrong."""
    path = Path(path)
    header, rows = csv_rows(path)
    names = [SHORT.get(name, name) for name in header]
    wrong = [
        _unknown(name)
        for name in names
        if not (name in {*NUMBERS, *TEXTS} or "." in name or name[:4] == "note")
    ]
    if len(set(names)) != len(names):
        wrong.append(InputError("names a column twice", key="line 1", value=",".join(header)))
    if not wrong and not rows:
        wrong.append(InputError("has a header row but no peaks"))
    peaks = [] if wrong else [_peak(names, line, cells, wrong) for line, cells in rows]
    if wrong:
        raise told_together(wrong).in_file(path)
    return tuple(replace(peak, file=path) for peak in peaks)


def checked_peaks(peaks: Any) -> Sequence[Peak]:
    """Peaks as :func:`read_peaks` gives them, or an InputError."""
    if not isinstance(peaks, Sequence) or not all(isinstance(peak, Peak) for peak in peaks):
        raise InputError("must be peaks as read_peaks gives them", key="peaks", value=peaks)
    return peaks


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
    found, wrong = [], []
    for key, rows in groups.items():
        try:
            changes = {path: value for path, value in key if value != design.value_at(path)}
            found.append((dict(key), design.with_values(changes) if changes else design, rows))
        except InputError as error:
            peak = peaks[rows[0]]
            wrong += [
                InputError(
                    item.message,
                    file=peak.file,
                    key=f"line {peak.line}, column {_COLUMNS.get(item.key or '', item.key)}",
                    value=item.value,
                )
                for item in error.complaints
            ]
    if wrong:
        raise told_together(wrong)
    return found


_COLUMNS = {"emitter.temperature_k": "temperature_k"}
"""Columns of numbers of the design that are not called by their path."""


def assign(
    peaks: Sequence[Peak], wavelengths_nm: Sequence[float] | Array, allowed: Array | None = None
) -> list[int | None]:
    """Which mode belongs to which peak: one to one, smallest sum of squared distances; None where none is left.

    Args:
        peaks: those with a wavelength.
        wavelengths_nm: of the modes, shape (M,).
        allowed: shape (peaks, M); False forbids a pair (another symmetry or polarization).
    """
    measured = np.array([peak.wavelength_nm for peak in peaks], dtype=float)
    price = (measured[:, None] - np.asarray(wavelengths_nm, dtype=float)[None, :]) ** 2
    found = dict(pair(price if allowed is None else np.where(allowed, price, np.inf)))
    return [found.get(row) for row in range(len(peaks))]


def may_match(peaks: Sequence[Peak], modes: Sequence[Mode]) -> Array:
    """Where a peak and a mode do not contradict each other, (peaks, modes): a peak may name symmetry, polarization."""
    allowed = np.ones((len(peaks), len(modes)), dtype=bool)
    for row, peak in enumerate(peaks):
        for name in KINDS:
            if wanted := peak.texts.get(name):
                allowed[row] &= [getattr(mode, name).startswith(wanted) for mode in modes]
    return allowed


def holding(window_nm: Window, peaks: Sequence[Peak], *, spare_nm: float = 30.0) -> Window:
    """The window, widened to hold the peaks with something to spare."""
    wavelengths = [peak.wavelength_nm for peak in peaks if peak.has_wavelength]
    low, high = window_nm
    return min([low, *(w - spare_nm for w in wavelengths)]), max([high, *(w + spare_nm for w in wavelengths)])


def _unknown(name: str) -> InputError:
    import difflib

    close = difflib.get_close_matches(name, [*NUMBERS, *TEXTS, *SHORT], n=1)
    hint = f"; did you mean {close[0]}?" if close else "; name it note… to have it ignored"
    return InputError(f"unknown column{hint}", key="line 1", value=name)


def _peak(names: Sequence[str], line: int, cells: Sequence[str], wrong: list[InputError]) -> Peak:
    """One row; what is wrong with it is added to ``wrong``."""
    before, key = len(wrong), f"line {line}"
    if len(cells) > len(names):
        wrong.append(InputError(f"has {len(cells)} cells for {len(names)} columns", key=key))
    content = {name: cell.strip() for name, cell in zip(names, cells, strict=False)}
    numbers = {}
    for name, text in content.items():
        if name in NUMBERS or "." in name:
            try:
                numbers[name] = _number(text, name, f"{key}, column {name}")
            except InputError as error:
                wrong.append(error)
    texts = {name: text for name, text in content.items() if name in TEXTS and text}
    if "unit" in texts:
        unit = texts["unit"].replace("µ", "u").replace("²", "2")
        if unit not in UNITS:
            rule = "must be uJ/cm2, mJ/cm2 or kW/cm2"
            wrong.append(InputError(rule, key=f"{key}, column unit", value=texts["unit"]))
        texts["unit"] = unit
    for name, allowed in {"transition": TRANSITIONS, **KINDS}.items():
        if name in texts and texts[name] not in allowed:
            rule = f"must be {', '.join(allowed[:-1])} or {allowed[-1]}"
            wrong.append(InputError(rule, key=f"{key}, column {name}", value=texts[name]))
    device = {name: value for name, value in numbers.items() if "." in name and math.isfinite(value)}
    unstated = tuple(name for name in names if "." in name and name not in device)
    own = {name: value for name, value in numbers.items() if name in NUMBERS}
    peak = Peak(device, own, texts, line, unstated)
    if math.isfinite(peak["threshold"]) and "unit" not in texts:
        rule = "a threshold needs its unit: uJ/cm2, mJ/cm2 or kW/cm2"
        wrong.append(InputError(rule, key=f"{key}, column unit", value=""))
    if len(wrong) == before:
        low, high = peak["wavelength_from_nm"], peak["wavelength_to_nm"]
        if math.isfinite(low) != math.isfinite(high) or low > high:
            rule = "a range needs wavelength_from_nm ≤ wavelength_to_nm, both"
            wrong.append(InputError(rule, key=key, value=[low, high]))
        if not any(map(math.isfinite, numbers.values())):
            wrong.append(InputError("has neither a wavelength nor a threshold", key=key))
    return peak


def _number(text: str, name: str, key: str) -> float:
    number = finite_number(text, key=key) if text else math.nan
    if number <= 0.0 and name in NUMBERS:
        raise InputError("must be > 0", key=key, value=text)
    return number
