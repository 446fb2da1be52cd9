"""Layout → files: GDSII or OASIS, with a manifest beside it; equal layouts give equal bytes."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cavitydesign.errors import InputError, Unavailable
from cavitydesign.files import write_atomically
from cavitydesign.masks.layout import Device, Layout, Reference
from cavitydesign.masks.spec import MaskSpec
from cavitydesign.masks.stream import gds_bytes

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
    gdstk = import_gdstk()
    unit = layout.spec.database_unit_nm * 1e-3
    library = gdstk.Library(layout.spec.name, unit=1e-6, precision=layout.spec.database_unit_nm * 1e-9)
    cells: dict[str, Any] = {}
    for cell in layout.cells:
        made = cells[cell.name] = gdstk.Cell(cell.name)
        for polygon in cell.polygons:
            layer, datatype = polygon.layer
            points = [(x * unit, y * unit) for x, y in polygon.points]
            made.add(gdstk.Polygon(points, layer=layer, datatype=datatype))
        for reference in cell.references:
            made.add(_gdstk_reference(gdstk, cells[reference.cell], reference, unit))
        for mark in cell.texts:
            x, y = mark.position
            made.add(
                gdstk.Label(mark.text, (x * unit, y * unit), layer=mark.layer[0], texttype=mark.layer[1])
            )
        library.add(made)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mask.oas"
        library.write_oas(str(path), validation="crc32")
        return path.read_bytes()


def _gdstk_reference(gdstk: Any, cell: Any, reference: Reference, unit: float) -> Any:
    x, y = reference.origin
    made = gdstk.Reference(cell, (x * unit, y * unit))
    if reference.count > 1:
        (ax, ay), (bx, by) = reference.v1, reference.v2
        made.repetition = gdstk.Repetition(
            columns=reference.columns,
            rows=reference.rows,
            v1=(ax * unit, ay * unit),
            v2=(bx * unit, by * unit),
        )
    return made


def manifest_content(layout: Layout, *, file: str, size: int, sha256: str) -> dict[str, Any]:
    """What the mask holds, as plain data: layers, devices, errors of the grid, and where it comes from."""
    spec, names = layout.spec, layout.layer_names
    counts, areas = layout.polygon_counts(), layout.areas_um2()
    doses = {spec.dose_layer(dose): dose for dose in spec.doses}
    return {
        "mask": spec.name,
        "title": spec.title,
        "mask_id": spec.id,
        "file": file,
        "bytes": size,
        "sha256": sha256,
        "database_unit_nm": spec.database_unit_nm,
        "chip_um": list(spec.chip.size_um),
        "circle": {
            "vertices": spec.circle_vertices,
            "largest_chord_error_nm": layout.snap.chord_nm,
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
    if device.array is not None:
        record = device.array
        drawn = drawn_area_nm2(layout, device)
        aim = (
            record.feature_area_nm2
            if record.tone == "feature"
            else record.cell_area_nm2 - record.feature_area_nm2
        )
        found |= {
            "drawn": record.drawn, "count": record.count, "unit_cell": record.unit_cell,
            "fill_factor": drawn / record.cell_area_nm2, "fill_factor_designed": aim / record.cell_area_nm2,
            "grid_error_nm": record.grid_error_nm, "position_error_nm": record.position_error_nm,
        }  # fmt: skip
    return found


def drawn_area_nm2(layout: Layout, device: Device) -> float:
    """Area of the polygons in the unit cell of an array, nm²."""
    from cavitydesign.masks.layout import area

    assert device.array is not None
    unit = layout.spec.database_unit_nm
    return sum(area(polygon.points) for polygon in layout.cell(device.array.unit_cell).polygons) * unit**2


def import_gdstk() -> Any:
    """gdstk, or :class:`~cavitydesign.errors.Unavailable`."""
    try:
        import gdstk
    except ImportError as error:
        raise Unavailable("gdstk", why=str(error), install="pip install gdstk") from None
    return gdstk
