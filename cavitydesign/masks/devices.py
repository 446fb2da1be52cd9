"""The devices of a mask, each one cell about its own middle: arrays, apertures, witness gratings, windows."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np

from cavitydesign.errors import InputError
from cavitydesign.geometry import Design
from cavitydesign.kinds import Array
from cavitydesign.masks import arrays, drawing
from cavitydesign.masks.layout import ArrayRecord, Cell, Device, Made, Polygon, Reference, TextMark, area
from cavitydesign.masks.spec import FieldSpec, MaskSpec


def field_devices(spec: MaskSpec, index: int) -> list[list[Made]]:
    """The arrays of ``spec.fields[index]``: a row per value of ``vary`` and per dose, a column per period."""
    field = spec.fields[index]
    periods = list(enumerate(field.periods_nm or (field.own_period_nm,)))
    rows = enumerate(product(field.vary.values if field.vary else (None,), field.doses))
    return [
        [_array_device(spec, index, (row, column), (period, *varied)) for column, period in periods]
        for row, varied in rows
    ]


def _array_device(
    spec: MaskSpec, index: int, at: tuple[int, int], varied: tuple[float, float | None, float]
) -> Made:
    field, key, unit = spec.fields[index], f"fields.{index}", spec.database_unit_nm
    period, value, dose = varied
    design = _varied(field, period, value, key)
    vectors = _vectors_nm(field, design)
    counts = _counts(field, design, vectors, key)
    patterns = [
        arrays.biased(arrays.of_length(pattern, float(vectors[1, 1])), field.bias_nm, key=key)
        for pattern in arrays.features(design, layer=field.design_layer, key=key)
    ]
    name = f"{_slug(field.name)}_R{at[0] + 1}C{at[1] + 1}"
    corners = spec.circle_vertices
    exact = (arrays.drawn_outline_nm(pattern, vertices=corners) for pattern in patterns)
    drawn = [arrays.snapped(outline, unit, key=key) for outline in exact]
    sublattices = _sublattices(field, design, vectors, counts)
    placed = [
        arrays.place(f"{name}_UNIT", first, (n1, n2), np.array([v1, v2]), unit, key=key)
        for first, n1, n2, v1, v2 in sublattices
    ]
    shapes = tuple(Polygon(spec.dose_layer(dose), points) for points, _ in drawn)
    if field.tone == "inverse":
        shapes = _inverse(field, shapes, placed, key)
    record = ArrayRecord(
        unit_cell=f"{name}_UNIT",
        sublattices=sublattices,
        outlines_nm=tuple(arrays.drawn_outline_nm(p, vertices=arrays.IDEAL_VERTICES) for p in patterns),
        feature_area_nm2=sum(pattern.area_nm2 for pattern in patterns),
        cell_area_nm2=abs(float(np.linalg.det(vectors))),
        drawn=design.written_name if field.tone == "feature" else f"all but the {design.written_name}",
        tone=field.tone,
        grid_error_nm=max(item.grid_error_nm for item in placed),
        position_error_nm=max(item.position_error_nm for item in placed),
    )
    parameters, label = _named(field, design, counts, varied, column=at[1])
    device = Device(
        name=name, kind="array", label=label, size_um=_extent_um(sublattices, vectors), design_id=design.id,
        parameters=parameters, array=record,
    )  # fmt: skip
    return _with_label(
        spec, device,
        unit_cells=(Cell(f"{name}_UNIT", shapes),),
        references=tuple(reference for item in placed for reference in item.references),
        vertex_nm=max(moved for _, moved in drawn),
        chord_nm=max(arrays.chord_error_nm(pattern, vertices=corners) for pattern in patterns),
    )  # fmt: skip


def _named(
    field: FieldSpec, design: Design, counts: tuple[int, int], varied: tuple[float, float | None, float], *,
    column: int,
) -> tuple[tuple[tuple[str, float], ...], str]:  # fmt: skip
    """What tells a device from its neighbours: numbers for the manifest, and its label."""
    period, value, dose = varied
    parameters = {"period_nm": period, "dose": dose, "columns": float(counts[0]), "rows": float(counts[1])}
    parameters |= design.told_of_written()
    words = {"period": f"{period:g}", "dose": f"{dose:g}", "value": "", "wavelength": ""}
    words["periods"] = "x".join(map(str, counts[: design.lattice.dimensions]))
    if field.vary and value is not None:
        parameters[field.vary.key], words["value"] = value, f"{value:g}"
    if field.wavelengths_nm:
        wavelength = parameters["wavelength_nm"] = field.wavelengths_nm[column]
        words["wavelength"] = f"{wavelength:.4g}"
    return tuple(sorted(parameters.items())), _filled(field.label, words)


def _varied(field: FieldSpec, period: float, value: float | None, key: str) -> Design:
    lengths = field.design.lattice.at_period(period) if period != field.own_period_nm else {}
    changes = {f"lattice.{name}": length for name, length in lengths.items()}
    if field.vary and value is not None:
        changes[field.vary.key] = value
    if not changes:
        return field.design
    try:
        return field.design.with_values(changes)
    except InputError as error:
        shown = ", ".join(f"{name} = {number:g}" for name, number in changes.items())
        where = f" ({error.key})" if error.key else ""
        raise InputError(f"with {shown} the design is not valid: {error.message}{where}", key=key) from None


def _counts(field: FieldSpec, design: Design, vectors: Array, key: str) -> tuple[int, int]:
    """Unit cells along a1 and a2 (for a ``rectangle`` of a hexagonal lattice: per row, and rows); of lines, and 1."""
    if field.side_um is None:
        given = field.periods or (design.device.periods if design.device else (1,))
        return given[0], (*given, 1)[1]
    side = field.side_um * 1000.0 * (1.0 + 1e-9)  # one of exactly n periods holds n, whatever rounding says
    rows = 1 if design.lattice.dimensions == 1 else int(min(side / vectors[1, 1], 1e7))
    counts = (int(min(side / vectors[0, 0], 1e7)), rows)
    if not 1 <= min(counts) <= max(counts) <= 1_000_000:
        rule = "shorter than one period" if min(counts) < 1 else "longer than a million periods"
        raise InputError(f"is {rule}", key=f"{key}.side_um", value=field.side_um)
    return counts


def _vectors_nm(field: FieldSpec, design: Design) -> Array:
    """Lattice vectors; the second of a line lattice is as long as its lines are drawn."""
    vectors = design.lattice.vectors_nm
    if design.lattice.dimensions == 1:
        vectors = np.diag([vectors[0, 0], 1000.0 * (field.length_um or field.side_um or 0.0)])
    return vectors


def _sublattices(
    field: FieldSpec, design: Design, vectors: Array, counts: tuple[int, int]
) -> tuple[Any, ...]:
    """(first, n1, n2, v1, v2) in nm about the middle: one lattice, even and odd rows of a rectangle, or two halves."""
    (a1, a2), (n1, n2) = vectors, counts
    shift = design.device.shift_periods if design.device else 0.0
    across = a2
    if shift:
        if n1 < 4:
            rule = "a grating with a shift in its middle has 4 periods at least"
            raise InputError(rule, key="periods", value=n1)
        first, left = -0.5 * (n1 - 1.0 + shift) * a1, n1 // 2
        parts = [(first, left, 1), (first + (left + shift) * a1, n1 - left, 1)]
    elif design.lattice.kind == "hexagonal" and field.boundary == "rectangle":
        if field.tone == "inverse":
            rule = "an inverse hexagonal field is drawn as a parallelogram"
            raise InputError(rule, key="tone", value=field.tone)
        across = 2.0 * a2 - a1
        reach = n1 - 0.5 if n2 > 1 else n1 - 1.0  # odd rows reach half a period further right
        first = -0.5 * (reach * a1 + 0.5 * (n2 - 1) * across)
        parts = [(first, n1, (n2 + 1) // 2), (first + a2, n1, n2 // 2)]
    else:
        parts = [(-0.5 * ((n1 - 1) * a1 + (n2 - 1) * a2), n1, n2)]
    steps = tuple(a1.tolist()), tuple(across.tolist())
    return tuple((tuple(first.tolist()), n, rows, *steps) for first, n, rows in parts if rows)


def _extent_um(sublattices: tuple[Any, ...], vectors: Array) -> tuple[float, float]:
    """Width and height of the area that the unit cells fill, µm."""
    corners = [
        np.array(first) + i * np.array(v1) + j * np.array(v2)
        for first, n1, n2, v1, v2 in sublattices
        for i, j in product((0, n1 - 1), (0, n2 - 1))
    ]
    (width, height), ((ax, _), (bx, by)) = np.ptp(corners, axis=0), vectors
    return float(width + ax + abs(bx)) * 1e-3, float(height + by) * 1e-3


def _inverse(
    field: FieldSpec, shapes: tuple[Polygon, ...], placed: list[arrays.Placed], key: str
) -> tuple[Polygon, ...]:
    """The unit cell without its features; the tiles must meet exactly, so the period must be on the grid."""
    if any(item.grid_error_nm > 0.0 for item in placed):
        rule = "an inverse field needs a period of whole database units, or its tiles would not meet"
        raise InputError(rule, key=f"{key}.tone", value=field.tone)
    reference = placed[0].references[0]
    (ax, ay), (bx, by) = reference.v1, reference.v2
    x, y = -((ax + bx) // 2), -((ay + by) // 2)
    tile = ((x, y), (x + ax, y + ay), (x + ax + bx, y + ay + by), (x + bx, y + by))
    pieces = drawing.subtract(tile, [shape.points for shape in shapes])
    left = area(tile) - sum(area(shape.points) for shape in shapes)
    drawn = sum(area(points) for points in pieces)
    if abs(drawn - left) > 4.0 * max(ax, by):
        rule = "an inverse field needs features that lie within their cell, apart from each other"
        raise InputError(rule, key=f"{key}.tone")
    return tuple(Polygon(shapes[0].layer, points) for points in pieces)


def aperture_device(spec: MaskSpec, index: int, diameter_um: float, copy: int) -> Made:
    """A spacer ring in arcs, the window of the film inside it, and four crosses for the second mirror outside."""
    item, units, roles = spec.apertures[index], spec.units, spec.layers
    inner, outer = units(0.5 * diameter_um), units(0.5 * diameter_um + item.ring_width_um)
    size, width = units(40.0), units(4.0)
    away = round((outer + units(15.0)) / math.sqrt(2.0)) + size // 2
    shapes = (
        *drawing.ring(roles.spacer, inner, outer, item.vents, units(item.vent_um)),
        drawing.disc(roles.film, units(0.5 * diameter_um - item.film_margin_um)),
        *(drawing.cross(roles.marks, (x, y), size, width) for x, y in drawing.corners(away, away)),
    )
    gaps = item.design.gaps_nm()
    words = {"diameter": f"{diameter_um:g}", **{name: f"{gap:g}" for name, gap in gaps.items()}}
    lengths = {f"{name}_nm": gap for name, gap in gaps.items()}
    parameters = {"diameter_um": diameter_um, "ring_width_um": item.ring_width_um, **lengths}
    side = 2.0 * (0.5 * diameter_um + item.ring_width_um)
    device = Device(
        name=f"{_slug(item.name)}_D{f'{diameter_um:g}'.replace('.', 'p')}_{copy + 1}",
        kind="aperture", label=_filled(item.label, words), size_um=(side, side), design_id=item.design.id,
        parameters=tuple(sorted(parameters.items())),
    )  # fmt: skip
    return _with_label(spec, device, polygons=shapes)


def witness_cells(spec: MaskSpec) -> Made:
    """Gratings of lines side by side, each labelled by its width: lines of the width, gaps of the same."""
    witness = spec.witness
    assert witness is not None
    units, layer = spec.units, getattr(spec.layers, witness.layer)
    if witness.layer == "pattern":
        layer = spec.dose_layer(min(spec.doses, key=lambda dose: abs(dose - 1.0)))
    cells, references, shapes, lettering = [], [], [], []
    x, length, height = 0, units(witness.length_um), units(spec.labels.size_um * 0.6)
    below = -units(spec.labels.distance_um) - height // 2
    for number, width_nm in enumerate(witness.widths_nm, 1):
        width = max(round(width_nm / spec.database_unit_nm), 1)
        name, text = f"WITNESS_L{number}", f"{width_nm:g}"
        cells.append(Cell(name, (drawing.rectangle(layer, 0, 0, width, length),)))
        references.append(Reference(name, (x, 0), witness.lines, 1, (2 * width, 0), (0, 2 * width)))
        wide = (2 * witness.lines - 1) * width
        letters, drawn = drawing.letters(spec.layers.label, text, height, (x + wide // 2, below))
        shapes += letters
        lettering += drawn
        x += max(wide, drawing.letters_width(text, height)) + units(15.0)
    cell = Cell("WITNESS", tuple(shapes), tuple(references), letters=tuple(lettering))
    label = f"lines of {', '.join(f'{width:g}' for width in witness.widths_nm)} nm"
    return Made(Device(name="WITNESS", kind="witness", label=label), (*cells, cell))


def window_device(spec: MaskSpec, index: int, copy: int) -> Made:
    """An open rectangle with its label below."""
    window = spec.windows[index]
    w, h = (spec.units(0.5 * side) for side in window.size_um)
    name = f"WINDOW_{index + 1}_{copy + 1}"
    device = Device(name=name, kind="window", label=window.label, size_um=window.size_um)
    shape = drawing.rectangle(getattr(spec.layers, window.layer), -w, -h, w, h)
    return _with_label(spec, device, polygons=(shape,))


def _with_label(
    spec: MaskSpec, device: Device, *, unit_cells: tuple[Cell, ...] = (), polygons: tuple[Polygon, ...] = (),
    references: tuple[Reference, ...] = (), vertex_nm: float = 0.0, chord_nm: float = 0.0,
) -> Made:  # fmt: skip
    """The device's cell: what is drawn, its label in letters below, and a text element that software finds it by."""
    units, labels = spec.units, spec.labels
    height = units(labels.size_um)
    bottom = -units(0.5 * device.size_um[1] + labels.distance_um)
    if device.kind == "aperture":  # the crosses on the diagonals may reach out of the ring's box
        lowest = min(y for polygon in polygons for _, y in polygon.points)
        bottom = min(bottom, lowest - units(labels.distance_um))
    letters, drawn = drawing.letters(spec.layers.label, device.label, height, (0, bottom - height // 2))
    texts = (TextMark(spec.layers.label, device.name, (0, 0)),)
    cell = Cell(device.name, (*polygons, *letters), references, texts, drawn)
    return Made(device, (*unit_cells, cell), vertex_nm, chord_nm)


def _slug(name: str) -> str:
    return name.upper().replace("-", "_")


def _filled(template: str, words: dict[str, str]) -> str:
    for name, word in words.items():
        template = template.replace(f"{{{name}}}", word)
    return template
