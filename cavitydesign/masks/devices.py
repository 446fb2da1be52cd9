"""The devices of a mask, each one cell about its own middle: arrays, apertures, witness gratings, windows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from cavitydesign.errors import InputError
from cavitydesign.geometry import Design
from cavitydesign.masks import arrays, drawing
from cavitydesign.masks.layout import (
    ArrayRecord,
    Cell,
    Device,
    Layer,
    Point,
    Polygon,
    Reference,
    TextMark,
    area,
)
from cavitydesign.masks.spec import FieldSpec, MaskSpec


@dataclass(frozen=True, slots=True)
class Made:
    """A device with the cells that it needs (those used by others first) and what snapping moved, in nm."""

    device: Device
    cells: tuple[Cell, ...]
    vertex_nm: float = 0.0
    chord_nm: float = 0.0


def field_devices(spec: MaskSpec, index: int) -> list[list[Made]]:
    """The arrays of ``spec.fields[index]``: a row per value of ``vary`` and per dose, a column per period."""
    field = spec.fields[index]
    values = field.vary.values if field.vary else (None,)
    rows = [(value, dose) for value in values for dose in field.doses]
    periods = field.periods_nm or (field.own_period_nm,)
    return [
        [
            _array_device(spec, index, (row, column), period, value, dose)
            for column, period in enumerate(periods)
        ]
        for row, (value, dose) in enumerate(rows)
    ]


def _array_device(
    spec: MaskSpec, index: int, at: tuple[int, int], period: float, value: float | None, dose: float
) -> Made:
    field, key, unit = spec.fields[index], f"fields.{index}", spec.database_unit_nm
    design = _varied(field, period, value, key)
    vectors = _vectors_nm(field, design)
    counts = _counts(field, design, key)
    patterns = arrays.features(design, layer=field.design_layer, key=key)
    patterns = tuple(arrays.of_length(pattern, float(vectors[1, 1])) for pattern in patterns)
    patterns = tuple(arrays.biased(pattern, field.bias_nm, key=key) for pattern in patterns)
    name = f"{_slug(field.name)}_R{at[0] + 1}C{at[1] + 1}"
    layer = spec.dose_layer(dose)

    outlines, moved = [], 0.0
    for pattern in patterns:
        points, error = arrays.snapped(
            arrays.drawn_outline_nm(pattern, vertices=spec.circle_vertices), unit, key=key
        )
        outlines.append(points)
        moved = max(moved, error)
    sublattices = _sublattices(field, design, vectors, counts)
    placed = [
        arrays.place(f"{name}_UNIT", first, (n1, n2), np.array([v1, v2]), unit, key=key)
        for first, n1, n2, v1, v2 in sublattices
    ]
    shapes = tuple(Polygon(layer, points) for points in outlines)
    if field.tone == "inverse":
        shapes = _inverse(field, shapes, placed, key)
    record = ArrayRecord(
        unit_cell=f"{name}_UNIT",
        sublattices=sublattices,
        outlines_nm=tuple(_ideal_outline(pattern) for pattern in patterns),
        feature_area_nm2=sum(pattern.area_nm2 for pattern in patterns),
        cell_area_nm2=abs(float(np.linalg.det(vectors))),
        drawn=design.written_name if field.tone == "feature" else f"all but the {design.written_name}",
        tone=field.tone,
        grid_error_nm=max(item.grid_error_nm for item in placed),
        position_error_nm=max(item.position_error_nm for item in placed),
    )
    parameters, words = _named(field, design, counts, (period, value, dose), column=at[1])
    extent = _extent_um(sublattices, vectors)
    return _with_label(
        spec,
        Device(
            name=name,
            kind="array",
            cell=name,
            origin=(0, 0),
            label=_filled(field.label, words),
            size_um=extent,
            design_id=design.id,
            parameters=tuple(sorted(parameters.items())),
            array=record,
        ),
        unit_cells=(Cell(f"{name}_UNIT", shapes),),
        polygons=(),
        references=tuple(reference for item in placed for reference in item.references),
        vertex_nm=moved,
        chord_nm=max(arrays.chord_error_nm(pattern, vertices=spec.circle_vertices) for pattern in patterns),
    )


def _named(
    field: FieldSpec,
    design: Design,
    counts: tuple[int, int],
    varied: tuple[float, float | None, float],
    *,
    column: int,
) -> tuple[dict[str, float], dict[str, str]]:
    """What tells a device from its neighbours: numbers for the manifest, and words for its label."""
    period, value, dose = varied
    parameters = {"period_nm": period, "dose": dose, "columns": float(counts[0]), "rows": float(counts[1])}
    if field.vary and value is not None:
        parameters[field.vary.key] = value
    wavelength = field.wavelengths_nm[column] if field.wavelengths_nm else None
    if wavelength is not None:
        parameters["wavelength_nm"] = wavelength
    words = {
        "period": f"{period:g}", "dose": f"{dose:g}",
        "periods": "x".join(map(str, counts[: design.lattice.dimensions])),
        "value": "" if value is None else f"{value:g}", "wavelength": "" if wavelength is None else f"{wavelength:.4g}",
    }  # fmt: skip
    return parameters, words


def _varied(field: FieldSpec, period: float, value: float | None, key: str) -> Design:
    lengths = field.design.lattice.at_period(period) if period != field.own_period_nm else {}
    changes = {f"lattice.{name}": length for name, length in lengths.items()}
    if field.vary and value is not None:
        if field.vary.key.startswith("lattice."):
            raise InputError("periods are varied by periods_nm", key=f"{key}.vary.key", value=field.vary.key)
        changes[field.vary.key] = value
    if not changes:
        return field.design
    try:
        return field.design.with_values(changes)
    except InputError as error:
        shown = ", ".join(f"{name} = {number:g}" for name, number in changes.items())
        where = f" ({error.key})" if error.key else ""
        raise InputError(f"with {shown} the design is not valid: {error.message}{where}", key=key) from None


def _counts(field: FieldSpec, design: Design, key: str) -> tuple[int, int]:
    """Unit cells along a1 and a2 (for a ``rectangle`` of a hexagonal lattice: per row, and rows); of lines, and 1."""
    if field.side_um is None:
        given = field.periods or (design.device.periods if design.device else (1, 1))
        counts = (given[0], given[1] if len(given) == 2 else 1)
    else:
        (ax, _), (_, by) = _vectors_nm(field, design)
        side = (
            field.side_um * 1000.0 * (1.0 + 1e-9)
        )  # a side of exactly n periods holds n, whatever rounding says
        rows = 1 if design.lattice.dimensions == 1 else int(min(side / by, 1e7))
        counts = (int(min(side / ax, 1e7)), rows)
    if min(counts) < 1:
        raise InputError("is shorter than one period", key=f"{key}.side_um", value=field.side_um)
    if max(counts) > 1_000_000:
        raise InputError("is longer than a million periods", key=f"{key}.side_um", value=field.side_um)
    return counts


def _vectors_nm(field: FieldSpec, design: Design) -> Any:
    """Lattice vectors; the second of a line lattice is as long as its lines are drawn."""
    vectors = design.lattice.vectors_nm
    if design.lattice.dimensions == 1:
        vectors = np.diag([vectors[0, 0], 1000.0 * (field.length_um or field.side_um or 0.0)])
    return vectors


def _sublattices(field: FieldSpec, design: Design, vectors: Any, counts: tuple[int, int]) -> tuple[Any, ...]:
    """(first, n1, n2, v1, v2) in nm about the middle: one lattice, even and odd rows of a rectangle, or two halves."""
    (a1, a2), (n1, n2) = vectors, counts
    pair = tuple(float(x) for x in a1), tuple(float(x) for x in a2)
    shift = design.device.shift_periods if design.device else 0.0
    if shift:
        if n1 < 4:
            raise InputError(
                "a grating with a shift in its middle has 4 periods at least", key="periods", value=n1
            )
        first = -0.5 * (n1 - 1.0 + shift) * a1
        left = n1 // 2
        second = first + (left + shift) * a1
        return tuple(((float(at[0]), 0.0), n, 1, *pair) for at, n in ((first, left), (second, n1 - left)))
    if design.lattice.kind == "hexagonal" and field.boundary == "rectangle":
        if field.tone == "inverse":
            raise InputError(
                "an inverse hexagonal field is drawn as a parallelogram", key="tone", value=field.tone
            )
        two = 2.0 * a2 - a1
        reach = n1 - 0.5 if n2 > 1 else n1 - 1.0  # odd rows reach half a period further right
        first = -0.5 * (reach * a1 + 0.5 * (n2 - 1) * two)
        rows = ((first, (n2 + 1) // 2), (first + a2, n2 // 2))
        across = tuple(float(x) for x in two)
        return tuple(
            ((float(at[0]), float(at[1])), n1, rows_n, pair[0], across) for at, rows_n in rows if rows_n
        )
    first = -0.5 * ((n1 - 1) * a1 + (n2 - 1) * a2)
    return (((float(first[0]), float(first[1])), n1, n2, *pair),)


def _extent_um(sublattices: tuple[Any, ...], vectors: Any) -> tuple[float, float]:
    """Width and height of the area that the unit cells fill, µm."""
    xs, ys = [], []
    (ax, _), (bx, by) = vectors
    for (x, y), n1, n2, v1, v2 in sublattices:
        xs += [x, x + (n1 - 1) * v1[0], x + (n2 - 1) * v2[0], x + (n1 - 1) * v1[0] + (n2 - 1) * v2[0]]
        ys += [y, y + (n1 - 1) * v1[1] + (n2 - 1) * v2[1]]
    return (max(xs) - min(xs) + ax + abs(bx)) * 1e-3, (max(ys) - min(ys) + by) * 1e-3


def _ideal_outline(pattern: Any) -> Any:
    return arrays.drawn_outline_nm(pattern, vertices=arrays.IDEAL_VERTICES)


def _inverse(
    field: FieldSpec, shapes: tuple[Polygon, ...], placed: list[arrays.Placed], key: str
) -> tuple[Polygon, ...]:
    """The unit cell without its features; the tiles must meet exactly, so the period must be on the grid."""
    if any(item.grid_error_nm > 0.0 for item in placed):
        raise InputError(
            "an inverse field needs a period of whole database units, or its tiles would not meet", key=f"{key}.tone",
            value=field.tone,
        )  # fmt: skip
    reference = placed[0].references[0]
    (ax, ay), (bx, by) = reference.v1, reference.v2
    x, y = -((ax + bx) // 2), -((ay + by) // 2)
    tile = ((x, y), (x + ax, y + ay), (x + ax + bx, y + ay + by), (x + bx, y + by))
    pieces = drawing.subtract(tile, [shape.points for shape in shapes])
    left = area(tile) - sum(area(shape.points) for shape in shapes)
    drawn = sum(area(points) for points in pieces)
    if abs(drawn - left) > 4.0 * max(ax, by):
        raise InputError(
            "an inverse field needs features that lie within their cell, apart from each other",
            key=f"{key}.tone",
        )
    return tuple(Polygon(shapes[0].layer, points) for points in pieces)


def aperture_device(spec: MaskSpec, index: int, diameter_um: float, copy: int) -> Made:
    """A spacer ring in arcs, the window of the film inside it, and four crosses for the second mirror outside."""
    item = spec.apertures[index]
    units = _units(spec)
    inner, outer = units(0.5 * diameter_um), units(0.5 * diameter_um + item.ring_width_um)
    cross_size, cross_width = units(40.0), units(4.0)
    away = round((outer + units(15.0)) / math.sqrt(2.0)) + cross_size // 2
    shapes = [
        *drawing.ring(spec.layers.spacer, inner, outer, item.vents, units(item.vent_um)),
        drawing.disc(spec.layers.film, units(0.5 * diameter_um - item.film_margin_um)),
        *(
            drawing.cross(spec.layers.marks, (sx * away, sy * away), cross_size, cross_width)
            for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))
        ),
    ]
    design = item.design
    gaps = design.gaps_nm()
    words = {"diameter": f"{diameter_um:g}", **{name: f"{gap:g}" for name, gap in gaps.items()}}
    name = f"{_slug(item.name)}_D{f'{diameter_um:g}'.replace('.', 'p')}_{copy + 1}"
    parameters = {
        "diameter_um": diameter_um, "ring_width_um": item.ring_width_um,
        **{f"{name}_nm": gap for name, gap in gaps.items()},
    }  # fmt: skip
    side = 2.0 * (0.5 * diameter_um + item.ring_width_um)
    device = Device(
        name=name, kind="aperture", cell=name, origin=(0, 0), label=_filled(item.label, words), size_um=(side, side),
        design_id=design.id, parameters=tuple(sorted(parameters.items())),
    )  # fmt: skip
    return _with_label(spec, device, unit_cells=(), polygons=tuple(shapes), references=())


def witness_cells(spec: MaskSpec) -> Made:
    """Gratings of lines side by side, each labelled by its width: lines of the width, gaps of the same."""
    witness = spec.witness
    assert witness is not None
    units, layer = _units(spec), _role(spec, witness.layer)
    if witness.layer == "pattern":
        layer = spec.dose_layer(min(spec.doses, key=lambda dose: abs(dose - 1.0)))
    cells, references, shapes, lettering = [], [], [], []
    x, length, height = 0, units(witness.length_um), units(spec.labels.size_um * 0.6)
    for number, width_nm in enumerate(witness.widths_nm, 1):
        width = max(round(width_nm / spec.database_unit_nm), 1)
        name = f"WITNESS_L{number}"
        cells.append(Cell(name, (drawing.rectangle(layer, 0, 0, width, length),)))
        references += _lines(name, x, width, witness.lines)
        wide = (2 * witness.lines - 1) * width
        text = f"{width_nm:g}"
        below = -units(spec.labels.distance_um) - height // 2
        letters, drawn = drawing.letters(spec.layers.label, text, height, (x + wide // 2, below))
        shapes += letters
        lettering += [drawn] if drawn else []
        x += max(wide, drawing.letters_width(text, height)) + units(15.0)
    cell = Cell("WITNESS", tuple(shapes), tuple(references), letters=tuple(lettering))
    device = Device(
        name="WITNESS", kind="witness", cell="WITNESS", origin=(0, 0),
        label="lines of " + ", ".join(f"{w:g}" for w in witness.widths_nm) + " nm",
    )  # fmt: skip
    return Made(device, (*cells, cell))


def _lines(name: str, x: int, width: int, count: int) -> list[Reference]:
    return [Reference(name, (x, 0), count, 1, (2 * width, 0), (0, 2 * width))]


def window_device(spec: MaskSpec, index: int, copy: int) -> Made:
    """An open rectangle with its label below."""
    window = spec.windows[index]
    units = _units(spec)
    w, h = units(0.5 * window.size_um[0]), units(0.5 * window.size_um[1])
    name = f"WINDOW_{index + 1}_{copy + 1}"
    device = Device(
        name=name, kind="window", cell=name, origin=(0, 0), label=window.label, size_um=window.size_um
    )
    return _with_label(
        spec,
        device,
        unit_cells=(),
        polygons=(drawing.rectangle(_role(spec, window.layer), -w, -h, w, h),),
        references=(),
    )


def _with_label(
    spec: MaskSpec, device: Device, *, unit_cells: tuple[Cell, ...], polygons: tuple[Polygon, ...],
    references: tuple[Reference, ...], vertex_nm: float = 0.0, chord_nm: float = 0.0,
) -> Made:  # fmt: skip
    """The device's cell: what is drawn, its label in letters below, and a text element that software finds it by."""
    units = _units(spec)
    height = units(spec.labels.size_um)
    low = -units(0.5 * device.size_um[1] + spec.labels.distance_um) - height // 2
    if (
        device.kind == "aperture"
    ):  # the crosses on the diagonals stay within the ring's box or little outside of it
        low = min(
            low, min(y for p in polygons for _, y in p.points) - units(spec.labels.distance_um) - height // 2
        )
    letters, drawn = drawing.letters(spec.layers.label, device.label, height, (0, low))
    texts = (TextMark(spec.layers.label, device.name, (0, 0)),)
    cell = Cell(device.cell, (*polygons, *letters), references, texts, (drawn,) if drawn else ())
    return Made(device, (*unit_cells, cell), vertex_nm, chord_nm)


def _units(spec: MaskSpec) -> Any:
    def units(length_um: float) -> int:
        return round(length_um * 1000.0 / spec.database_unit_nm)

    return units


def _role(spec: MaskSpec, role: str) -> Layer:
    return getattr(spec.layers, role)


def _slug(name: str) -> str:
    return name.upper().replace("-", "_")


def _filled(template: str, words: dict[str, str]) -> str:
    for name, word in words.items():
        template = template.replace(f"{{{name}}}", word)
    return template


__all__ = ["Made", "Point", "aperture_device", "field_devices", "window_device", "witness_cells"]
