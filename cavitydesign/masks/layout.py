"""The plain layout tree that build makes and the writers read: cells of polygons, references and texts.

Every coordinate is a whole number of database units. A reference places ``columns`` x ``rows`` copies at
``origin + i v1 + j v2``; the vectors need not be at right angles.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from cavitydesign.kinds import Array
from cavitydesign.masks.spec import MaskSpec

Point = tuple[int, int]
Layer = tuple[int, int]
Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Polygon:
    """A closed polygon on a (layer, datatype); counter-clockwise, the first vertex not repeated."""

    layer: Layer
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """Copies of a cell: one, or an array."""

    cell: str
    origin: Point
    columns: int = 1
    rows: int = 1
    v1: Point = (0, 0)
    v2: Point = (0, 0)

    @property
    def count(self) -> int:
        """Number of copies."""
        return self.columns * self.rows

    def corners(self) -> list[Point]:
        """Origins of the four outermost copies."""
        (x, y), (ax, ay), (bx, by) = self.origin, self.v1, self.v2
        i, j = self.columns - 1, self.rows - 1
        return [(x + a * ax + b * bx, y + a * ay + b * by) for a, b in ((0, 0), (i, 0), (i, j), (0, j))]


@dataclass(frozen=True, slots=True)
class TextMark:
    """A text element: seen by people and software, never exposed."""

    layer: Layer
    text: str
    position: Point


@dataclass(frozen=True, slots=True)
class Lettering:
    """Letters drawn as polygons in a cell: what they say, how high they are, the box that they fill."""

    text: str
    size: int
    box: Box


@dataclass(frozen=True, slots=True)
class Cell:
    """A named cell."""

    name: str
    polygons: tuple[Polygon, ...] = ()
    references: tuple[Reference, ...] = ()
    texts: tuple[TextMark, ...] = ()
    letters: tuple[Lettering, ...] = ()


@dataclass(frozen=True, slots=True)
class ArrayRecord:
    """The array that a device was meant to be, in exact lengths, and how far the integer array is from it.

    Attributes:
        sublattices: (first, n1, n2, v1, v2) in nm, relative to the cell's origin.
        outlines_nm: the shapes as designed (with bias), round ones as 720-gons.
        drawn: what the polygons are.
    """

    unit_cell: str
    sublattices: tuple[tuple[tuple[float, float], int, int, tuple[float, float], tuple[float, float]], ...]
    outlines_nm: tuple[Array, ...] = field(compare=False)
    feature_area_nm2: float
    cell_area_nm2: float
    drawn: str
    tone: str
    grid_error_nm: float
    position_error_nm: float

    @property
    def count(self) -> int:
        """Number of unit cells."""
        return sum(n1 * n2 for _, n1, n2, _, _ in self.sublattices)


@dataclass(frozen=True, slots=True)
class Device:
    """One thing on the chip: the cell of its name, what it is, and where."""

    name: str
    kind: str
    origin: Point = (0, 0)
    label: str = ""
    size_um: tuple[float, float] = (0.0, 0.0)
    design_id: str = ""
    parameters: tuple[tuple[str, float], ...] = ()
    array: ArrayRecord | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A device with the cells that it needs (those used by others first) and what snapping moved, in nm."""

    device: Device
    cells: tuple[Cell, ...]
    vertex_nm: float = 0.0
    chord_nm: float = 0.0

    @property
    def box(self) -> Box:
        """What the device fills about its origin."""
        return bounds({cell.name: cell for cell in self.cells}, self.device.name) or (0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Snap:
    """What putting everything on the grid has moved: vertices, lattice sites, and the chords of round shapes, in nm."""

    vertex_nm: float
    position_nm: float
    chord_nm: float


@dataclass(frozen=True, slots=True)
class Layout:
    """A mask as a tree of cells, those used by others first; ``top`` is the last."""

    spec: MaskSpec
    cells: tuple[Cell, ...]
    top: str
    devices: tuple[Device, ...]
    snap: Snap

    def cell(self, name: str) -> Cell:
        """The cell of this name."""
        return self.by_name[name]

    @property
    def by_name(self) -> dict[str, Cell]:
        """All cells by name."""
        return {cell.name: cell for cell in self.cells}

    @property
    def layer_names(self) -> dict[Layer, str]:
        """What each (layer, datatype) is called; doses other than the only one are named."""
        spec = self.spec
        names = {getattr(spec.layers, role): role for role in type(spec.layers).model_fields}
        if len(spec.doses) > 1 or spec.doses != (1.0,):
            names |= {spec.dose_layer(dose): f"pattern dose {dose:g}" for dose in spec.doses}
        return names

    def polygon_counts(self) -> dict[Layer, int]:
        """Polygons per (layer, datatype) with every array written out."""
        return {layer: int(value) for layer, value in _totals(self, lambda _: 1).items()}

    def areas_um2(self) -> dict[Layer, float]:
        """Drawn area per (layer, datatype) with every array written out, µm²; what overlaps counts twice."""
        scale = (self.spec.database_unit_nm * 1e-3) ** 2
        return {layer: value * scale for layer, value in _totals(self, lambda p: area(p.points)).items()}


@dataclass(frozen=True, slots=True)
class Outline:
    """A polygon in chip coordinates to draw: µm, shape (n, 2). ``simplified``: it stands for a whole array."""

    layer: str
    points_um: Array = field(compare=False)
    simplified: bool = False


def area(points: tuple[Point, ...]) -> float:
    """Shoelace formula, positive for counter-clockwise; exact in integers."""
    pairs = zip(points, points[1:] + points[:1], strict=True)
    return 0.5 * sum(ax * by - ay * bx for (ax, ay), (bx, by) in pairs)


def bounds(by_name: Mapping[str, Cell], name: str) -> Box | None:
    """Bounding box of a cell with all it refers to (x0, y0, x1, y1), database units; None when it is empty."""
    boxes = [box_of(polygon.points) for polygon in by_name[name].polygons]
    for reference in by_name[name].references:
        box = bounds(by_name, reference.cell)
        if box is not None:
            boxes.append(box_of(reference.corners(), box))
    return box_of([corner for box in boxes for corner in (box[:2], box[2:])]) if boxes else None


def box_of(points: Sequence[Point], each: Box = (0, 0, 0, 0)) -> Box:
    """The box around some points, or around a box about each of them."""
    xs, ys = zip(*points, strict=True)
    return min(xs) + each[0], min(ys) + each[1], max(xs) + each[2], max(ys) + each[3]


def outlines(layout: Layout, *, cell: str | None = None, max_polygons: int = 20_000) -> tuple[Outline, ...]:
    """Polygons of a cell (default: the whole chip) with references resolved, for drawing.

    Every array has an equal share of ``max_polygons``; one that is larger becomes one outline of its area, marked
    ``simplified``.
    """
    by_name, names = layout.by_name, layout.layer_names
    scale = layout.spec.database_unit_nm * 1e-3
    found, name = [], cell or layout.top
    share = max_polygons // max(1, _arrays_in(by_name, name))
    for polygons, shifts, simplified in _walk(by_name, name, (0, 0), share):
        for polygon in polygons:
            points = np.array(polygon.points, dtype=np.int64)
            found += [Outline(names[polygon.layer], (points + shift) * scale, simplified) for shift in shifts]
    return tuple(found)


def _arrays_in(by_name: Mapping[str, Cell], name: str) -> int:
    return sum(1 if item.count > 1 else _arrays_in(by_name, item.cell) for item in by_name[name].references)


def _walk(
    by_name: Mapping[str, Cell], name: str, at: Point, share: int
) -> Iterator[tuple[tuple[Polygon, ...], Array, bool]]:
    cell = by_name[name]
    if cell.polygons:
        yield cell.polygons, np.array([at], dtype=np.int64), False
    for reference in cell.references:
        child = by_name[reference.cell]
        origin = (at[0] + reference.origin[0], at[1] + reference.origin[1])
        if reference.count == 1:
            yield from _walk(by_name, reference.cell, origin, share)
        elif child.references or len(child.polygons) * reference.count > share:
            yield from _simplified(by_name, reference, at)
        else:
            i, j = np.meshgrid(np.arange(reference.columns), np.arange(reference.rows))
            steps = i.reshape(-1, 1) * np.array(reference.v1) + j.reshape(-1, 1) * np.array(reference.v2)
            yield child.polygons, np.array(origin) + steps, False


def _simplified(
    by_name: Mapping[str, Cell], reference: Reference, at: Point
) -> Iterator[tuple[tuple[Polygon, ...], Array, bool]]:
    """The hull of an array: the parallelogram of its sites, widened by half a cell."""
    child, box = by_name[reference.cell], bounds(by_name, reference.cell)
    if box is None or not child.polygons:
        return
    signs, steps = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]), np.array([reference.v1, reference.v2])
    corners = np.array(reference.corners()) + 0.5 * (signs @ steps + np.add(box[:2], box[2:]))
    points = tuple((x, y) for x, y in np.rint(corners).astype(int).tolist())
    yield (Polygon(child.polygons[0].layer, points),), np.array([at], dtype=np.int64), True


def _totals(layout: Layout, measure: Callable[[Polygon], float]) -> dict[Layer, float]:
    known: dict[str, dict[Layer, float]] = {}
    for cell in layout.cells:  # those used by others stand first
        total = known[cell.name] = defaultdict(float)
        for polygon in cell.polygons:
            total[polygon.layer] += measure(polygon)
        for reference in cell.references:
            for layer, value in known[reference.cell].items():
                total[layer] += value * reference.count
    return dict(sorted(known[layout.top].items()))
