"""Tables of n and k as ellipsometers, papers and refractiveindex.info write them.

Read are columns parted by commas, semicolons, tabs or spaces, with decimal points or commas, in UTF-8, UTF-16 or
Latin-1, below whatever header lines; wavelengths in nm, µm or Å, photon energies in eV, wavenumbers in 1/cm; n and k,
or the two parts of ε; rising or falling; n and k in one block or in two, each with rows of its own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cavitydesign import units
from cavitydesign.errors import InputError, told_together
from cavitydesign.files import DELIMITERS, cells_of, text_lines

_COMMENTS = ("#", "%", "//", "!")
_TO_NM: dict[str, Callable[[float], float]] = {
    "nm": lambda x: x,
    "µm": lambda x: 1e3 * x,
    "Å": lambda x: 0.1 * x,
    "eV": units.ev_to_nm,
    "1/cm": lambda x: 1e7 / x,
}
_UNITS = {
    "nm": r"nm|nanomet(?:er|re)s?",
    "µm": r"[uµμ]m|microns?|micromet(?:er|re)s?",
    "Å": r"[åÅ]|angstroms?",
    "eV": r"ev",
    "1/cm": r"cm\s*\^?-1|1/cm",
}
_KINDS = {
    "axis": r"wave\s*length|wellenl.{1,2}nge|wl|wvl|wave|lambda|lam|λ|(?:photon[ _]?)?energy|e|h[vν]|wave\s*numbers?",
    "n": r"n|re\W*n\W*|n_?real|refractive[ _]index|index|ri",
    "k": r"k|κ|kappa|im\W*n\W*|n_?imag|extinction(?:[ _]coeff?\w*\.?)?",
    "eps1": r"(?:e|eps|epsilon|ε)_?1|re\W*(?:eps|ε)\w*\W*|eps_?r(?:eal)?",
    "eps2": r"(?:e|eps|epsilon|ε)_?2|im\W*(?:eps|ε)\w*\W*|eps_?i(?:mag)?",
}


@dataclass
class _Block:
    """A header and the rows below it."""

    columns: dict[str, tuple[int, str]]
    unit: str | None
    names: list[str]
    rows: list[tuple[int, list[str]]] = field(default_factory=list)


def read_index_table(path: Path, *, shown: str, key: str) -> dict[str, Any]:
    """The content of a :class:`~cavitydesign.geometry.material.Table` from a file.

    ``shown`` is the name that the value keeps; what had to be guessed is added to it.

    Raises:
        InputError: naming file, line, column, rule and value, of all that is wrong at once.
    """
    lines = text_lines(path, key=key, comments=_COMMENTS)
    wrong: list[InputError] = []
    guesses: set[str] = set()
    found: dict[str, dict[float, float]] = {"n": {}, "k": {}}
    for block in _blocks(lines, path, key):
        for name, (line, at, value) in _values(block, path, guesses, wrong):
            known = found[name].setdefault(at, value)
            if known != value:
                rule = f"the wavelength {at:g} nm stands there twice, first with {name} = {known:g}"
                wrong.append(InputError(rule, file=path, key=f"line {line}, column {name}", value=value))
    if wrong:
        raise told_together(wrong)
    n, k = (dict(sorted(found[name].items())) for name in ("n", "k"))
    content: dict[str, Any] = {
        "table": shown + "".join(f" ({guess})" for guess in sorted(guesses)),
        "wavelengths_nm": tuple(n),
        "n": tuple(n.values()),
        "k": tuple(k.values()) if k else (0.0,) * len(n),
    }
    return content if not k or tuple(k) == tuple(n) else {**content, "k_wavelengths_nm": tuple(k)}


# -- lines and columns ---------------------------------------------------------------------------------------------


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        if text.count(",") != 1:
            return None
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


def _is_row(cells: Sequence[str] | None) -> bool:
    return (
        cells is not None
        and len(cells) > 1
        and all(_number(c) is not None for c in cells if c)
        and cells[0] != ""
    )


def _delimiter(lines: Sequence[tuple[int, str]]) -> str:
    """The one by which most lines are rows of numbers; by which most are cut, where none are."""
    some = [line for _, line in lines[:400]]

    def rows(delimiter: str) -> tuple[int, int]:
        cut = [cells_of(line, delimiter) for line in some]
        return sum(_is_row(cells) for cells in cut), sum(len(cells or ()) > 1 for cells in cut)

    return max(DELIMITERS, key=rows)


def _blocks(lines: list[tuple[int, str]], path: Path, key: str) -> Iterator[_Block]:
    """The tables of a file: each header that names columns begins one."""
    delimiter = _delimiter(lines)
    block: _Block | None = None
    above: list[str] = []
    for number, line in lines:
        cells = cells_of(line, delimiter)
        header = None if _is_row(cells) else _header(line)
        if header is not None:
            if block is not None and block.rows:
                yield block
            block, above = header, [*above, line]
        elif block is None and not _is_row(cells):
            above.append(line)
        elif cells is None:
            raise InputError("is not a row of CSV", file=path, key=f"line {number}")
        elif block is None:
            block = _unnamed(above, len(cells), path, key)
            block.rows.append((number, cells))
        elif not block.rows and not _is_row(cells) and block.unit is None and _unit(line):
            block.unit = _unit(line)  # a line of units below the names
        else:
            block.rows.append((number, cells))
    if block is None:
        block = _unnamed(above, 0, path, key)
    for kinds, missing in (({"axis"}, "wavelength_nm"), ({"n", "k", "eps1"}, "n")):
        if not kinds & set(block.columns):
            raise InputError(
                f"has no column {missing}; its header is {','.join(block.names)}", file=path, key=key
            )
    block.unit = block.unit or next(filter(None, (_unit(line) for line in above)), None)
    yield block


def _unnamed(above: list[str], width: int, path: Path, key: str) -> _Block:
    """The columns of a file without names: Woollam's, with a line for the unit and one that says NK or E1E2."""
    words = [line.strip().lower() for line in above]
    unit = next((unit for unit in map(_unit, above) if unit), None)
    if unit and width >= 3 and "nk" in words:
        return _Block({"axis": (0, "1"), "n": (1, "2"), "k": (2, "3")}, unit, [])
    if unit and width >= 3 and {"e1e2", "eps", "epsilon"} & set(words):
        return _Block({"axis": (0, "1"), "eps1": (1, "2"), "eps2": (2, "3")}, unit, [])
    names = next((cells for line in above if (cells := cells_of(line, _delimiter([(0, line)])))), [])
    raise InputError(f"has no column n; its header is {','.join(names)}", file=path, key=key)


def _header(line: str) -> _Block | None:
    """The columns that a line names, cut as it names most; None where it names no wavelength and nothing beside."""
    glued = re.sub(
        r"\s+(?=[(\[/])", "", re.sub(r"(?i)\b(photon|refractive|extinction|wave)\s+(?=\w)", r"\1_", line)
    )
    best: _Block | None = None
    for delimiter in DELIMITERS:
        cells = cells_of(glued if delimiter == " " else line, delimiter) or []
        columns: dict[str, tuple[int, str]] = {}
        for at, name in enumerate(cells):
            kind = _kind(name)
            if kind:
                columns.setdefault(kind, (at, name))
        if len(columns) > 1 and "axis" in columns and (best is None or len(columns) > len(best.columns)):
            best = _Block(columns, _unit(columns["axis"][1]), cells)
    return best


def _kind(name: str) -> str | None:
    """What a column holds, by its name without unit."""
    plain = name.strip().strip("'\"").lower()
    if _unit(plain) and re.fullmatch("|".join(_UNITS.values()), plain):
        return "axis"
    plain = re.sub(r"\s*[\[(/].*$|[_,\s]+(?:nm|[uµμ]m|ev|angstroms?)$", "", plain).strip() or plain
    return next((kind for kind, form in _KINDS.items() if re.fullmatch(form, plain)), None)


def _unit(text: str) -> str | None:
    """The unit that a text names, standing by itself."""
    for unit, form in _UNITS.items():
        if re.search(rf"(?i)(?<![a-z0-9µμ])(?:{form})(?![a-z0-9])", text.replace("_", " ")):
            return unit
    return None


# -- values --------------------------------------------------------------------------------------------------------


def _values(
    block: _Block, path: Path, guesses: set[str], wrong: list[InputError]
) -> Iterator[tuple[str, tuple[int, float, float]]]:
    """What each row says: n or k, with its line, wavelength in nm and value."""
    rows = [(line, _read(line, cells, block, path, wrong)) for line, cells in block.rows]
    axis = [values["axis"] for _, values in rows if values.get("axis")]
    unit = block.unit or _guessed(axis, block, path)
    if block.unit is None and unit != "eV":
        guesses.add(f"no unit in its header, taken as {unit}")
    for line, values in rows:
        if "axis" not in values:
            continue
        at = _TO_NM[unit](values["axis"])
        if "eps1" in values and "eps2" in values and "n" not in values:
            root = complex(values["eps1"], values["eps2"]) ** 0.5
            values = {"n": root.real, "k": root.imag}
        for name in ("n", "k"):
            if name in values:
                yield name, (line, at, values[name])


def _read(
    line: int, cells: list[str], block: _Block, path: Path, wrong: list[InputError]
) -> dict[str, float]:
    """The numbers of a row; an empty cell of k says that k is not known there."""
    found: dict[str, float] = {}
    for kind, (at, name) in block.columns.items():
        text = cells[at] if at < len(cells) else ""
        if kind == "k" and not text and at < len(cells):
            continue
        value, key = _number(text), f"line {line}, column {name}"
        if value is None:
            wrong.append(InputError("must be a number", file=path, key=key, value=text))
        elif not math.isfinite(value):
            wrong.append(InputError("must be a finite number", file=path, key=key, value=text))
        elif kind in ("axis", "n") and value <= 0.0:
            wrong.append(InputError("must be > 0", file=path, key=key, value=value))
        else:
            found[kind] = value
    return found


def _guessed(axis: list[float], block: _Block, path: Path) -> str:
    """The unit of wavelengths whose header has none, where their size leaves no doubt."""
    name = block.columns["axis"][1]
    if re.fullmatch(r"(?i)(photon[ _]?)?energy|h[vν]", name.strip()):
        return "eV"
    if axis and min(axis) >= 100.0:
        return "nm"
    if axis and min(axis) >= 0.2 and max(axis) <= 20.0 and name.strip().lower() != "e":
        return "µm"
    rule = "names no unit, and its numbers may be nm, µm or eV; write the unit into its name, as in wavelength_nm"
    raise InputError(rule, file=path, key=f"column {name}")
