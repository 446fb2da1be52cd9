"""``cavitydesign mask`` and ``cavitydesign check``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cavitydesign.cli import options
from cavitydesign.cli.group import Leave

if TYPE_CHECKING:
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
    from cavitydesign import masks
    from cavitydesign.cli import output
    from cavitydesign.errors import InputError

    options.writable(out, "--out", suffixes=(".gds", ".oas"))
    options.writable(plot, "--plot", suffixes=options.FIGURES)
    drawn, found = _drawn(layout)
    errors = [item for item in found if item.severity == "error"]
    if errors and not force:
        raise InputError(
            f"breaks {len(errors)} fabrication rule(s); nothing was written (--force writes); the first: {errors[0]}",
            file=layout,
        )
    with output.progress("writing the mask"):
        manifest = masks.write(drawn, out)
        back = masks.read_back(out, drawn)
    if json:
        output.print_json(_written(manifest, back, found))
    else:
        _show_written(drawn, manifest, back, found)
    if plot is not None:
        from cavitydesign.report import plots

        plots.save(plots.mask_preview(drawn), plot)
    if not back.ok:
        raise Leave(3, f"{out}: reads back differently: {back.problems[0]}")


def check(layout: LayoutFile, json: options.Json = False) -> None:
    """Apply the fabrication rules to a mask without writing it; exit code 2 if one is broken.

    Example: cavitydesign check layouts/masks/pcsel.toml
    """
    from cavitydesign.cli import output

    drawn, found = _drawn(layout)
    errors = [item for item in found if item.severity == "error"]
    if json:
        output.print_json(
            {
                "mask": drawn.spec.name,
                "devices": len(drawn.devices),
                "violations": _violations(found),
                "ok": not errors,
            }
        )
    else:
        screen = output.console()
        screen.print(
            f"{drawn.spec.name}: {len(drawn.devices)} devices, {len(errors)} errors, "
            f"{len(found) - len(errors)} warnings."
        )
        for item in found:
            screen.print(str(item), soft_wrap=True)
    if errors:
        raise Leave(2, f"{layout}: {errors[0].rule}: {errors[0].message}, at {errors[0].cell}")


def _drawn(path: Path) -> tuple[Layout, list[Violation]]:
    from cavitydesign import masks
    from cavitydesign.cli import output
    from cavitydesign.errors import InputError

    with output.progress("drawing the mask"):
        try:
            drawn = masks.build(masks.load_mask(path))
        except InputError as error:
            raise error.in_file(path) from None
        return drawn, masks.check(drawn)


def _violations(found: list[Violation]) -> list[dict[str, Any]]:
    return [
        {
            "rule": v.rule,
            "severity": v.severity,
            "cell": v.cell,
            "where_um": list(v.where_um),
            "value": v.value,
            "limit": v.limit,
            "unit": v.unit,
            "message": v.message,
        }
        for v in found
    ]


def _written(manifest: Manifest, back: ReadBack, found: list[Violation]) -> dict[str, Any]:
    return {
        "file": str(manifest.path),
        "manifest": str(manifest.manifest_path),
        "sha256": manifest.sha256,
        "content": manifest.content,
        "violations": _violations(found),
        "read_back": {
            "ok": back.ok,
            "xor_um2": back.xor_um2,
            "position_nm": back.position_nm,
            "copies": back.copies,
            "problems": list(back.problems),
        },
    }


def _show_written(drawn: Layout, manifest: Manifest, back: ReadBack, found: list[Violation]) -> None:
    from cavitydesign.cli import output
    from cavitydesign.cli.output import short

    screen = output.console()
    content = manifest.content
    width, height = drawn.spec.chip.size_um
    output.heading(screen, f"{drawn.spec.name}: {len(drawn.devices)} devices on {width:g} x {height:g} µm")
    table = output.table("layer", "number", "dose", "polygons", "area (µm²)", left=("layer",))
    for layer in content["layers"]:
        number = f"{layer['layer']}/{layer['datatype']}"
        dose = f"{layer['dose']:g}" if "dose" in layer else "-"
        table.add_row(
            layer["name"],
            number,
            dose,
            f"{layer['polygons']:,}".replace(",", " "),
            short(layer["area_um2"], figures=4),
        )
    screen.print(table)
    for item in found:
        screen.print(str(item), soft_wrap=True)
    state = "reads back as drawn" if back.ok else f"READS BACK DIFFERENTLY: {back.problems[0]}"
    screen.print(
        f"{manifest.path}: {content['bytes']:,} bytes, {state}: {back.copies:,} copies, none more than "
        f"{back.position_nm:.3g} nm from its place; manifest {manifest.manifest_path}.".replace(",", " "),
        soft_wrap=True,
    )
