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

from dataclasses import dataclass, field

from cavitydesign.masks import drawing
from cavitydesign.masks.arrays import check_reach
from cavitydesign.masks.devices import Made, aperture_device, field_devices, window_device, witness_cells
from cavitydesign.masks.layout import Cell, Device, Layout, Point, Reference, Snap, TextMark, bounds
from cavitydesign.masks.spec import MaskSpec


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

    def units(self, length_um: float) -> int:
        return round(length_um * 1000.0 / self.spec.database_unit_nm)

    def put(self, made: Made, origin: Point) -> None:
        for cell in made.cells:
            self.cells.setdefault(cell.name, cell)
        self.placed.append(Reference(made.device.cell, origin))
        self.devices.append(_moved(made.device, origin))
        self.vertex_nm = max(self.vertex_nm, made.vertex_nm)
        self.chord_nm = max(self.chord_nm, made.chord_nm)
        if made.device.array is not None:
            self.position_nm = max(self.position_nm, made.device.array.position_error_nm)

    def box(self, made: Made) -> tuple[int, int, int, int]:
        box = bounds({cell.name: cell for cell in made.cells}, made.device.cell)
        return box or (0, 0, 0, 0)


def build(spec: MaskSpec) -> Layout:
    """Draw a mask.

    Raises:
        InputError: where a device cannot be drawn (a feature that does not fit its cell, a period that the grid
            cannot hold); what can be drawn but should not be made is for :func:`cavitydesign.masks.check` to say.
    """
    chip = _Chip(spec)
    blocks = [(chip.units(f.gap_um), _rows_of_field(chip, index)) for index, f in enumerate(spec.fields)]
    blocks += [
        (chip.units(a.gap_um), _rows_of_apertures(chip, index)) for index, a in enumerate(spec.apertures)
    ]
    _put_blocks(chip, blocks)
    _put_bottom(chip)
    own = _chip_cell(chip)
    top = Cell("CHIP", references=(Reference(own.name, (0, 0)), *chip.placed), texts=own.texts)
    chip.cells[own.name] = Cell(own.name, own.polygons, letters=own.letters)
    cells = (*chip.cells.values(), top)
    reach = bounds({cell.name: cell for cell in cells}, top.name) or (0, 0, 0, 0)
    check_reach(max(abs(value) for value in reach), key=None)
    return Layout(
        spec, cells, top.name, tuple(chip.devices), Snap(chip.vertex_nm, chip.position_nm, chip.chord_nm)
    )


def _rows_of_field(chip: _Chip, index: int) -> list[list[Made]]:
    """Rows of devices; a row wider than what is left between the corner marks is cut into sets of columns."""
    rows = field_devices(chip.spec, index)
    gap = chip.units(chip.spec.fields[index].gap_um)
    marks = chip.spec.marks
    beside = chip.spec.chip.margin_um + (marks.cross_um + 2.0 * marks.inset_um if marks else 0.0)
    room = chip.units(chip.spec.chip.size_um[0] - 2.0 * beside)
    width = max(_width(chip, made) for row in rows for made in row)
    columns = max(1, (room + gap) // (width + gap))
    columns = -(-len(rows[0]) // -(-len(rows[0]) // columns))  # as even as the number of sets allows
    return [row[start : start + columns] for start in range(0, len(rows[0]), columns) for row in rows]


def _rows_of_apertures(chip: _Chip, index: int) -> list[list[Made]]:
    item = chip.spec.apertures[index]
    return [
        [aperture_device(chip.spec, index, diameter, copy) for diameter in item.diameters_um]
        for copy in range(item.copies)
    ]


def _width(chip: _Chip, made: Made) -> int:
    x0, _, x1, _ = chip.box(made)
    return 2 * max(-x0, x1)


def _put_blocks(chip: _Chip, blocks: list[tuple[int, list[list[Made]]]]) -> None:
    """Rows from top to bottom, each block on a grid of its widest column, the whole centred on the die."""
    heights = [[_extent(chip, row) for row in rows] for _, rows in blocks]
    total = sum(
        up + down + gap for (gap, rows), sizes in zip(blocks, heights, strict=True) for up, down in sizes
    )
    y = (total - (blocks[-1][0] if blocks else 0)) // 2
    for (gap, rows), sizes in zip(blocks, heights, strict=True):
        pitches = [_width(chip, made) + gap for row in rows for made in row]
        pitch = max(pitches)
        for row, (up, down) in zip(rows, sizes, strict=True):
            left = -(max(len(r) for r in rows) - 1) * pitch // 2
            for column, made in enumerate(row):
                chip.put(made, (left + column * pitch, y - up))
            y -= up + down + gap


def _extent(chip: _Chip, row: list[Made]) -> tuple[int, int]:
    """How far a row reaches above and below its devices' origins."""
    boxes = [chip.box(made) for made in row]
    return max(box[3] for box in boxes), max(-box[1] for box in boxes)


def _put_bottom(chip: _Chip) -> None:
    """Witness gratings and windows in a line above the lower margin, between the corner marks."""
    spec = chip.spec
    items = [
        window_device(spec, i, copy) for i, window in enumerate(spec.windows) for copy in range(window.count)
    ]
    if spec.witness is not None:
        items = [witness_cells(spec), *items]
    if not items:
        return
    gap = chip.units(60.0)
    boxes = [chip.box(made) for made in items]
    x = -(sum(box[2] - box[0] for box in boxes) + gap * (len(items) - 1)) // 2
    base = -chip.units(0.5 * spec.chip.size_um[1] - spec.chip.margin_um)
    for made, box in zip(items, boxes, strict=True):
        chip.put(made, (x - box[0], base - box[1]))
        x += box[2] - box[0] + gap


def _chip_cell(chip: _Chip) -> Cell:
    """Frame, corner crosses, title and scale bar: everything that belongs to the die itself."""
    spec = chip.spec
    half_x, half_y = chip.units(0.5 * spec.chip.size_um[0]), chip.units(0.5 * spec.chip.size_um[1])
    margin = chip.units(spec.chip.margin_um)
    polygons = list(
        drawing.frame(
            spec.layers.frame, half_x, half_y, chip.units(spec.chip.frame_width_um), spec.chip.cleave_marks
        )
    )
    lettering = []
    if spec.marks is not None:
        polygons += _corner_marks(chip, half_x, half_y, margin)
    if spec.title.strip():
        height = chip.units(spec.labels.title_size_um)
        shapes, drawn = drawing.letters(
            spec.layers.label, spec.title, height, (0, half_y - margin - height // 2)
        )
        polygons += shapes
        lettering += [drawn] if drawn else []
    if spec.scale_bar_um is not None:
        shapes, drawn = _scale_bar(chip, half_x, half_y, margin)
        polygons += shapes
        lettering += [drawn] if drawn else []
    texts = (TextMark(spec.layers.label, f"{spec.name} {spec.id[:12]}", (0, half_y - margin)),)
    return Cell("DIE", tuple(polygons), texts=texts, letters=tuple(lettering))


def _corner_marks(chip: _Chip, half_x: int, half_y: int, margin: int) -> list[drawing.Polygon]:
    marks = chip.spec.marks
    assert marks is not None
    size, width = chip.units(marks.cross_um), chip.units(marks.width_um)
    away = margin + chip.units(marks.inset_um) + size // 2
    layer = chip.spec.layers.marks
    shapes = [
        drawing.cross(layer, (sx * (half_x - away), sy * (half_y - away)), size, width)
        for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]
    x, y, far, near = -half_x + away, -half_y + away, size // 2, size // 4
    return [*shapes, drawing.rectangle(layer, x - far, y - far, x - near, y - near)]


def _scale_bar(
    chip: _Chip, half_x: int, half_y: int, margin: int
) -> tuple[list[drawing.Polygon], drawing.Lettering | None]:
    """Left of the lower right cross, on the line of the marks' centres."""
    spec = chip.spec
    assert spec.scale_bar_um is not None
    length, height = (
        chip.units(spec.scale_bar_um),
        chip.units(min(spec.labels.size_um, 0.3 * spec.scale_bar_um)),
    )
    mark = chip.units(spec.marks.cross_um + 2.0 * spec.marks.inset_um) if spec.marks else 0
    text = f"{spec.scale_bar_um:g} um"
    wide = max(length, drawing.letters_width(text, chip.units(spec.labels.size_um)))
    x, y = half_x - margin - mark - (wide + length) // 2, -half_y + margin + mark // 4
    shapes = [
        drawing.Polygon(polygon.layer, tuple((px + x, py + y) for px, py in polygon.points))
        for polygon in drawing.scale_bar(spec.layers.label, length, height)
    ]
    size = chip.units(spec.labels.size_um)
    letters, drawn = drawing.letters(
        spec.layers.label,
        text,
        size,
        (x + length // 2, y + height + chip.units(spec.labels.distance_um) + size // 2),
    )
    return [*shapes, *letters], drawn


def _moved(device: Device, origin: Point) -> Device:
    content = {name: getattr(device, name) for name in Device.__dataclass_fields__}
    return Device(**{**content, "origin": origin})


__all__ = ["build"]
