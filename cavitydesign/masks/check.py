"""Fabrication rules: what can be drawn but should not be made, with the place and the number."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cavitydesign.masks.arrays import IDEAL_VERTICES
from cavitydesign.masks.distance import polygon_distance, polygon_width
from cavitydesign.masks.layout import Array, ArrayRecord, Box, Cell, Layout, Reference, bounds

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


def _um(layout: Layout, x: float, y: float) -> tuple[float, float]:
    unit = layout.spec.database_unit_nm * 1e-3
    return round(x * unit, 4), round(y * unit, 4)


def _sizes(layout: Layout) -> Iterator[Violation]:
    """min_feature, min_gap and overlap among the polygons of each device, and of arrays with their neighbours."""
    rules, unit, by_name = layout.spec.rules, layout.spec.database_unit_nm, layout.by_name
    for cell, origin in _cells_at(layout):
        if cell.name in {device.array.unit_cell for device in layout.devices if device.array}:
            continue
        shapes = [(p.layer, np.array(p.points, dtype=float)) for p in _plain_polygons(layout, cell)]
        for reference in cell.references:
            child = by_name[reference.cell]
            if reference.count > 1 and not child.references and not _is_array(layout, reference.cell):
                outlines = [np.array(p.points, dtype=float) for p in child.polygons]
                at = _um(layout, origin[0] + reference.origin[0], origin[1] + reference.origin[1])
                yield from _widths(outlines, rules.min_feature_nm, unit, child.name, at)
                yield from _gaps(outlines, _steps(reference), rules.min_gap_nm, unit, child.name, at)
        for _, outline in shapes:
            at = _um(layout, origin[0] + outline[0, 0], origin[1] + outline[0, 1])
            yield from _widths([outline], rules.min_feature_nm, unit, cell.name, at)
        for layer in sorted({layer for layer, _ in shapes}):
            same = [outline for other, outline in shapes if other == layer]
            at = _um(layout, origin[0] + same[0][0, 0], origin[1] + same[0][0, 1])
            yield from _gaps(same, [], rules.min_gap_nm, unit, cell.name, at)


def _is_array(layout: Layout, name: str) -> bool:
    return any(device.array is not None and device.array.unit_cell == name for device in layout.devices)


def _plain_polygons(layout: Layout, cell: Cell) -> list:
    """Polygons that are neither letters nor the frame, which is there to be cut."""
    frame = layout.spec.layers.frame

    def lettered(x: int, y: int) -> bool:
        return any(b[0] <= x <= b[2] and b[1] <= y <= b[3] for b in (item.box for item in cell.letters))

    label = layout.spec.layers.label
    return [
        p for p in cell.polygons if p.layer != frame and not (p.layer == label and lettered(*p.points[0]))
    ]


def _cells_at(layout: Layout) -> Iterator[tuple[Cell, tuple[int, int]]]:
    by_name = layout.by_name
    for reference in by_name[layout.top].references:
        yield by_name[reference.cell], reference.origin


def _steps(reference: Reference) -> list[tuple[float, float]]:
    steps: list[tuple[float, float]] = []
    (ax, ay), (bx, by) = reference.v1, reference.v2
    if reference.columns > 1:
        steps.append((ax, ay))
    if reference.rows > 1:
        steps.append((bx, by))
    if reference.columns > 1 and reference.rows > 1:
        steps += [(ax + bx, ay + by), (ax - bx, ay - by)]
    return steps


def _arrays(layout: Layout) -> Iterator[Violation]:
    """Features and gaps of each array; its writing field, its grid, its copies' positions."""
    rules, unit = layout.spec.rules, layout.spec.database_unit_nm
    for device in layout.devices:
        record = device.array
        if record is None:
            continue
        at = _um(layout, *device.origin)
        yield from _array_sizes(layout, record, device.name, at)
        side = max(device.size_um)
        if side > rules.writing_field_um:
            fields = math.prod(math.ceil(length / rules.writing_field_um) for length in device.size_um)
            yield Violation(
                "writing_field", "warning", device.name, at, side, rules.writing_field_um, "um",
                f"{side:g} um is more than a writing field of {rules.writing_field_um:g} um: stitched from {fields}",
            )  # fmt: skip
        if record.grid_error_nm > 0.0:
            yield Violation(
                "off_grid", "warning", device.name, at, record.grid_error_nm, 0.0, "nm",
                f"a lattice vector is {record.grid_error_nm:.4g} nm off the grid of {unit:g} nm; written in parts, "
                f"no copy is more than {record.position_error_nm:.4g} nm from its place",
            )  # fmt: skip
        if record.position_error_nm > rules.max_position_error_nm:
            yield Violation(
                "position_error", "error", device.name, at, record.position_error_nm, rules.max_position_error_nm, "nm",
                f"a copy is {record.position_error_nm:.4g} nm from its place, allowed {rules.max_position_error_nm:g}; "
                "use a finer database_unit_nm",
            )  # fmt: skip


def _array_sizes(
    layout: Layout, record: ArrayRecord, name: str, at: tuple[float, float]
) -> Iterator[Violation]:
    rules, unit = layout.spec.rules, layout.spec.database_unit_nm
    steps = _lattice_steps(record)
    if record.tone == "inverse":  # the rest is drawn: its gaps are the features, its features the gaps
        # every fifth vertex of a 720-gon is within 3e-4 of its radius, and 25 times as fast
        rims = [rim[::5] if len(rim) == IDEAL_VERTICES else rim for rim in record.outlines_nm]
        yield from _widths(rims, rules.min_gap_nm, 1.0, name, at, rule="min_gap")
        yield from _gaps(rims, steps, rules.min_feature_nm, 1.0, name, at, rule="min_feature")
        return
    outlines = [np.array(p.points, dtype=float) for p in layout.cell(record.unit_cell).polygons]
    yield from _widths(outlines, rules.min_feature_nm, unit, name, at)
    yield from _gaps(outlines, [(x / unit, y / unit) for x, y in steps], rules.min_gap_nm, unit, name, at)


def _lattice_steps(record: ArrayRecord) -> list[tuple[float, float]]:
    """Vectors to the nearest other copies, nm; opposite ones once."""
    first, n1, n2, v1, v2 = record.sublattices[0]
    steps = _steps(Reference("", (0, 0), n1, n2, v1, v2))  # type: ignore[arg-type]  # nm, not units
    if len(record.sublattices) > 1:
        x, y = (b - a for a, b in zip(first, record.sublattices[1][0], strict=True))
        steps += [(x, y), (x - v1[0], y - v1[1])]
    return steps


def _widths(
    outlines: Iterable[Array],
    limit_nm: float,
    unit: float,
    name: str,
    at: tuple[float, float],
    *,
    rule: Rule = "min_feature",
) -> Iterator[Violation]:
    width = min((polygon_width(outline) for outline in outlines), default=math.inf) * unit
    if width < limit_nm - 1e-9:
        yield Violation(
            rule, "error", name, at, width, limit_nm, "nm", f"{width:.4g} nm wide, allowed {limit_nm:g} nm"
        )


def _gaps(
    outlines: list[Array], steps: list[tuple[float, float]], limit_nm: float, unit: float, name: str,
    at: tuple[float, float], *, rule: Rule = "min_gap",
) -> Iterator[Violation]:  # fmt: skip
    smallest = math.inf
    for index, first in enumerate(outlines):
        for second in outlines[index + 1 :]:
            smallest = min(smallest, _gap(first, second, limit_nm / unit))
        for second in outlines:
            for step in steps:
                smallest = min(smallest, _gap(first, second + np.array(step), limit_nm / unit))
    if smallest <= 0.0:
        yield Violation(
            "overlap",
            "error",
            name,
            at,
            0.0,
            limit_nm,
            "nm",
            f"shapes overlap or touch, allowed gap {limit_nm:g} nm",
        )
    elif smallest * unit < limit_nm - 1e-9:
        yield Violation(
            rule,
            "error",
            name,
            at,
            smallest * unit,
            limit_nm,
            "nm",
            f"{smallest * unit:.4g} nm apart, allowed {limit_nm:g} nm",
        )


def _gap(first: Array, second: Array, limit: float) -> float:
    """Distance of two polygons; a box distance when that is already beyond the limit."""
    apart = np.maximum(first.min(axis=0) - second.max(axis=0), second.min(axis=0) - first.max(axis=0))
    rough = float(np.hypot(*np.maximum(apart, 0.0)))
    return rough if rough > limit else polygon_distance(first, second)


def _letters(layout: Layout) -> Iterator[Violation]:
    """Strokes and gaps of the letters; letters that lie on what their own device draws."""
    rules, unit, by_name = layout.spec.rules, layout.spec.database_unit_nm, layout.by_name
    for cell, origin in _cells_at(layout):
        parts = [box for box, _ in _parts(layout, cell, by_name, letters=False)]
        for item in cell.letters:
            at = _um(
                layout,
                origin[0] + 0.5 * (item.box[0] + item.box[2]),
                origin[1] + 0.5 * (item.box[1] + item.box[3]),
            )
            strokes: list[tuple[Rule, float, float]] = [
                ("min_feature", item.size * unit / 8, rules.min_feature_nm),
                ("min_gap", item.size * unit / 16, rules.min_gap_nm),
            ]
            for rule, value, limit in strokes:
                if value < limit:
                    message = f"letters {item.text!r}: {value:.4g} nm, allowed {limit:g} nm"
                    yield Violation(rule, "error", cell.name, at, value, limit, "nm", message)
            if any(_box_distance(item.box, box) <= 0.0 for box in parts):
                yield Violation(
                    "label_on_pattern",
                    "error",
                    cell.name,
                    at,
                    0.0,
                    0.0,
                    "um",
                    f"letters {item.text!r} lie on the pattern",
                )


def _parts(
    layout: Layout, cell: Cell, by_name: dict[str, Cell], *, letters: bool = True
) -> Iterator[tuple[Box, bool]]:
    """Boxes of what a cell draws: each polygon, each array, each line of letters; and whether it is letters."""
    for polygon in _plain_polygons(layout, cell):
        xs, ys = zip(*polygon.points, strict=True)
        yield (min(xs), min(ys), max(xs), max(ys)), False
    for reference in cell.references:
        box = bounds(by_name, reference.cell)
        if box is not None:
            xs, ys = zip(*reference.corners(), strict=True)
            yield (min(xs) + box[0], min(ys) + box[1], max(xs) + box[2], max(ys) + box[3]), False
    if letters:
        for item in cell.letters:
            yield item.box, True


def _box_distance(a: Box, b: Box) -> float:
    """Distance of two boxes; 0 when they touch, negative when they overlap."""
    dx, dy = max(a[0] - b[2], b[0] - a[2]), max(a[1] - b[3], b[1] - a[3])
    return math.hypot(dx, dy) if dx > 0 and dy > 0 else float(max(dx, dy))


def _placements(layout: Layout) -> Iterator[Violation]:
    """Devices against each other, against the marks and letters of the die, and against its margin."""
    rules, unit, by_name = layout.spec.rules, layout.spec.database_unit_nm, layout.by_name
    items = []
    for cell, (x, y) in _cells_at(layout):
        parts = [(b[0] + x, b[1] + y, b[2] + x, b[3] + y) for b, _ in _parts(layout, cell, by_name)]
        if parts:
            items.append((cell.name, np.array(parts, dtype=float)))
    yield from _outside(layout, items)
    if len(items) < 2:
        return
    hulls = np.array([[*p[:, :2].min(axis=0), *p[:, 2:].max(axis=0)] for _, p in items])
    limit = rules.clearance_um * 1000.0 / unit
    for i, (name, parts) in enumerate(items):
        near = np.flatnonzero(
            (hulls[:, 0] < hulls[i, 2] + limit) & (hulls[:, 2] > hulls[i, 0] - limit)
            & (hulls[:, 1] < hulls[i, 3] + limit) & (hulls[:, 3] > hulls[i, 1] - limit)
        )  # fmt: skip
        for j in near[near > i]:
            other, others = items[j]
            distance, at = min(
                (
                    (_box_distance(tuple(p), tuple(q)), _between(p, q))
                    for p in parts.tolist()
                    for q in others.tolist()
                ),
                key=lambda found: found[0],
            )
            if distance < limit:
                rule: Rule = "overlap" if distance <= 0.0 else "clearance"
                value = max(distance, 0.0) * unit * 1e-3
                yield Violation(
                    rule, "error", name, _um(layout, *at), value, rules.clearance_um, "um",
                    f"{value:.4g} um from {other}, allowed {rules.clearance_um:g} um",
                )  # fmt: skip


def _between(p: list[float], q: list[float]) -> tuple[float, float]:
    return 0.25 * (p[0] + p[2] + q[0] + q[2]), 0.25 * (p[1] + p[3] + q[1] + q[3])


def _outside(layout: Layout, items: list[tuple[str, Array]]) -> Iterator[Violation]:
    chip, unit = layout.spec.chip, layout.spec.database_unit_nm
    half = [(0.5 * size - chip.margin_um) * 1000.0 / unit for size in chip.size_um]
    for name, parts in items:
        low, high = parts[:, :2].min(axis=0), parts[:, 2:].max(axis=0)
        over = max(float(max(-low[k] - half[k], high[k] - half[k])) for k in (0, 1)) * unit * 1e-3
        if over > 1e-3:
            at = _um(layout, *(0.5 * (low + high)).tolist())
            yield Violation(
                "outside_die", "error", name, at, over, 0.0, "um",
                f"reaches {over:.4g} um beyond the margin of {chip.margin_um:g} um; use a larger chip.size_um",
            )  # fmt: skip
