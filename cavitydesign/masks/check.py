"""Fabrication rules: what can be drawn but should not be made, with the place and the number."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from operator import itemgetter
from typing import Literal

import numpy as np

from cavitydesign.kinds import Array
from cavitydesign.masks.arrays import IDEAL_VERTICES
from cavitydesign.masks.distance import polygon_distance, polygon_width
from cavitydesign.masks.layout import ArrayRecord, Box, Cell, Layout, Polygon, Reference, bounds, box_of

Rule = Literal[
    "min_feature", "min_gap", "overlap", "clearance", "label_on_pattern", "writing_field", "off_grid", "position_error",
    "outside_die",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule broken at one place. An ``error`` should stop the mask; a ``warning`` is to be known.

    ``where_um`` is in chip coordinates; ``value`` and ``limit`` are in ``unit``.
    """

    rule: Rule
    severity: Literal["error", "warning"]
    cell: str
    where_um: tuple[float, float]
    value: float
    limit: float
    unit: str
    message: str

    def __str__(self) -> str:
        x, y = self.where_um
        return f"{self.severity}: {self.rule}: {self.cell} at ({x:.2f}, {y:.2f}) um: {self.message}"


def check(layout: Layout) -> list[Violation]:
    """Every rule of ``layout.spec.rules`` that the layout breaks, errors first.

    Widths of shapes without notches and gaps between shapes are exact (to a unit where an array is drawn in parts);
    the width of a notched shape is the smallest distance between its facing edges; letters count by their font's stroke
    (an eighth of the height) and its smallest gap (a sixteenth).
    """
    found = [*_sizes(layout), *_arrays(layout), *_letters(layout), *_placements(layout)]
    return sorted(found, key=lambda v: (v.severity, v.rule, v.cell, v.where_um))


_Place = tuple[str, tuple[float, float]]
"""A cell's name, and where in chip coordinates, µm."""
_Limit = tuple[Rule, float]
"""A rule with its smallest length, nm."""


def _place(layout: Layout, name: str, *points: Sequence[float]) -> _Place:
    """The place of a point of a cell, given as summands in database units."""
    unit = layout.spec.database_unit_nm * 1e-3
    x, y = (sum(parts) for parts in zip(*points, strict=True))
    return name, (round(float(x * unit), 4), round(float(y * unit), 4))


def _sizes_wanted(layout: Layout) -> tuple[_Limit, _Limit]:
    rules = layout.spec.rules
    return ("min_feature", rules.min_feature_nm), ("min_gap", rules.min_gap_nm)


def _sizes(layout: Layout) -> Iterator[Violation]:
    """min_feature, min_gap and overlap among the polygons of each device, and of arrays with their neighbours."""
    unit, (feature, gap) = layout.spec.database_unit_nm, _sizes_wanted(layout)
    units = {device.array.unit_cell for device in layout.devices if device.array}
    for cell, origin in _cells_at(layout):
        for reference in cell.references:
            if reference.count > 1 and reference.cell not in units:
                outlines = [_points(polygon) for polygon in layout.cell(reference.cell).polygons]
                place = _place(layout, reference.cell, origin, reference.origin)
                yield from _widths(outlines, feature, unit, place)
                yield from _gaps(outlines, _steps(reference), gap, unit, place)
        shapes = [(p.layer, _points(p)) for p in _plain_polygons(layout, cell)]
        for _, outline in shapes:
            yield from _widths([outline], feature, unit, _place(layout, cell.name, origin, outline[0]))
        for layer in sorted({layer for layer, _ in shapes}):
            same = [outline for other, outline in shapes if other == layer]
            yield from _gaps(same, [], gap, unit, _place(layout, cell.name, origin, same[0][0]))


def _points(polygon: Polygon) -> Array:
    return np.array(polygon.points, dtype=float)


def _plain_polygons(layout: Layout, cell: Cell) -> list[Polygon]:
    """Polygons that are neither letters nor the frame, which is there to be cut."""
    layers = layout.spec.layers
    boxes = [item.box for item in cell.letters]

    def lettered(x: int, y: int) -> bool:
        return any(b[0] <= x <= b[2] and b[1] <= y <= b[3] for b in boxes)

    kept = (p for p in cell.polygons if p.layer != layers.frame)
    return [p for p in kept if p.layer != layers.label or not lettered(*p.points[0])]


def _cells_at(layout: Layout) -> Iterator[tuple[Cell, tuple[int, int]]]:
    by_name = layout.by_name
    for reference in by_name[layout.top].references:
        yield by_name[reference.cell], reference.origin


def _steps(reference: Reference) -> list[tuple[float, float]]:
    (ax, ay), (bx, by) = reference.v1, reference.v2
    along, across = reference.columns > 1, reference.rows > 1
    diagonals = [(ax + bx, ay + by), (ax - bx, ay - by)] if along and across else []
    return [*([(ax, ay)] if along else []), *([(bx, by)] if across else []), *diagonals]


def _arrays(layout: Layout) -> Iterator[Violation]:
    """Features and gaps of each array; its writing field, its grid, its copies' positions."""
    rules, unit = layout.spec.rules, layout.spec.database_unit_nm
    for device in layout.devices:
        record = device.array
        if record is None:
            continue
        place = _place(layout, device.name, device.origin)
        yield from _array_sizes(layout, record, place)
        side, field = max(device.size_um), rules.writing_field_um
        if side > field:
            fields = math.prod(math.ceil(length / field) for length in device.size_um)
            message = f"{side:g} um is more than a writing field of {field:g} um: stitched from {fields}"
            yield Violation("writing_field", "warning", *place, side, field, "um", message)
        error = record.position_error_nm
        if record.grid_error_nm > 0.0:
            message = f"a lattice vector is {record.grid_error_nm:.4g} nm off the grid of {unit:g} nm; "
            message += f"written in parts, no copy is more than {error:.4g} nm from its place"
            yield Violation("off_grid", "warning", *place, record.grid_error_nm, 0.0, "nm", message)
        allowed = rules.max_position_error_nm
        if error > allowed:
            message = (
                f"a copy is {error:.4g} nm from its place, allowed {allowed:g}; use a finer database_unit_nm"
            )
            yield Violation("position_error", "error", *place, error, allowed, "nm", message)


def _array_sizes(layout: Layout, record: ArrayRecord, place: _Place) -> Iterator[Violation]:
    unit, (feature, gap) = layout.spec.database_unit_nm, _sizes_wanted(layout)
    steps = _lattice_steps(record)
    if record.tone == "inverse":  # the rest is drawn: its gaps are the features, its features the gaps
        # every fifth vertex of a 720-gon is within 3e-4 of its radius, and 25 times as fast
        rims = [rim[::5] if len(rim) == IDEAL_VERTICES else rim for rim in record.outlines_nm]
        yield from _widths(rims, gap, 1.0, place)
        yield from _gaps(rims, steps, feature, 1.0, place)
        return
    outlines = [_points(polygon) for polygon in layout.cell(record.unit_cell).polygons]
    yield from _widths(outlines, feature, unit, place)
    yield from _gaps(outlines, [(x / unit, y / unit) for x, y in steps], gap, unit, place)


def _lattice_steps(record: ArrayRecord) -> list[tuple[float, float]]:
    """Vectors to the nearest other copies, nm; opposite ones once."""
    first, n1, n2, v1, v2 = record.sublattices[0]
    steps = _steps(Reference("", (0, 0), n1, n2, v1, v2))  # type: ignore[arg-type]  # nm, not units
    if len(record.sublattices) > 1:
        x, y = (b - a for a, b in zip(first, record.sublattices[1][0], strict=True))
        steps += [(x, y), (x - v1[0], y - v1[1])]
    return steps


def _widths(outlines: list[Array], limit: _Limit, unit: float, place: _Place) -> Iterator[Violation]:
    rule, least = limit
    width = min(map(polygon_width, outlines), default=math.inf) * unit
    if width < least - 1e-9:
        message = f"{width:.4g} nm wide, allowed {least:g} nm"
        yield Violation(rule, "error", *place, width, least, "nm", message)


def _gaps(
    outlines: list[Array], steps: list[tuple[float, float]], limit: _Limit, unit: float, place: _Place
) -> Iterator[Violation]:
    rule, least = limit
    copies = [other + np.array(step) for other in outlines for step in steps]
    pairs = [*combinations(outlines, 2), *product(outlines, copies)]
    smallest = min((_gap(first, second, least / unit) for first, second in pairs), default=math.inf) * unit
    if smallest <= 0.0:
        message = f"shapes overlap or touch, allowed gap {least:g} nm"
        yield Violation("overlap", "error", *place, 0.0, least, "nm", message)
    elif smallest < least - 1e-9:
        message = f"{smallest:.4g} nm apart, allowed {least:g} nm"
        yield Violation(rule, "error", *place, smallest, least, "nm", message)


def _gap(first: Array, second: Array, limit: float) -> float:
    """Distance of two polygons; a box distance when that is already beyond the limit."""
    apart = np.maximum(first.min(axis=0) - second.max(axis=0), second.min(axis=0) - first.max(axis=0))
    rough = float(np.hypot(*np.maximum(apart, 0.0)))
    return rough if rough > limit else polygon_distance(first, second)


def _letters(layout: Layout) -> Iterator[Violation]:
    """Strokes and gaps of the letters; letters that lie on what their own device draws."""
    unit, (stroke, gap) = layout.spec.database_unit_nm, _sizes_wanted(layout)
    for cell, origin in _cells_at(layout):
        parts = list(_parts(layout, cell))
        for item in cell.letters:
            middle = 0.5 * (item.box[0] + item.box[2]), 0.5 * (item.box[1] + item.box[3])
            place = _place(layout, cell.name, origin, middle)
            for (rule, limit), share in ((stroke, 8), (gap, 16)):
                value = item.size * unit / share
                if value < limit:
                    message = f"letters {item.text!r}: {value:.4g} nm, allowed {limit:g} nm"
                    yield Violation(rule, "error", *place, value, limit, "nm", message)
            if any(_box_distance(item.box, box) <= 0.0 for box in parts):
                message = f"letters {item.text!r} lie on the pattern"
                yield Violation("label_on_pattern", "error", *place, 0.0, 0.0, "um", message)


def _parts(layout: Layout, cell: Cell) -> Iterator[Box]:
    """Boxes of what a cell draws but its letters: each polygon, each array."""
    for polygon in _plain_polygons(layout, cell):
        yield box_of(polygon.points)
    for reference in cell.references:
        box = bounds(layout.by_name, reference.cell)
        if box is not None:
            yield box_of(reference.corners(), box)


def _box_distance(a: Box, b: Box) -> float:
    """Distance of two boxes; 0 when they touch, negative when they overlap."""
    dx, dy = max(a[0] - b[2], b[0] - a[2]), max(a[1] - b[3], b[1] - a[3])
    return math.hypot(dx, dy) if dx > 0 and dy > 0 else float(max(dx, dy))


def _placements(layout: Layout) -> Iterator[Violation]:
    """Devices against each other, against the marks and letters of the die, and against its margin."""
    rules, unit = layout.spec.rules, layout.spec.database_unit_nm
    items = []
    for cell, origin in _cells_at(layout):
        parts = [*_parts(layout, cell), *(item.box for item in cell.letters)]
        if parts:
            items.append((cell.name, np.array(parts, dtype=float) + np.tile(origin, 2)))
    yield from _outside(layout, items)
    if len(items) < 2:
        return
    hulls = np.array([[*p[:, :2].min(axis=0), *p[:, 2:].max(axis=0)] for _, p in items])
    limit = rules.clearance_um * 1000.0 / unit
    for i, (name, parts) in enumerate(items):
        apart = np.maximum(hulls[:, :2] - hulls[i, 2:], hulls[i, :2] - hulls[:, 2:])
        near = np.flatnonzero((apart < limit).all(axis=1))
        for j in near[near > i]:
            other, others = items[j]
            pairs = product(parts.tolist(), others.tolist())
            distance, p, q = min(((_box_distance(p, q), p, q) for p, q in pairs), key=itemgetter(0))
            if distance < limit:
                rule: Rule = "overlap" if distance <= 0.0 else "clearance"
                value = max(distance, 0.0) * unit * 1e-3
                place = _place(layout, name, 0.25 * np.add(p, q).reshape(2, 2).sum(axis=0))
                message = f"{value:.4g} um from {other}, allowed {rules.clearance_um:g} um"
                yield Violation(rule, "error", *place, value, rules.clearance_um, "um", message)


def _outside(layout: Layout, items: list[tuple[str, Array]]) -> Iterator[Violation]:
    chip, unit = layout.spec.chip, layout.spec.database_unit_nm
    half = [(0.5 * size - chip.margin_um) * 1000.0 / unit for size in chip.size_um]
    for name, parts in items:
        low, high = parts[:, :2].min(axis=0), parts[:, 2:].max(axis=0)
        over = max(float(max(-low[k] - half[k], high[k] - half[k])) for k in (0, 1)) * unit * 1e-3
        if over > 1e-3:
            place = _place(layout, name, 0.5 * (low + high))
            message = (
                f"reaches {over:.4g} um beyond the margin of {chip.margin_um:g} um; use a larger chip.size_um"
            )
            yield Violation("outside_die", "error", *place, over, 0.0, "um", message)
