"""Measured peaks from CSV, and which mode each may belong to.

One row per peak (or per published fact). A column named like a dotted path of the design (``lattice.period_nm``;
``period_nm`` for short) says which device the row belongs to; the other columns are :data:`NUMBERS` and
:data:`TEXTS`. Lines starting with ``#`` are comments, a blank cell is "not measured",
columns named ``note…`` are ignored.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from cavitydesign.errors import InputError
from cavitydesign.files import csv_rows, finite_number
from cavitydesign.geometry.design import Design
from cavitydesign.kinds import Array
from cavitydesign.solvers.match import pair

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


class Kind(Protocol):
    """What is read of a mode that a peak may belong to."""

    @property
    def symmetry(self) -> str: ...
    @property
    def polarization(self) -> str: ...


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
    header, rows = csv_rows(path)
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
    found: list[int | None] = [None] * len(peaks)
    for row, column in pair(price if allowed is None else np.where(allowed, price, np.inf)):
        found[row] = column
    return found


def may_match(peaks: Sequence[Peak], modes: Sequence[Kind]) -> Array:
    """Where a peak and a mode do not contradict each other, (peaks, modes): a peak may name symmetry, polarization."""
    allowed = np.ones((len(peaks), len(modes)), dtype=bool)
    for row, peak in enumerate(peaks):
        for name in ("symmetry", "polarization"):
            if wanted := peak.texts.get(name):
                allowed[row] &= [getattr(mode, name).startswith(wanted) for mode in modes]
    return allowed


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
    key = f"line {line}, column {name}"
    number = finite_number(text, key=key, file=path)
    if number <= 0.0 and name in NUMBERS:
        raise InputError("must be > 0", file=path, key=key, value=text)
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
