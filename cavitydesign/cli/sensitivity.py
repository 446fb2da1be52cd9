"""``cavitydesign sensitivity``: how every mode moves with every number of the design."""

from __future__ import annotations

from typing import Annotated

import typer

from cavitydesign.cli import options, output
from cavitydesign.cli.modes import leave_unless_trustworthy
from cavitydesign.cli.solving import Question, solving
from cavitydesign.geometry.design import Design
from cavitydesign.study.sensitivity import Sensitivities, sensitivities

By = Annotated[
    list[str] | None,
    typer.Option(
        "--by", metavar="PATH", help="A number of the design; repeat.", show_default="every optical one"
    ),
]


@solving(offered=("poles",))
def sensitivity(
    design: options.DesignFile, question: Question, by: By = None, json: options.Json = False
) -> None:
    """First-order change of each mode's wavelength and Q with the numbers of a patterned design.

    Example: cavitydesign sensitivity layouts/pcsel.toml --by lattice.period_nm --by overlayer.thickness_nm
    """
    subject = options.design_of(design)
    with output.progress("differentiating") as shown, question.about(design):
        found = sensitivities(subject, question.settings, **question.asked, paths=by, progress=shown)
    if json:
        names = ("wavelength_nm", "q", "lossless", "symmetry", "polarization", "degeneracy")
        output.print_json({
            "design": output.named(subject),
            "solver": found.solution.solver,
            "window_nm": list(found.solution.window_nm),
            **output.status_record(found.solution),
            "modes": [{name: getattr(mode, name) for name in names} for mode in found.modes],
            "by": list(found.paths),
            "wavelength_slope_nm": found.wavelength_slope,
            "log_q_slope": found.log_q_slope,
            **output.input_records(subject, optics_only=True),
        })  # fmt: skip
    else:
        _show(subject, found)
    leave_unless_trustworthy(found.solution.status)


def _show(design: Design, found: Sensitivities) -> None:
    screen = output.console()
    output.heading(screen, f"{design.name}: dλ/dp in nm per unit of p, first order")
    table = output.table(
        "number p",
        *(f"{mode.symmetry} {mode.wavelength_nm:.2f}".strip() for mode in found.modes),
        left=("number p",),
    )
    for path, slopes in zip(found.paths, found.wavelength_slope.T, strict=True):
        table.add_row(path, *(_shown(slope) for slope in slopes))
    screen.print(table)
    output.tell_solutions(screen, found.solution)
    output.tell_inputs(screen, design, explain=False, optics_only=True)


def _shown(slope: float) -> str:
    """Four digits; rounding of what symmetry makes zero is not shown as a number."""
    if slope != slope:
        return "-"
    return "0" if abs(slope) < 1e-9 else f"{slope:.4g}"
