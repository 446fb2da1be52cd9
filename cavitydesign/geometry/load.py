"""The edge where a design file becomes a validated design. The only place of this package that opens files."""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cavitydesign.errors import InputError, Unavailable, told_together
from cavitydesign.files import csv_rows, finite_number
from cavitydesign.geometry.base import strip_sources, validated
from cavitydesign.geometry.catalogue import library_file
from cavitydesign.geometry.complaint import told_once
from cavitydesign.geometry.design import MATERIAL_KEYS, Design, unknown_material
from cavitydesign.geometry.emitter import GainTable
from cavitydesign.geometry.families import families
from cavitydesign.geometry.index_table import read_index_table


def load_design(path: str | Path) -> Design:
    """Read a design from a TOML file; relative paths in it are relative to it.

    Raises:
        InputError: naming file, key, rule and value.
    """
    path = Path(path)
    content = read_toml(path)
    try:
        return design_from_dict(content, base_dir=path.parent)
    except InputError as error:
        raise error.in_file(path) from None


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file, or an InputError with the line that cannot be read."""
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        raise InputError("there is no such file", file=path) from None
    except UnicodeDecodeError:
        raise InputError("is not a text file in UTF-8", file=path) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=path) from None
    except RecursionError:
        raise InputError("is nested too deeply", file=path) from None
    except ValueError as error:  # TOMLDecodeError, a number of thousands of digits, a null byte in the path
        raise InputError(f"is not valid TOML: {error}", file=path) from None


def design_from_dict(content: Mapping[str, Any], *, base_dir: str | Path = ".") -> Design:
    """Build a design from plain content (parsed TOML or JSON), as :func:`load_design` does from a file.

    It also takes back what ``design.model_dump(mode="json")`` gave, with the records of its sources. Dumped with
    ``exclude_unset=True``, a design also remembers which numbers were left to their defaults.
    """
    if not isinstance(content, Mapping):
        raise InputError("a design is a table of keys", value=content)
    known = families()
    if "family" not in content and {"fields", "apertures"} & set(content):
        raise InputError("this is a mask, not a design; the commands mask and check take it")
    faults: dict[str, InputError] = {}
    family = content.get("family")
    if not isinstance(family, str) or family not in known:
        rule = "must be" if "family" in content else "this key is required and is missing:"
        got = {"value": family} if "family" in content else {}
        faults["family"] = InputError(f"{rule} one of {', '.join(known)}", key="family", **got)
    records = content.get("sources", ())
    if not isinstance(records, list | tuple):
        rule = "must be a list of records; write a number's source beside the number"
        records, faults["sources"] = (), InputError(rule, key="sources")
    try:
        own = {name: item for name, item in content.items() if name != "sources"}
        plain, sources = strip_sources(own, faults=faults)
        plain = _with_tables(plain, Path(base_dir), "", faults)
        faults |= dict(_unknown_materials(plain, plain.get("materials"), ""))
    except RecursionError:
        raise InputError("is nested too deeply") from None
    if "family" in faults:
        raise told_once(faults.values())
    return validated(known[str(family)], {**plain, "sources": (*records, *sources)}, faults=faults)


def _with_tables(content: Any, base_dir: Path, path: str, faults: dict[str, InputError]) -> Any:
    """Replace each ``{ table = "file.csv" }`` by the numbers of the file; of one without, the fault is noted."""
    if isinstance(content, Mapping):
        table, key = content.get("table"), f"{path}.table".lstrip(".")
        try:
            if isinstance(table, str) and path == "emitter.spectrum" and len(content) == 1:
                return read_gain_table(base_dir / table, shown=table, key=key)
            if isinstance(table, str) and not {"n", "gain_per_cm"} & set(content):
                return {**content, **read_index_table(base_dir / table, shown=table, key=key)}
        except InputError as error:
            faults[path] = error
            return content
        items = ((name, item, f"{path}.{name}".lstrip(".")) for name, item in content.items())
        return {name: _with_tables(item, base_dir, where, faults) for name, item, where in items}
    if isinstance(content, list):
        return [_with_tables(item, base_dir, f"{path}.{i}", faults) for i, item in enumerate(content)]
    return content


def _unknown_materials(content: Any, known: Any, path: str) -> Iterator[tuple[str, InputError]]:
    """Materials that nothing is known of, by their keys: names that [materials] lacks, pages that are no entries."""
    if isinstance(content, list):
        content = {str(index): item for index, item in enumerate(content)}
    if not isinstance(content, Mapping):
        return
    for name, item in content.items():
        where = f"{path}.{name}".lstrip(".")
        if (
            name in MATERIAL_KEYS
            and isinstance(item, str)
            and item
            and not (isinstance(known, Mapping) and item in known)
        ):
            yield where, unknown_material(item, known if isinstance(known, Mapping) else ()).told(where)
        elif name == "library" and isinstance(item, str) and item.count("/") >= 2:
            try:
                with contextlib.suppress(Unavailable):
                    library_file(item, key=where)
            except InputError as error:
                yield where, error
        yield from _unknown_materials(item, known, where)


def read_gain_table(path: str | Path, *, shown: str | None = None, key: str | None = None) -> GainTable:
    """A measured gain spectrum from CSV: wavelength_nm, gain_per_cm and, for several levels, what counts them.

    ``shown`` is the name that the value keeps: the path as the design wrote it.
    """
    counts = ("pairs_per_shell", "fluence_uj_per_cm2")
    columns = read_columns(Path(path), required=("wavelength_nm", "gain_per_cm"), optional=counts, key=key)
    given = [name for name in counts if name in columns]
    if len(given) > 1:
        rule = f"has both {given[0]} and {given[1]}; one of them counts the pump level"
        raise InputError(rule, file=path, key=key)
    content = {
        "table": str(path) if shown is None else shown,
        "level": given[0] if given else "none",
        "levels": columns[given[0]] if given else (0.0,) * len(columns["wavelength_nm"]),
        "wavelengths_nm": columns["wavelength_nm"],
        "gain_per_cm": columns["gain_per_cm"],
    }
    try:
        return validated(GainTable, content)
    except InputError as error:
        raise error.in_file(path) from None


def read_columns(
    path: Path, *, required: tuple[str, ...], optional: tuple[str, ...] = (), key: str | None = None
) -> dict[str, tuple[float, ...]]:
    """Number columns of a CSV file with a header row; ``#`` starts a comment line.

    Raises:
        InputError: naming the file, the row and the column of what is not a finite number.
    """
    header, rows = csv_rows(path, key=key)
    wrong = [
        InputError(f"has no column {name}; its header is {','.join(header)}", file=path, key=key)
        for name in required
        if name not in header
    ]
    found: dict[str, tuple[float, ...]] = {}
    for name in (name for name in (*required, *optional) if name in header):
        at, numbers = header.index(name), []
        for line, row in rows:
            try:
                text = row[at].strip() if at < len(row) else ""
                numbers.append(finite_number(text, file=path, key=f"line {line}, column {name}"))
            except InputError as error:
                wrong.append(error)
        found[name] = tuple(numbers)
    if wrong:
        raise told_together(wrong)
    return found
