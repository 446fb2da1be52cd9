"""MaskSpec → Layout: a pure function, whole database units throughout.

::

    ┌───────────────────────────────┐  frame (cleave here)
    │ +            title          + │  crosses in the corners, one of them marked
    │    ▒▒▒  ▒▒▒  ▒▒▒  ▒▒▒         │  fields: a column per period, a row per value and dose;
    │    315  335  365  400         │  a field wider than the die goes on in the next line
    │    ▒▒▒  ▒▒▒  ▒▒▒  ▒▒▒         │
    │ + |────|  witness  windows  + │
    └───────────────────────────────┘
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from cavitydesign.masks import drawing
from cavitydesign.masks.arrays import check_reach
from cavitydesign.masks.devices import aperture_device, field_devices, window_device, witness_cells
from cavitydesign.masks.layout import (
    Cell,
    Device,
    Layout,
    Made,
    Point,
    Polygon,
    Reference,
    Snap,
    TextMark,
    bounds,
)
from cavitydesign.masks.spec import Marks, MaskSpec


@dataclass(slots=True)
class _Chip:
    """What build gathers: cells in the order of their use, placements, and what snapping moved."""

    spec: MaskSpec
    cells: dict[str, Cell] = field(default_factory=dict)
    placed: list[Reference] = field(default_factory=list)
    devices: list[Device] = field(default_factory=list)
    vertex_nm: float = 0.0
    position_nm: float = 0.0
    chord_nm: float = 0.0

    def put(self, made: Made, origin: Point) -> None:
        for cell in made.cells:
            self.cells.setdefault(cell.name, cell)
        self.placed.append(Reference(made.device.name, origin))
        self.devices.append(replace(made.device, origin=origin))
        self.vertex_nm = max(self.vertex_nm, made.vertex_nm)
        self.chord_nm = max(self.chord_nm, made.chord_nm)
        if made.device.array is not None:
            self.position_nm = max(self.position_nm, made.device.array.position_error_nm)


def build(spec: MaskSpec) -> Layout:
    """Draw a mask.

    Raises:
        InputError: where a device cannot be drawn (a feature that does not fit its cell, a period that the grid
            cannot hold); what can be drawn but should not be made is for :func:`cavitydesign.masks.check` to say.
    """
    chip = _Chip(spec)
    blocks = [(spec.units(f.gap_um), _rows_of_field(spec, index)) for index, f in enumerate(spec.fields)]
    blocks += [(spec.units(a.gap_um), _rows_of_apertures(spec, i)) for i, a in enumerate(spec.apertures)]
    _put_blocks(chip, blocks)
    _put_bottom(chip)
    die = _die(spec)
    half, margin = _half(spec), spec.units(spec.chip.margin_um)
    title = TextMark(spec.layers.label, f"{spec.name} {spec.id[:12]}", (0, half[1] - margin))
    top = Cell("CHIP", references=(Reference(die.name, (0, 0)), *chip.placed), texts=(title,))
    cells = (*chip.cells.values(), die, top)
    reach = bounds({cell.name: cell for cell in cells}, top.name) or (0, 0, 0, 0)
    check_reach(max(map(abs, reach)), key=None)
    snap = Snap(chip.vertex_nm, chip.position_nm, chip.chord_nm)
    return Layout(spec, cells, top.name, tuple(chip.devices), snap)


def _rows_of_field(spec: MaskSpec, index: int) -> list[list[Made]]:
    """Rows of devices; a row wider than what is left between the corner marks is cut into sets of columns."""
    rows = field_devices(spec, index)
    gap = spec.units(spec.fields[index].gap_um)
    beside = spec.chip.margin_um + _mark_um(spec)
    room = spec.units(spec.chip.size_um[0] - 2.0 * beside)
    width = max(_width(made) for row in rows for made in row)
    columns = max(1, (room + gap) // (width + gap))
    columns = -(-len(rows[0]) // -(-len(rows[0]) // columns))  # as even as the number of sets allows
    return [row[start : start + columns] for start in range(0, len(rows[0]), columns) for row in rows]


def _rows_of_apertures(spec: MaskSpec, index: int) -> list[list[Made]]:
    item = spec.apertures[index]
    return [
        [aperture_device(spec, index, diameter, copy) for diameter in item.diameters_um]
        for copy in range(item.copies)
    ]


def _mark_um(spec: MaskSpec) -> float:
    """Width of the square that a corner mark keeps free."""
    return spec.marks.cross_um + 2.0 * spec.marks.inset_um if spec.marks else 0.0


def _half(spec: MaskSpec) -> Point:
    """The upper right corner of the die."""
    return spec.units(0.5 * spec.chip.size_um[0]), spec.units(0.5 * spec.chip.size_um[1])


def _width(made: Made) -> int:
    x0, _, x1, _ = made.box
    return 2 * max(-x0, x1)


def _put_blocks(chip: _Chip, blocks: list[tuple[int, list[list[Made]]]]) -> None:
    """Rows from top to bottom, each block on a grid of its widest column, the whole centred on the die."""
    total = sum(sum(_extent(row)) + gap for gap, rows in blocks for row in rows)
    y = (total - blocks[-1][0]) // 2
    for gap, rows in blocks:
        pitch = max(_width(made) for row in rows for made in row) + gap
        left = -(max(map(len, rows)) - 1) * pitch // 2
        for row in rows:
            up, down = _extent(row)
            for column, made in enumerate(row):
                chip.put(made, (left + column * pitch, y - up))
            y -= up + down + gap


def _extent(row: list[Made]) -> tuple[int, int]:
    """How far a row reaches above and below its devices' origins."""
    boxes = [made.box for made in row]
    return max(box[3] for box in boxes), max(-box[1] for box in boxes)


def _put_bottom(chip: _Chip) -> None:
    """Witness gratings and windows in a line above the lower margin, between the corner marks."""
    spec = chip.spec
    items = [witness_cells(spec)] if spec.witness is not None else []
    items += [window_device(spec, i, copy) for i, w in enumerate(spec.windows) for copy in range(w.count)]
    gap = spec.units(60.0)
    x = -(sum(made.box[2] - made.box[0] for made in items) + gap * (len(items) - 1)) // 2
    base = -spec.units(0.5 * spec.chip.size_um[1] - spec.chip.margin_um)
    for made in items:
        x0, y0, x1, _ = made.box
        chip.put(made, (x - x0, base - y0))
        x += x1 - x0 + gap


def _die(spec: MaskSpec) -> Cell:
    """Frame, corner crosses, title and scale bar: everything that belongs to the die itself."""
    (half_x, half_y), margin = _half(spec), spec.units(spec.chip.margin_um)
    edge = spec.units(spec.chip.frame_width_um)
    polygons = [*drawing.frame(spec.layers.frame, half_x, half_y, edge, spec.chip.cleave_marks)]
    if spec.marks is not None:
        polygons += _corner_marks(spec, spec.marks)
    height = spec.units(spec.labels.title_size_um)
    drawn = [drawing.letters(spec.layers.label, spec.title, height, (0, half_y - margin - height // 2))]
    if spec.scale_bar_um is not None:
        drawn.append(_scale_bar(spec, spec.scale_bar_um))
    polygons += [shape for shapes, _ in drawn for shape in shapes]
    return Cell("DIE", tuple(polygons), letters=tuple(item for _, letters in drawn for item in letters))


def _corner_marks(spec: MaskSpec, marks: Marks) -> list[Polygon]:
    size, width = spec.units(marks.cross_um), spec.units(marks.width_um)
    away = spec.units(spec.chip.margin_um) + spec.units(marks.inset_um) + size // 2
    layer, (half_x, half_y) = spec.layers.marks, _half(spec)
    places = drawing.corners(half_x - away, half_y - away)
    (x, y), far, near = places[0], size // 2, size // 4
    turned = drawing.rectangle(layer, x - far, y - far, x - near, y - near)
    return [*(drawing.cross(layer, place, size, width) for place in places), turned]


def _scale_bar(spec: MaskSpec, length_um: float) -> drawing.Drawn:
    """Left of the lower right cross, on the line of the marks' centres."""
    length, height = spec.units(length_um), spec.units(min(spec.labels.size_um, 0.3 * length_um))
    (half_x, half_y), margin, mark = _half(spec), spec.units(spec.chip.margin_um), spec.units(_mark_um(spec))
    text, size = f"{length_um:g} um", spec.units(spec.labels.size_um)
    wide = max(length, drawing.letters_width(text, size))
    x, y = half_x - margin - mark - (wide + length) // 2, -half_y + margin + mark // 4
    above = y + height + spec.units(spec.labels.distance_um) + size // 2
    letters, drawn = drawing.letters(spec.layers.label, text, size, (x + length // 2, above))
    return (drawing.scale_bar(spec.layers.label, length, height, (x, y)), *letters), drawn
