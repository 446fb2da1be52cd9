"""``cavitydesign modes``: the resonances of a design."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cavitydesign.cli import options
from cavitydesign.cli.group import Leave
from cavitydesign.cli.options import Solver

if TYPE_CHECKING:
    from cavitydesign.geometry.design import Design
    from cavitydesign.solvers.solution import Solution

Plot = Annotated[
    Path | None, typer.Option("--plot", metavar="FILE.png", help="Also draw it.", show_default=False)
]

Export = Annotated[
    Path | None,
    typer.Option(
        "--export",
        metavar="DIR",
        help="fdtd: write the runs for a Slurm cluster and stop.",
        show_default=False,
    ),
]


def modes(
    design: options.DesignFile,
    solver: options.SolverName = Solver.POLES,
    window: options.Window = None,
    waves: options.Waves = None,
    tolerance: options.Tolerance = None,
    q_min: options.QMin = None,
    angle: options.Angle = None,
    bloch: options.Bloch = None,
    orders: options.Orders = None,
    periods: options.Periods = None,
    resolution: options.Resolution = None,
    ranks: options.Ranks = None,
    export: Export = None,
    plot: Plot = None,
    json: options.Json = False,
) -> None:
    """Resonances of a design: wavelength, Q, symmetry, confinement in the gain film, threshold gain.

    Example: cavitydesign modes layouts/pcsel.toml --window 560:700
    """
    from cavitydesign.cli import output

    subject = options.design_of(design)
    settings = options.settings_of(
        solver,
        waves=waves,
        tolerance=tolerance,
        angle=angle,
        bloch=bloch,
        q_min=q_min,
        orders=orders,
        periods=periods,
        resolution=resolution,
        ranks=ranks,
    )
    asked = options.window_of(window)
    if export is not None:
        export_for_cluster(subject, settings, export, asked, json=json)
        return
    found = solved(design, subject, settings, asked)
    if json:
        output.print_json(modes_document(subject, found))
    else:
        show(subject, found)
    if plot is not None:
        from cavitydesign.report import plots

        plots.save(plots.mode_picture(subject, found), plot)
    leave_unless_trustworthy(found)


def export_for_cluster(
    subject: Design, settings: Any, folder: Path, window_nm: tuple[float, float] | None, *, json: bool
) -> None:
    """The runs of an FDTD solve as a folder for a cluster, and the command that starts them there."""
    from cavitydesign.cli import output
    from cavitydesign.errors import InputError
    from cavitydesign.solvers.fdtd import Fdtd
    from cavitydesign.solvers.fdtd.export import export_jobs

    if not isinstance(settings, Fdtd):
        raise InputError("is for --solver fdtd", key="--export", value=str(folder))
    made = export_jobs(subject, settings, folder, window_nm=window_nm)
    if json:
        output.print_json(
            {"folder": str(made.folder), "command": made.command, "estimate": str(made.estimate)}
        )
    else:
        typer.echo(f"{made.estimate}\n{made.command}")


def solved(file: Path, design: Design, settings: Any, window_nm: tuple[float, float] | None) -> Solution:
    """Solve, with progress; what the solver says about the input names the file."""
    from cavitydesign.cli import output
    from cavitydesign.errors import InputError
    from cavitydesign.solvers.ask import solve

    with output.progress("finding modes"):
        try:
            return solve(design, settings, window_nm=window_nm)
        except InputError as error:
            raise error.in_file(file) from None


def leave_unless_trustworthy(found: Solution) -> None:
    """Exit code 3 with the status, after the table has been printed."""
    if not found.status.trustworthy:
        raise Leave(3, f"no trustworthy answer: {found.status.name.lower()}: {found.status.value}")


def modes_document(design: Design, found: Solution) -> dict[str, Any]:
    """``modes --json``."""
    from cavitydesign.cli import output

    return {
        "design": {"name": design.name, "id": design.id},
        "solver": found.provenance["solver"],
        "window_nm": found.provenance["window_nm"],
        "status": found.status.name.lower(),
        "advice": found.status.value,
        "warnings": list(found.warnings),
        "modes": found.modes.records(),
        "assumed": output.assumed_records(design, optics_only=True),
        "provenance": dict(found.provenance),
    }


def show(design: Design, found: Solution) -> None:
    """The table for people."""
    from cavitydesign.cli import output
    from cavitydesign.cli.output import figure, short

    screen = output.console()
    low, high = found.provenance["window_nm"]
    title = f"{design.name}: modes between {low:g} and {high:g} nm ({found.provenance['solver']})"
    guided = any(order for order in found.modes["order"])
    extra = ("m", "n_eff") if guided else ()
    table = output.table(
        "λ (nm)",
        "Q",
        "symmetry",
        "polarization",
        *extra,
        "Γ film",
        "g_th (1/cm)",
        left=("symmetry", "polarization"),
    )
    for row in found.modes:
        pair = f" ×{row['degeneracy']}" if row["degeneracy"] > 1 else ""
        q_err = row["q_err"] if row["q_err"] == row["q_err"] else None
        cells = [figure(row["wavelength_nm"], row["wavelength_err_nm"]), q_figure(row["q"], q_err)]
        cells += [(row["symmetry"] or "-") + pair, row["polarization"] or "-"]
        cells += [str(row["order"] or "-"), figure(row["n_eff"], digits=4)] if guided else []
        table.add_row(*cells, figure(row["confinement"], digits=3), short(row["threshold_gain_per_cm"]))
    output.heading(screen, title)
    if len(found.modes):
        screen.print(table)
    screen.print(f"Status: {found.status.value}.")
    for warning in found.warnings:
        screen.print(f"Note: {warning}")
    screen.print(
        "± is the numerical error only. " + output.footnote(output.assumed_records(design, optics_only=True)),
        style="dim",
    )


def q_figure(q: float, error: float | None) -> str:
    """A Q with its error, to five figures at most; a mode that cannot lose energy has none."""
    from cavitydesign.cli.output import figure, short

    if q == float("inf"):
        return "∞ (dark)"
    if error is None or not error > 1e-4 * abs(q):
        return short(q, figures=5)
    return figure(q, error)
