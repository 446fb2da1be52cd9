"""A design file with some numbers changed: the user's own text, comments and order kept, with the new numbers in it."""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import InlineTable

from cavitydesign.files import read_text
from cavitydesign.geometry.base import SourcedNumber


def with_numbers(
    path: str | Path, numbers: Sequence[SourcedNumber], *, folder: str | Path, header: str = ""
) -> str:
    """The text of the design file at ``path`` with some numbers and their sources replaced, to be kept in ``folder``.

    Args:
        path: the file that the design was loaded from.
        numbers: the new numbers, by their dotted paths.
        folder: where the text will stand: relative paths of tables follow it there.
        header: lines of comment to put on top.
    """
    path = Path(path)
    document = tomlkit.parse(read_text(path))
    for record in numbers:
        _place(document, record)
    old, new = path.resolve().parent, Path(folder).resolve()
    if old != new:
        _move_tables(document, old, new)
    comment = "".join(f"# {line}".rstrip() + "\n" for line in header.splitlines())
    text = comment + tomlkit.dumps(document)
    return text.replace("\n", "\r\n") if b"\r\n" in path.read_bytes() else text


def _place(document: Any, record: SourcedNumber) -> None:
    *parents, last = record.path.split(".")
    place: Any = document
    for step in parents:
        if isinstance(place, list):
            place = place[int(step)]
        else:
            if step not in place:  # a table that the file left to its defaults
                place[step] = tomlkit.inline_table() if isinstance(place, InlineTable) else tomlkit.table()
            place = place[step]
    said = {
        "value": record.value,
        "source": record.source,
        "plus_minus": record.plus_minus,
        "note": record.note,
    }
    content = {name: item for name, item in said.items() if item not in (None, "")}
    at: Any = int(last) if isinstance(place, list) else last
    old = place[at] if isinstance(place, list) else place.get(at)
    if isinstance(old, MutableMapping) and not isinstance(
        old, InlineTable
    ):  # a table of its own: its lines have comments
        for name in set(old) - set(content):
            del old[name]
        old.update(content)
    else:
        place[at] = tomlkit.inline_table()
        place[at].update(content)


def _move_tables(content: Any, old: Path, new: Path) -> None:
    """Relative paths of tables are relative to their file; they follow it to another folder."""
    names: Any = content if isinstance(content, Mapping) else range(len(content))
    for name in list(names):
        item = content[name]
        if name == "table" and isinstance(item, str):
            content[name] = os.path.relpath(old / item, new)  # type: ignore[index]  # tomlkit's are mutable
        elif isinstance(item, Mapping | list):
            _move_tables(item, old, new)
