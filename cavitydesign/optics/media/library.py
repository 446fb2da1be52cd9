"""Entries of the refractiveindex.info database: their rows, and the formulas that some of them are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from cavitydesign.errors import InputError
from cavitydesign.geometry.catalogue import library_file, package_folder, read_yaml
from cavitydesign.kinds import Array, Function, Window


@dataclass(frozen=True)
class Entry:
    """What an entry holds.

    Attributes:
        source: its name and the database's version.
        formula: n as a formula, and where it is valid, nm.
        rows: n alone, k alone or both: the wavelengths in nm (rising) and n + i k at each.
    """

    source: str
    formula: tuple[Function, Window] | None
    rows: dict[str, tuple[Array, Array]]


@lru_cache(maxsize=256)
def read_entry(entry: str) -> Entry:
    """An entry by its shelf/book/page.

    Raises:
        InputError: where there is none, with names close to it, or where it holds no refractive index.
    """
    formula, rows = None, {}
    for block in read_yaml(library_file(entry))["DATA"]:
        kind, _, detail = block["type"].partition(" ")
        if kind == "formula":
            low, high = (float(edge) * 1e3 for edge in block["wavelength_range"].split())
            formula = (
                dispersion_formula(int(detail), [float(c) for c in block["coefficients"].split()]),
                (low, high),
            )
        elif kind == "tabulated" and detail in ("n", "k", "nk"):
            rows[detail] = _rows(block["data"], detail)
    if formula is None and not {"n", "nk"} & set(rows):
        raise InputError(
            "this entry has no refractive index, only an extinction coefficient", key="library", value=entry
        )
    return Entry(f"{entry} (refractiveindex.info {database_version()})", formula, rows)


def _rows(text: str, detail: str) -> tuple[Array, Array]:
    values = np.array(text.split(), dtype=float).reshape(-1, 1 + len(detail))
    values = values[np.unique(values[:, 0], return_index=True)[1]]
    index = (
        values[:, 1] + 1j * values[:, 2] if detail == "nk" else values[:, 1] * (1.0 if detail == "n" else 1j)
    )
    return values[:, 0] * 1e3, index


def dispersion_formula(number: int, c: list[float]) -> Function:
    """The dispersion formulas 1-9 of refractiveindex.info, for complex wavelengths (nm in, λ in µm inside).

    The package's own evaluation works on real floats only; a test holds the two together on the real axis.
    """
    c = [*c, *[0.0] * 20]
    pairs = range(1, len(c) - 1, 2)

    def n(w: Array) -> Array:
        x = np.asarray(w, dtype=complex) * 1e-3
        x2 = x * x
        match number:
            case 1:
                return np.sqrt(1.0 + c[0] + sum(c[i] * x2 / (x2 - c[i + 1] ** 2) for i in pairs if c[i]))
            case 2:
                return np.sqrt(1.0 + c[0] + sum(c[i] * x2 / (x2 - c[i + 1]) for i in pairs if c[i]))
            case 3:
                return np.sqrt(c[0] + sum(c[i] * x ** c[i + 1] for i in pairs if c[i]) + 0.0 * x)
            case 4:
                poles = sum(c[i] * x ** c[i + 1] / (x2 - c[i + 2] ** c[i + 3]) for i in (1, 5) if c[i])
                return np.sqrt(
                    c[0]
                    + poles
                    + sum(c[i] * x ** c[i + 1] for i in range(9, len(c) - 1, 2) if c[i])
                    + 0.0 * x
                )
            case 5:
                return c[0] + sum(c[i] * x ** c[i + 1] for i in pairs if c[i]) + 0.0 * x
            case 6:
                return 1.0 + c[0] + sum(c[i] / (c[i + 1] - 1.0 / x2) for i in pairs if c[i]) + 0.0 * x
            case 7:
                far = sum(c[i] * x2 ** (i - 2) for i in range(3, len(c)) if c[i])
                return c[0] + c[1] / (x2 - 0.028) + c[2] / (x2 - 0.028) ** 2 + far
            case 8:
                t = c[0] + c[1] * x2 / (x2 - c[2]) + c[3] * x2
                return np.sqrt((2.0 * t + 1.0) / (1.0 - t))
            case 9:
                return np.sqrt(c[0] + c[1] / (x2 - c[2]) + c[3] * (x - c[4]) / ((x - c[4]) ** 2 + c[5]))
        raise AssertionError(number)

    return n


def database_version() -> str:
    """Release of the refractiveindex.info database that is installed."""
    scope: dict[str, str] = {}
    for line in (package_folder() / "_database_version.py").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition("=")
        scope[name.strip()] = value.strip().strip('"')
    return scope.get("DATABASE_VERSION", "unknown")
