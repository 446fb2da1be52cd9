"""``cavitydesign modes``: the resonances of a design."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cavitydesign.cli import options, output
from cavitydesign.cli.group import Leave
from cavitydesign.cli.options import Answer
from cavitydesign.cli.output import figure
from cavitydesign.cli.solving import Question, solving
from cavitydesign.errors import InputError, Status
from cavitydesign.geometry.design import Design
from cavitydesign.solvers.ask import solve
from cavitydesign.solvers.fdtd import Fdtd, export_jobs
from cavitydesign.solvers.solution import Mode, Solution

Export = Annotated[
    Path | None,
    typer.Option(
        "--export",
        metavar="DIR",
        help="fdtd: write the runs for a Slurm cluster and stop.",
        show_default=False,
    ),
]


@solving()
def modes(design: options.DesignFile, question: Question, answer: Answer, export: Export = None) -> None:
    """Resonances of a design: wavelength, Q, symmetry, confinement in the gain film, threshold gain.

    Example: cavitydesign modes layouts/pcsel.toml --window 560:700
    """
    subject = options.design_of(design)
    if export is not None:
        export_for_cluster(subject, question, export, json=answer.json)
        return
    found = solved(design, subject, question)
    answer.give(
        lambda: modes_document(subject, found),
        lambda: show(subject, found, explain=answer.explain),
        lambda plots: plots.mode_picture(subject, found),
    )
    leave_unless_trustworthy(found.status)


def export_for_cluster(subject: Design, question: Question, folder: Path, *, json: bool) -> None:
    """The runs of an FDTD solve as a folder for a cluster, and the command that starts them there."""
    settings = question.settings
    if not isinstance(settings, Fdtd):
        raise InputError("is for --solver fdtd", key="--export", value=str(folder))
    made = export_jobs(subject, settings, folder, **question.asked)
    if json:
        output.print_json(
            {"folder": str(made.folder), "command": made.command, "estimate": str(made.estimate)}
        )
    else:
        typer.echo(f"{made.estimate}\n{made.command}")


def solved(file: Path, design: Design, question: Question) -> Solution:
    """Solve, with progress; what the solver says about the input names the file."""
    with output.progress("finding modes") as shown, question.about(file):
        return solve(design, question.settings, **question.asked, progress=shown)


def leave_unless_trustworthy(status: Status) -> None:
    """Exit code 3 with the status, after the table has been printed."""
    if not status.trustworthy:
        raise Leave(3, f"no trustworthy answer: {status.name.lower()}: {status.value}")


def modes_document(design: Design, found: Solution) -> dict[str, Any]:
    """``modes --json``."""
    asked = {"solver": found.solver, "window_nm": list(found.window_nm)}
    return {
        "design": output.named(design),
        **asked,
        **output.status_record(found),
        "modes": found.modes.records(),
        **output.input_records(design, optics_only=True),
        "provenance": {**asked, "design_id": found.design_id, **found.provenance},
    }


def show(design: Design, found: Solution, *, explain: bool) -> None:
    """The table for people."""
    screen = output.console()
    low, high = found.window_nm
    output.heading(screen, f"{design.name}: modes between {low:g} and {high:g} nm ({found.solver})")
    guided = any(mode.order for mode in found.modes)
    table = output.table(
        "λ (nm)", "Q", "dark", "symmetry", "polarization", *(("m", "n_eff") if guided else ()), "Γ film",
        "g_th (1/cm)", left=("dark", "symmetry", "polarization"),
    )  # fmt: skip
    for mode in found.modes:
        table.add_row(*_cells(mode, guided=guided))
    if len(found.modes):
        screen.print(table)
    output.tell_solutions(screen, found)
    screen.print(output.ERROR_BARS, style="dim")
    output.tell_inputs(screen, design, explain=explain, optics_only=True)


def _cells(mode: Mode, *, guided: bool) -> list[str]:
    pair = f" ×{mode.degeneracy}" if mode.degeneracy > 1 else ""
    return [
        figure(mode.wavelength_nm, mode.wavelength_err_nm),
        output.q_figure(mode.q, mode.q_err),
        output.dark_text(mode.dark),
        (mode.symmetry or "-") + pair,
        mode.polarization or "-",
        *((str(mode.order or "-"), figure(mode.n_eff, digits=4)) if guided else ()),
        figure(mode.confinement, digits=3),
        output.short(mode.threshold_gain_per_cm),
    ]
