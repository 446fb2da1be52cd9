"""Layout → files: GDSII or OASIS, with a manifest beside it; equal layouts give equal bytes."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cavitydesign.errors import InputError
from cavitydesign.files import write_atomically
from cavitydesign.masks.layout import Device, Layout, Point, area
from cavitydesign.masks.spec import MaskSpec
from cavitydesign.masks.stream import gds_bytes, import_gdstk

SUFFIXES = (".gds", ".oas")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was written: where, its SHA-256, and ``content``, which ``<file>.manifest.json`` holds."""

    path: Path
    manifest_path: Path
    sha256: str
    content: dict[str, Any]


def write(layout: Layout, path: str | Path) -> Manifest:
    """Write a layout to ``.gds`` or ``.oas``, and ``<file>.manifest.json`` beside it.

    Both are written to a temporary file and renamed, the mask first. Raises
    :class:`~cavitydesign.errors.InputError` for another ending or a folder that cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES or path.name != path.name.strip() or not path.stem:
        raise InputError("a mask is written to a .gds or .oas file", key="path", value=str(path))
    data = gds_bytes(layout) if path.suffix.lower() == ".gds" else oas_bytes(layout)
    digest = hashlib.sha256(data).hexdigest()
    content = manifest_content(layout, file=path.name, size=len(data), sha256=digest)
    beside = path.with_name(path.name + ".manifest.json")
    text = json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n"
    try:
        write_atomically(path, data)
        write_atomically(beside, text.encode())
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", key="path", value=str(path)) from None
    return Manifest(path, beside, digest, content)


def write_named(spec: MaskSpec, layout: Layout, folder: str | Path, *, suffix: str = ".gds") -> Manifest:
    """Write under the mask's own name into ``folder``; ``MaskSpec.name`` cannot lead out of it."""
    return write(layout, Path(folder) / f"{spec.name}{suffix}")


def oas_bytes(layout: Layout) -> bytes:
    """The layout as OASIS, through gdstk; arrays stay repetitions."""
    gdstk, unit = import_gdstk(), layout.spec.database_unit_nm * 1e-3

    def um(point: Point) -> tuple[float, float]:
        return point[0] * unit, point[1] * unit

    library = gdstk.Library(layout.spec.name, unit=1e-6, precision=layout.spec.database_unit_nm * 1e-9)
    cells: dict[str, Any] = {}
    for cell in layout.cells:
        made = cells[cell.name] = gdstk.Cell(cell.name)
        for polygon in cell.polygons:
            made.add(gdstk.Polygon([*map(um, polygon.points)], *polygon.layer))
        for item in cell.references:
            reference = gdstk.Reference(cells[item.cell], um(item.origin))
            if item.count > 1:
                steps = {"v1": um(item.v1), "v2": um(item.v2)}
                reference.repetition = gdstk.Repetition(columns=item.columns, rows=item.rows, **steps)
            made.add(reference)
        for mark in cell.texts:
            layer, texttype = mark.layer
            made.add(gdstk.Label(mark.text, um(mark.position), layer=layer, texttype=texttype))
        library.add(made)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mask.oas"
        library.write_oas(str(path), validation="crc32")
        return path.read_bytes()


def manifest_content(layout: Layout, *, file: str, size: int, sha256: str) -> dict[str, Any]:
    """What the mask holds, as plain data: layers, devices, errors of the grid, and where it comes from."""
    spec, names = layout.spec, layout.layer_names
    counts, areas = layout.polygon_counts(), layout.areas_um2()
    doses = {spec.dose_layer(dose): dose for dose in spec.doses}
    return {
        "mask": spec.name, "title": spec.title, "mask_id": spec.id, "file": file, "bytes": size, "sha256": sha256,
        "database_unit_nm": spec.database_unit_nm, "chip_um": list(spec.chip.size_um),
        "circle": {
            "vertices": spec.circle_vertices, "largest_chord_error_nm": layout.snap.chord_nm,
            "rule": "polygon of the circle's own area",
        },
        "snap": {"largest_vertex_nm": layout.snap.vertex_nm, "largest_position_nm": layout.snap.position_nm},
        "layers": [
            {
                "name": names[layer], "layer": layer[0], "datatype": layer[1], "polygons": counts[layer],
                "area_um2": areas[layer], **({"dose": doses[layer]} if layer in doses else {}),
            }
            for layer in counts
        ],
        "cells": [
            {
                "name": cell.name, "polygons": len(cell.polygons), "references": len(cell.references),
                "copies": sum(reference.count for reference in cell.references),
            }
            for cell in layout.cells
        ],
        "devices": [_device_content(layout, device) for device in layout.devices],
    }  # fmt: skip


def _device_content(layout: Layout, device: Device) -> dict[str, Any]:
    unit = layout.spec.database_unit_nm
    found: dict[str, Any] = {
        "name": device.name, "kind": device.kind, "label": device.label, "size_um": list(device.size_um),
        "center_um": [device.origin[0] * unit * 1e-3, device.origin[1] * unit * 1e-3], **dict(device.parameters),
    }  # fmt: skip
    if device.design_id:
        found["design_id"] = device.design_id
    record = device.array
    if record is not None:
        shapes, whole = layout.cell(record.unit_cell).polygons, record.cell_area_nm2
        drawn = sum(area(polygon.points) for polygon in shapes) * unit**2
        aim = record.feature_area_nm2 if record.tone == "feature" else whole - record.feature_area_nm2
        found |= {
            "drawn": record.drawn, "count": record.count, "unit_cell": record.unit_cell,
            "fill_factor": drawn / whole, "fill_factor_designed": aim / whole,
            "grid_error_nm": record.grid_error_nm, "position_error_nm": record.position_error_nm,
        }  # fmt: skip
    return found
