"""Read a written mask with gdstk and compare it with the layout and, beyond that, with the design.

Two comparisons, of which the second does not trust build: every cell of the file against the layout (XOR of the
polygons, and the references number by number); and every array against the lattice and shapes that the design asks
for, in exact lengths: each copy's position, and the XOR of the unit cell with its true outline.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from cavitydesign.errors import InputError
from cavitydesign.masks.arrays import MAX_BLOCKS
from cavitydesign.masks.gds import SUFFIXES
from cavitydesign.masks.layout import Array, ArrayRecord, Cell, Device, Layout, Point, Polygon, Reference
from cavitydesign.masks.stream import import_gdstk


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What the file holds, compared.

    Attributes:
        xor_um2: area in which file and layout differ, summed over cells.
        shape_xor: largest XOR of a unit cell with the designed outline, as a fraction of the outline's area.
        position_nm: worst distance of a copy from its place in the designed lattice.
        copies: copies found in arrays.
        pitch_nm: (device, mean period along a1) as found.
        problems: one line each; the file is good when there are none.
    """

    path: Path
    xor_um2: float
    shape_xor: float
    position_nm: float
    copies: int
    pitch_nm: tuple[tuple[str, float], ...]
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """True when the file holds what was to be written."""
        return not self.problems


def read_back(path: str | Path, layout: Layout) -> ReadBack:
    """Compare the file at ``path`` (.gds or .oas) with the layout and its design.

    Raises:
        InputError: when there is no readable mask.
    """
    path = Path(path)
    unit_nm = layout.spec.database_unit_nm
    found, problems = _read(path, unit_nm)
    xor, expected = 0.0, layout.by_name
    problems += [f"cell {name} is missing" for name in expected.keys() - found.keys()]
    problems += [f"cell {name} was not asked for" for name in found.keys() - expected.keys()]
    for name in sorted(expected.keys() & found.keys()):
        area, notes = _compare(expected[name], found[name])
        xor += area * (unit_nm * 1e-3) ** 2
        problems += notes
    results = {
        device.name: _against_design(layout, device, device.array, found)
        for device in layout.devices
        if device.array is not None and {device.name, device.array.unit_cell} <= found.keys()
    }
    each = results.values()
    problems += [problem for item in each for problem in item.problems]
    shape = max((item.shape for item in each), default=0.0)
    position = max((item.position for item in each), default=0.0)
    copies, pitches = sum(item.copies for item in each), tuple((name, r.pitch) for name, r in results.items())
    return ReadBack(path, xor, shape, position, copies, pitches, tuple(sorted(problems)))


def _read(path: Path, unit_nm: float) -> tuple[dict[str, Cell], list[str]]:
    gdstk, suffix = import_gdstk(), path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError("a mask is a .gds or .oas file", file=path)
    if not path.is_file():
        raise InputError("there is no such file", file=path)
    try:
        library = (gdstk.read_gds if suffix == ".gds" else gdstk.read_oas)(str(path))
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError(f"cannot be read as a mask: {error}", file=path) from None
    problems = []
    if abs(library.precision / (unit_nm * 1e-9) - 1.0) > 1e-9:
        problems.append(f"the database unit is {library.precision * 1e9:g} nm, not {unit_nm:g} nm")
    scale = library.unit / library.precision
    return {cell.name: _cell(cell, scale) for cell in library.cells}, problems


def _cell(cell: Any, scale: float) -> Cell:
    polygons = []
    for polygon in cell.polygons:
        points = np.rint(np.asarray(polygon.points) * scale).astype(int).tolist()
        layer = (polygon.layer, polygon.datatype)
        for dx, dy in _offsets(polygon.repetition, scale):
            polygons.append(Polygon(layer, tuple((x + dx, y + dy) for x, y in points)))
    references = []
    for item in cell.references:
        name = item.cell if isinstance(item.cell, str) else item.cell.name
        turned = item.rotation != 0.0 or item.magnification != 1.0 or item.x_reflection
        references += _references(f"{name} (turned)" if turned else name, item, scale)
    return Cell(cell.name, tuple(polygons), tuple(references))


def _offsets(repetition: Any, scale: float) -> list[Point]:
    if repetition.size == 0:
        return [(0, 0)]
    return [_point(offset, scale) for offset in repetition.get_offsets()]


def _references(name: str, item: Any, scale: float) -> list[Reference]:
    repetition, origin = item.repetition, _point(item.origin, scale)
    if repetition.columns and repetition.rows:
        steps = repetition.v1, repetition.v2
        if repetition.v1 is None:
            steps = (repetition.spacing[0], 0.0), (0.0, repetition.spacing[1])
        vectors = (_point(step, scale) for step in steps)
        return [Reference(name, origin, repetition.columns, repetition.rows, *vectors)]
    shifts = _offsets(repetition, scale)
    steps = {(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(shifts)}
    if len(steps) == 1:  # one row of equal steps, which OASIS keeps as a list
        return [Reference(name, origin, len(shifts), 1, steps.pop(), (0, 0))]
    return [Reference(name, (origin[0] + dx, origin[1] + dy)) for dx, dy in shifts]


def _point(value: Any, scale: float) -> Point:
    x, y = (value.real, value.imag) if isinstance(value, complex) else value
    return round(float(x) * scale), round(float(y) * scale)


def _compare(expected: Cell, found: Cell) -> tuple[float, list[str]]:
    """XOR area of the polygons in database units², and what differs."""
    problems = []
    if len(expected.polygons) != len(found.polygons):
        problems.append(f"cell {expected.name}: {len(found.polygons)} polygons, not {len(expected.polygons)}")
    wanted, there = sorted(map(_plain, expected.references)), sorted(map(_plain, found.references))
    if wanted != there:
        number = len(set(wanted) ^ set(there))
        problems.append(f"cell {expected.name}: {number} references differ in cell, origin, count or step")
    layers = {polygon.layer for polygon in (*expected.polygons, *found.polygons)}
    area = 0.0
    for layer in sorted(layers):
        pair = ([p.points for p in cell.polygons if p.layer == layer] for cell in (expected, found))
        area += xor_area(*pair)
    if area > 0.0:
        problems.append(f"cell {expected.name}: polygons differ over {area:g} square database units")
    return area, problems


def _plain(reference: Reference) -> tuple[Any, ...]:
    """A reference in the one form that all formats agree on: steps that are not taken do not count."""
    steps = (reference.columns, reference.v1), (reference.rows, reference.v2)
    taken = [step for step in steps if step[0] > 1]
    return reference.cell, reference.origin, *taken


def xor_area(first: list[Any], second: list[Any]) -> float:
    """Area covered by one set of polygons and not by the other, in squares of their own unit."""
    if sorted(map(_canonical, first)) == sorted(map(_canonical, second)):
        return 0.0
    gdstk = import_gdstk()
    a, b = ([gdstk.Polygon(points) for points in polygons] for polygons in (first, second))
    return float(sum(polygon.area() for polygon in gdstk.boolean(a, b, "xor", precision=1e-3)))


def _canonical(points: Any) -> tuple[Any, ...]:
    points = [tuple(point) for point in np.asarray(points).tolist()]
    start = points.index(min(points))
    return tuple(points[start:] + points[:start])


@dataclass(frozen=True, slots=True)
class _Found:
    shape: float
    position: float
    copies: int
    pitch: float
    problems: list[str]


def _against_design(layout: Layout, device: Device, record: ArrayRecord, found: dict[str, Cell]) -> _Found:
    unit, stated = layout.spec.database_unit_nm, record.position_error_nm
    references = [r for r in found[device.name].references if r.cell == record.unit_cell]
    copies = sum(reference.count for reference in references)
    problems = [f"{copies} copies, not {record.count}"] if copies != record.count else []
    shape, position, pitch = 0.0, 0.0, math.nan
    if len(references) > len(record.sublattices) * MAX_BLOCKS:
        problems.append(f"{len(references)} references, no array")
    else:
        position, pitch, strangers = _match(references, record, unit)
        if strangers:
            problems.append(f"{strangers} references do not belong to the lattice, or repeat a part of it")
        if position > stated + 1e-6:
            problems.append(f"a copy is {position:.4g} nm from its place, stated {stated:.4g} nm")
        shape, allowed = _shape_error(layout, record, found[record.unit_cell], unit)
        if shape > allowed:
            differs = f"differs from the design by {shape:.3%} of its area, allowed {allowed:.3%}"
            problems.append(f"the feature {differs}")
    return _Found(shape, position, copies, pitch, [f"{device.name}: {problem}" for problem in problems])


def _match(references: list[Reference], record: ArrayRecord, unit_nm: float) -> tuple[float, float, int]:
    """Worst distance of a copy from the designed lattice, nm; mean step along a1, nm; number of misplaced references.

    Inverting (a1, a2) gives each reference the lattice indices of its first copy; its steps must be one index each.
    The distance is then linear in the copy's number within the reference, so its largest value is at a corner, and
    four corners stand for all copies exactly. References must neither overlap in indices nor leave the lattice.
    """
    worst, pitch, left = 0.0, math.nan, list(references)
    for first, n1, n2, v1, v2 in record.sublattices:
        basis, taken, found = np.array([v1, v2]), [], []
        for reference in left:
            corners = np.array(reference.corners(), dtype=float) * unit_nm - np.array(first)
            index = corners @ np.linalg.inv(basis)
            whole = np.rint(index)
            away = np.hypot(*((index - whole) @ basis).T)
            span = tuple((whole[2] - whole[0] + 1).tolist())
            sizes = [(reference.columns, reference.rows)]
            if reference.rows == 1:  # a file may hold a single line of copies as its columns or as its rows
                sizes.append((1, reference.columns))
            fits = (whole[0] >= 0).all() and (whole[2] < (n1, n2)).all() and span in sizes
            if fits and away.max() < 0.2 * np.hypot(*basis.T).min():
                taken.append((*whole[0], *(whole[2] + 1)))
                found.append((reference, whole, corners))
                worst = max(worst, float(away.max()))
        overlapping = _overlaps(np.array(taken).reshape(-1, 4))
        kept = {id(reference) for (reference, _, _), bad in zip(found, overlapping, strict=True) if not bad}
        left = [reference for reference in left if id(reference) not in kept]
        if np.isnan(pitch) and n1 > 1 and found:
            ends = sorted((tuple(whole[k]), tuple(corners[k])) for _, whole, corners in found for k in (0, 1))
            row = [(i, point) for (i, j), point in ends if j == ends[0][0][1]]
            if row[-1][0] > row[0][0]:
                pitch = float(np.hypot(*np.subtract(row[-1][1], row[0][1])) / (row[-1][0] - row[0][0]))
    return worst if worst > 1e-7 else 0.0, pitch, len(left)  # below 1e-7 nm it is rounding


def _overlaps(boxes: Array) -> Array:
    """Which of the half-open index boxes (i0, j0, i1, j1) meet an earlier one."""
    low, high = boxes[:, :2], boxes[:, 2:]
    meet = (low[:, None, :] < high[None, :, :]).all(axis=2) & (low[None, :, :] < high[:, None, :]).all(axis=2)
    return np.asarray(np.tril(meet, -1).any(axis=1))


def _shape_error(layout: Layout, record: ArrayRecord, cell: Cell, unit: float) -> tuple[float, float]:
    """XOR of the unit cell with the designed outline, and what snapping may make of it, both over the area."""
    drawn = [np.array(polygon.points) * unit for polygon in cell.polygons]
    ideal = list(record.outlines_nm)
    if record.tone == "inverse":
        gdstk = import_gdstk()
        *_, v1, v2 = record.sublattices[0]
        low = min(np.concatenate(drawn).tolist(), key=lambda p: (p[1], p[0]))
        tile = np.array(low) + np.array([(0.0, 0.0), v1, np.add(v1, v2), v2])
        rest = gdstk.boolean([gdstk.Polygon(tile)], [gdstk.Polygon(p) for p in drawn], "not", precision=1e-6)
        drawn = [polygon.points for polygon in rest]
    difference = xor_area(drawn, ideal)
    rim = sum(float(np.hypot(*(points - np.roll(points, 1, axis=0)).T).sum()) for points in ideal)
    slack = layout.snap.vertex_nm + layout.snap.chord_nm + 1e-6 * unit
    return difference / record.feature_area_nm2, rim * slack / record.feature_area_nm2
