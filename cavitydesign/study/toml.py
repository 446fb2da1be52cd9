"""A design file with some numbers changed: the file's own content, written again. Comments are lost.

Python reads TOML but does not write it; a design is tables, arrays, numbers and short texts, which take few lines.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cavitydesign.errors import InputError
from cavitydesign.geometry.base import SourcedNumber
from cavitydesign.geometry.load import read_toml

_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")


def with_numbers(
    path: str | Path, numbers: Sequence[SourcedNumber], *, folder: str | Path, header: str = ""
) -> str:
    """The text of the design file at ``path`` with some numbers and their sources replaced, kept in ``folder``."""
    content = read_toml(Path(path))
    for record in numbers:
        _place(content, record)
    moved = _moved_tables(content, Path(path).resolve().parent, Path(folder).resolve())
    lines = [f"# {line}".rstrip() for line in header.splitlines()]
    return "\n".join([*lines, dumps(moved)])


def dumps(content: Mapping[str, Any]) -> str:
    """TOML text of plain content: top-level tables as sections, what they hold inline."""
    plain = {name: value for name, value in content.items() if not _is_section(value)}
    lines = [f"{_key(name)} = {_inline(value)}" for name, value in plain.items()]
    for name, value in content.items():
        if name not in plain:
            sections = [value] if isinstance(value, Mapping) else value
            mark = "[{}]" if isinstance(value, Mapping) else "[[{}]]"
            for section in sections:
                lines += [
                    "",
                    mark.format(_key(name)),
                    *(f"{_key(key)} = {_inline(item)}" for key, item in section.items()),
                ]
    return "\n".join(lines) + "\n"


def _is_section(value: Any) -> bool:
    tables = isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)
    return tables or (isinstance(value, Mapping) and not {"value", "source"} <= set(value))


def _inline(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return (
            "{ " + ", ".join(f"{_key(name)} = {_inline(item)}" for name, item in value.items()) + " }"
            if value
            else "{}"
        )
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_inline(item) for item in value) + "]"
    raise InputError("is a kind of value that a design does not have", key="toml", value=value)


def _key(name: str) -> str:
    return name if _BARE.match(name) else json.dumps(name, ensure_ascii=False)


def _place(content: dict[str, Any], record: SourcedNumber) -> None:
    *parents, last = record.path.split(".")
    place: Any = content
    for step in parents:
        place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
    number = {
        "value": record.value,
        "source": record.source,
        "plus_minus": record.plus_minus,
        "note": record.note,
    }
    place[int(last) if isinstance(place, list) else last] = {
        name: item for name, item in number.items() if item not in (None, "")
    }


def _moved_tables(content: Any, old: Path, new: Path) -> Any:
    """Relative paths of tables are relative to their file; they follow it to another folder."""
    if isinstance(content, Mapping):
        return {
            name: os.path.relpath(old / item, new)
            if name == "table" and isinstance(item, str) and old != new
            else _moved_tables(item, old, new)
            for name, item in content.items()
        }
    return [_moved_tables(item, old, new) for item in content] if isinstance(content, list) else content
