"""``cavitydesign mask`` and ``cavitydesign check``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from cavitydesign import masks
from cavitydesign.cli import options, output
from cavitydesign.cli.group import Leave
from cavitydesign.cli.options import Answer
from cavitydesign.errors import InputError
from cavitydesign.masks import Layout, Manifest, ReadBack, Violation

LayoutFile = Annotated[Path, typer.Argument(metavar="LAYOUT", help="Mask file (TOML).", show_default=False)]
MaskOut = Annotated[
    Path,
    typer.Option("--out", metavar="FILE.gds", help="The mask to write: .gds or .oas.", show_default=False),
]
Force = Annotated[bool, typer.Option("--force", help="Write although a fabrication rule is broken.")]


def mask(
    layout: LayoutFile,
    out: MaskOut,
    force: Force = False,
    plot: options.Plot = None,
    json: options.Json = False,
) -> None:
    """Draw a mask, apply the fabrication rules, write it with its manifest and read it back.

    Example: cavitydesign mask layouts/masks/pcsel.toml --out out/pcsel.gds
    """
    options.writable(out, "--out", suffixes=(".gds", ".oas"))
    options.writable(plot, "--plot", suffixes=options.FIGURES)
    drawn, found, errors = _drawn(layout)
    if errors and not force:
        raise InputError(
            f"breaks {len(errors)} fabrication rule(s); nothing was written (--force writes); the first: {errors[0]}",
            file=layout,
        )
    with output.progress("writing the mask"):
        manifest = masks.write(drawn, out)
        back = masks.read_back(out, drawn)
    Answer(plot=plot, json=json).give(
        lambda: _written(manifest, back, found),
        lambda: _show_written(drawn, manifest, back, found),
        lambda plots: plots.mask_preview(drawn),
    )
    if not back.ok:
        raise Leave(3, f"{out}: reads back differently: {back.problems[0]}")


def check(layout: LayoutFile, json: options.Json = False) -> None:
    """Apply the fabrication rules to a mask without writing it; exit code 2 if one is broken.

    Example: cavitydesign check layouts/masks/pcsel.toml
    """
    drawn, found, errors = _drawn(layout)
    name, devices = drawn.spec.name, len(drawn.devices)
    if json:
        violations = [asdict(item) for item in found]
        output.print_json({"mask": name, "devices": devices, "violations": violations, "ok": not errors})
    else:
        screen = output.console()
        screen.print(f"{name}: {devices} devices, {len(errors)} errors, {len(found) - len(errors)} warnings.")
        for item in found:
            screen.print(str(item), soft_wrap=True)
    if errors:
        raise Leave(2, f"{layout}: {errors[0].rule}: {errors[0].message}, at {errors[0].cell}")


def _drawn(path: Path) -> tuple[Layout, list[Violation], list[Violation]]:
    """The mask of a file, every rule that it breaks, and those that are errors."""
    with output.progress("drawing the mask"):
        try:
            drawn = masks.build(masks.load_mask(path))
        except InputError as error:
            raise error.in_file(path) from None
        found = masks.check(drawn)
    return drawn, found, [item for item in found if item.severity == "error"]


def _written(manifest: Manifest, back: ReadBack, found: list[Violation]) -> dict[str, Any]:
    return {
        "file": str(manifest.path),
        "manifest": str(manifest.manifest_path),
        "sha256": manifest.sha256,
        "content": manifest.content,
        "violations": [asdict(item) for item in found],
        "read_back": {
            name: getattr(back, name) for name in ("ok", "xor_um2", "position_nm", "copies", "problems")
        },
    }


def _show_written(drawn: Layout, manifest: Manifest, back: ReadBack, found: list[Violation]) -> None:
    screen = output.console()
    content = manifest.content
    width, height = drawn.spec.chip.size_um
    output.heading(screen, f"{drawn.spec.name}: {len(drawn.devices)} devices on {width:g} x {height:g} µm")
    table = output.table("layer", "number", "dose", "polygons", "area (µm²)", left=("layer",))
    for layer in content["layers"]:
        number = f"{layer['layer']}/{layer['datatype']}"
        dose = f"{layer['dose']:g}" if "dose" in layer else "-"
        polygons = f"{layer['polygons']:,}".replace(",", " ")
        table.add_row(layer["name"], number, dose, polygons, output.short(layer["area_um2"], figures=4))
    screen.print(table)
    for item in found:
        screen.print(str(item), soft_wrap=True)
    state = "reads back as drawn" if back.ok else f"READS BACK DIFFERENTLY: {back.problems[0]}"
    screen.print(
        f"{manifest.path}: {content['bytes']:,} bytes, {state}: {back.copies:,} copies, none more than "
        f"{back.position_nm:.3g} nm from its place; manifest {manifest.manifest_path}.".replace(",", " "),
        soft_wrap=True,
    )
