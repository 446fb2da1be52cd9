"""Reading and writing, once: whole files or none, CSV columns, ranges of numbers, JSON, and tables for notebooks."""

from __future__ import annotations

import csv
import html
import json
import math
import os
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from cavitydesign.errors import InputError, told_together

MOST_NUMBERS = 100_000
"""Length of the longest range."""


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: beside its place, then renamed. Its folder is made where it is missing.

    A process that was killed half-way leaves a hidden file beside the old one, never a broken one in its place.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    work = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        work.write_bytes(data)
        os.replace(work, path)  # noqa: PTH105
    finally:
        work.unlink(missing_ok=True)


def read_text(path: Path, *, key: str | None = None, decode: Callable[[bytes], str] | None = None) -> str:
    """The text of a UTF-8 file, with or without a byte-order mark; or of whatever ``decode`` makes a text of.

    Raises:
        InputError: naming the file, and ``key`` where its name stands in another file.
    """
    try:
        return decode(path.read_bytes()) if decode else path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError("there is no such file", file=path, key=key) from None
    except (OSError, ValueError):  # a folder, not UTF-8, or a null byte in the path
        kind = "text" if decode else "UTF-8 text"
        raise InputError(f"cannot be read as a {kind} file", file=path, key=key) from None


def decoded(data: bytes) -> str:
    """The text of a table as instruments and spreadsheets save it: UTF-8, UTF-16 with its mark, or else Latin-1."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    if b"\0" in data:
        raise ValueError("not a text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def text_lines(
    path: Path, *, key: str | None = None, comments: tuple[str, ...] = ("#",)
) -> list[tuple[int, str]]:
    """The lines of a table with their numbers, without blank ones and comments; there must be one at least."""
    text = read_text(path, key=key, decode=decoded)
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    lines = [(number, line) for number, line in lines if not line.lstrip().startswith(comments)]
    if not lines:
        raise InputError("is empty; it needs a header row", file=path, key=key)
    return lines


def cells_of(line: str, delimiter: str) -> list[str] | None:
    """The cells of a line; None where it cannot be cut so."""
    if delimiter == " ":
        return line.split()
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, strict=True))]
    except csv.Error:
        return None


DELIMITERS = ("\t", ";", ",", " ")
_DECIMAL_COMMA = re.compile(r"([+-]?\d*),(\d+(?:[eE][+-]?\d+)?)")


def csv_rows(path: Path, *, key: str | None = None) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header and rows of a CSV file, each row with its line's number; blank lines and ``#`` comments are passed over.

    Columns are parted by what cuts the header most; where that is no comma, a number may have a decimal one. It is read
    line by line: a number never spans two of them, and an open quote then ends with its line.
    """
    lines = text_lines(path, key=key)
    cuts = {mark: len(cells_of(lines[0][1], mark) or ()) for mark in (",", "\t", ";")}
    delimiter = max(cuts, key=lambda mark: cuts[mark])
    if cuts[delimiter] < 2 and len(lines[0][1].split()) > 1:
        delimiter = " "
    rows, wrong = [], []
    for number, line in lines:
        cells = cells_of(line, delimiter)
        if cells is None:
            wrong.append(InputError("is not a row of CSV", file=path, key=f"line {number}"))
        elif delimiter != ",":
            cells = [_DECIMAL_COMMA.sub(r"\1.\2", c) if _DECIMAL_COMMA.fullmatch(c) else c for c in cells]
        rows.append((number, cells or []))
    if wrong:
        raise told_together(wrong)
    return rows[0][1], rows[1:]


def finite_number(text: str, *, key: str, file: object = None) -> float:
    """A finite number from text, or an InputError that names where it stands."""
    try:
        found = float(text)
    except ValueError:
        raise InputError("must be a number", file=file, key=key, value=text) from None
    if not math.isfinite(found):
        raise InputError("must be a finite number", file=file, key=key, value=text)
    return found


def parse_range(text: str, *, key: str, most: int = MOST_NUMBERS) -> tuple[float, ...]:
    """``start:stop:step`` (stop included), ``a,b,c`` or ``a`` as numbers; decimal steps stay exact."""
    if ":" not in text:
        values = tuple(float(_decimal(part, key)) for part in text.split(","))
        if len(set(values)) != len(values):
            raise InputError("has a value twice", key=key, value=text)
        return values
    parts = text.split(":")
    if len(parts) != 3:
        raise InputError("a range is start:stop:step", key=key, value=text)
    start, stop, step = (_decimal(part, key) for part in parts)
    if step == 0 or (stop - start) / step < 0:
        raise InputError("the step must lead from start to stop", key=key, value=text)
    count = (stop - start) / step
    if count >= most:
        raise InputError(f"asks for more than {most} points", key=key, value=text)
    return tuple(float(start + index * step) for index in range(int(count) + 1))


def _decimal(text: str, key: str) -> Decimal:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        raise InputError("must be a number", key=key, value=text.strip()) from None
    if not number.is_finite() or abs(number) > Decimal("1e300"):
        raise InputError("must be a finite number", key=key, value=text.strip())
    return number


def json_ready(value: Any) -> Any:
    """Content as JSON can have it: NaN and infinities become None, a complex number a pair, arrays lists."""
    if isinstance(value, Mapping):
        return {str(name): json_ready(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_ready(item) for item in value]
    if hasattr(value, "tolist"):
        return json_ready(value.tolist())
    if isinstance(value, complex):
        return [json_ready(value.real), json_ready(value.imag)] if math.isfinite(value.real) else None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def json_text(content: Any, *, indent: int = 2) -> str:
    """One JSON document, with a line end."""
    return json.dumps(json_ready(content), ensure_ascii=False, allow_nan=False, indent=indent) + "\n"


def html_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A plain table for notebooks; what it shows is escaped."""
    cells = ["".join(f"<th>{html.escape(name)}</th>" for name in head)]
    cells += ["".join(f"<td>{html.escape(text)}</td>" for text in row) for row in rows]
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"
