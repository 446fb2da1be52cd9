"""GDSII stream format, written record by record from whole numbers.

gdstk, which reads the result back and writes OASIS, turns an array whose vectors are not at right angles into one
reference per copy, which for a hexagonal field is a file a hundred thousand times as large, and takes coordinates as
floats. The format needs little: big-endian records of (length, type, data type, data), see the GDSII Stream Format
Manual 6.0, Calma 1987. Nothing here depends on the clock, so equal layouts give equal bytes.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from typing import Any

from cavitydesign.errors import Unavailable
from cavitydesign.masks.layout import Cell, Layer, Layout, Point, Reference

_STAMP = (2000, 1, 1, 0, 0, 0)
_HEADER, _BGNLIB, _LIBNAME, _UNITS, _ENDLIB = 0x0002, 0x0102, 0x0206, 0x0305, 0x0400
_BGNSTR, _STRNAME, _ENDSTR, _ENDEL = 0x0502, 0x0606, 0x0700, 0x1100
_BOUNDARY, _SREF, _AREF, _TEXT = 0x0800, 0x0A00, 0x0B00, 0x0C00
_LAYER, _DATATYPE, _TEXTTYPE, _XY = 0x0D02, 0x0E02, 0x1602, 0x1003
_SNAME, _COLROW, _STRING = 0x1206, 0x1302, 0x1906


def gds_bytes(layout: Layout) -> bytes:
    """The whole library; user unit 1 µm."""
    unit_nm = layout.spec.database_unit_nm
    parts = [
        _shorts(_HEADER, 600),
        _shorts(_BGNLIB, *_STAMP, *_STAMP),
        _text(_LIBNAME, layout.spec.name),
        _record(_UNITS, _real8(unit_nm / 1000.0) + _real8(unit_nm / 1e9)),
    ]
    parts += [part for cell in layout.cells for part in _cell(cell)]
    return b"".join((*parts, _record(_ENDLIB)))


def _cell(cell: Cell) -> Iterator[bytes]:
    yield _shorts(_BGNSTR, *_STAMP, *_STAMP)
    yield _text(_STRNAME, cell.name)
    for polygon in cell.polygons:
        closed = _points(*polygon.points, polygon.points[0])
        yield _element(_BOUNDARY, _on(polygon.layer, _DATATYPE), closed)
    for reference in cell.references:
        yield _reference(reference)
    for mark in cell.texts:
        place = _points(mark.position)
        yield _element(_TEXT, _on(mark.layer, _TEXTTYPE), place, _text(_STRING, mark.text))
    yield _record(_ENDSTR)


def _reference(reference: Reference) -> bytes:
    """One copy: SREF. An array: AREF, whose corners are origin, origin + columns v1, origin + rows v2."""
    name, (x, y) = _text(_SNAME, reference.cell), reference.origin
    n, m = reference.columns, reference.rows
    if reference.count == 1:
        return _element(_SREF, name, _points((x, y)))
    (ax, ay), (bx, by) = reference.v1, reference.v2
    corners = _points((x, y), (x + n * ax, y + n * ay), (x + m * bx, y + m * by))
    return _element(_AREF, name, _shorts(_COLROW, n, m), corners)


def _element(kind: int, *parts: bytes) -> bytes:
    return b"".join((_record(kind), *parts, _record(_ENDEL)))


def _on(layer: Layer, kind: int) -> bytes:
    return _shorts(_LAYER, layer[0]) + _shorts(kind, layer[1])


def _record(kind: int, data: bytes = b"") -> bytes:
    return struct.pack(">HH", 4 + len(data), kind) + data


def _shorts(kind: int, *numbers: int) -> bytes:
    return _record(kind, struct.pack(f">{len(numbers)}h", *numbers))


def _points(*points: Point) -> bytes:
    flat = [value for point in points for value in point]
    return _record(_XY, struct.pack(f">{len(flat)}i", *flat))


def _text(kind: int, text: str) -> bytes:
    data = text.encode("ascii")
    return _record(kind, data + b"\0" * (len(data) % 2))


def _real8(value: float) -> bytes:
    """Excess-64 base-16 floating point: sign, 7 bits of exponent, 56 bits of mantissa, 1/16 <= mantissa < 1."""
    exponent = -(-math.frexp(value)[1] // 4)
    return struct.pack(">Q", (64 + exponent) << 56 | round(math.ldexp(value, 56 - 4 * exponent)))


def import_gdstk() -> Any:
    """gdstk, or :class:`~cavitydesign.errors.Unavailable`."""
    try:
        import gdstk
    except ImportError as error:
        raise Unavailable("gdstk", why=str(error), install="pip install gdstk") from None
    return gdstk
