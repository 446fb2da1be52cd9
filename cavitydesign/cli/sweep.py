"""``cavitydesign sweep``: a table over a grid of designs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cavitydesign.cli import options
from cavitydesign.cli.group import INTERRUPTED, Leave
from cavitydesign.cli.modes import Plot
from cavitydesign.cli.options import Solver

if TYPE_CHECKING:
    from cavitydesign.study.sweep import Sweep

Out = Annotated[
    Path,
    typer.Option(
        "--out",
        metavar="DIR",
        help="Folder of the results; a second run goes on from it.",
        show_default=False,
    ),
]
Jobs = Annotated[int, typer.Option("--jobs", help="Processes that solve points side by side.")]
Follow = Annotated[
    bool, typer.Option("--follow", help="poles: follow the modes along the last --vary; many times quicker.")
]
Retry = Annotated[bool, typer.Option("--retry", help="Ask again where a kept point failed.")]


def sweep(
    design: options.DesignFile,
    out: Out,
    vary: options.Vary = None,
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
    jobs: Jobs = 1,
    retry: Retry = False,
    follow: Follow = False,
    plot: Plot = None,
    json: options.Json = False,
) -> None:
    """Modes over a grid of designs: resumable; DIR/sweep.nc and DIR/sweep.csv when done.

    Example: cavitydesign sweep layouts/pcsel.toml --vary lattice.period_nm=320:460:1 --out out/pcsel
    """
    from cavitydesign.cli import output
    from cavitydesign.errors import InputError
    from cavitydesign.study import sweep as study
    from cavitydesign.study.store import Store

    subject = options.design_of(design)
    settings = options.settings_of(
        solver,
        waves=waves,
        tolerance=tolerance,
        q_min=q_min,
        angle=angle,
        bloch=bloch,
        orders=orders,
        periods=periods,
        resolution=resolution,
    )
    if not vary:
        raise InputError(
            "is required: PATH=A:B:STEP or PATH=A,B,C; such as lattice.period_nm=320:460:1", key="--vary"
        )
    axes = [study.Axis.parse(text) for text in vary]
    asked = options.window_of(window)
    if follow and (solver is not Solver.POLES or jobs != 1):
        raise InputError(
            "is for --solver poles and one job", key="--follow", value=f"--solver {solver} --jobs {jobs}"
        )
    # followed results are as good as searched ones but not the same bits, so they live beside them
    store, run_line = (
        (Store(out / "followed"), study.following(axes[-1].path)) if follow else (Store(out / "store"), None)
    )
    with output.progress(f"sweeping {design.name}") as shown:
        try:
            found = study.sweep(
                subject,
                axes,
                settings,
                window_nm=asked,
                store=store,
                run_line=run_line,
                jobs=jobs,
                retry=retry,
                progress=shown,
            )
        except study.Interrupted as stopped:
            kept = (
                f"kept {stopped.done} of {stopped.total} points in {out}; the same command goes on from there"
            )
            raise Leave(INTERRUPTED, f"interrupted; {kept}") from None
        except InputError as error:
            raise error.in_file(design) from None
    files = found.write(out)
    if json:
        output.print_json(_document(found, files))
    else:
        _show(found, files)
    if plot is not None:
        from cavitydesign.report import plots

        plots.save(plots.period_map(found), plot)
    _leave_if_doubtful(found)


def _document(found: Sweep, files: tuple[Path, Path]) -> dict[str, Any]:
    return {
        "design": {"name": found.design.name, "id": found.design.id},
        "axes": [{"path": axis.path, "values": list(axis.values)} for axis in found.axes],
        "points": len(found.points),
        "failed": [_failure(point.values, outcome) for point, outcome in found.failed],
        "files": [str(file) for file in files],
        "modes": [
            {name: value for name, value in row.items() if name != "k0_per_nm"} for row in found.rows()
        ],
    }


def _failure(values: Any, outcome: Any) -> dict[str, Any]:
    from cavitydesign.study.store import Failure

    if isinstance(outcome, Failure):
        return {"at": dict(values), "status": outcome.status.lower() or "failed", "message": outcome.message}
    return {"at": dict(values), "status": outcome.status.name.lower(), "message": outcome.status.value}


def _show(found: Sweep, files: tuple[Path, Path]) -> None:
    from cavitydesign.cli import output
    from cavitydesign.cli.modes import q_figure
    from cavitydesign.cli.output import figure, short

    screen = output.console()
    paths = [axis.path for axis in found.axes]
    rows = list(found.rows())
    output.heading(screen, f"{found.design.name}: {len(found.points)} points, {len(rows)} modes")
    table = output.table(*paths, "λ (nm)", "Q", "symmetry", "g_th (1/cm)")
    shown = rows if len(rows) <= 40 else [*rows[:20], *rows[-20:]]
    for index, row in enumerate(shown):
        if len(rows) > 40 and index == 20:
            table.add_row(*["…"] * (len(paths) + 4))
        cells = [f"{row[path]:g}" for path in paths]
        table.add_row(
            *cells,
            figure(row["wavelength_nm"], row["wavelength_err_nm"]),
            q_figure(row["q"], row["q_err"]),
            row["symmetry"] or "-",
            short(row["threshold_gain_per_cm"]),
        )
    screen.print(table)
    screen.print(f"Wrote {' and '.join(map(str, files))}.")
    screen.print(
        "± is the numerical error only. "
        + output.footnote(output.assumed_records(found.design, optics_only=True)),
        style="dim",
    )


def _leave_if_doubtful(found: Sweep) -> None:
    """Exit code 3 when a solver gave no trustworthy answer somewhere; points that break a rule are said, no more."""
    from cavitydesign.study.store import Failure

    if not found.failed:
        return
    point, outcome = found.failed[0]
    at = ", ".join(f"{path}={value:g}" for path, value in point.values.items())
    why = (
        outcome.message
        if isinstance(outcome, Failure)
        else f"{outcome.status.name.lower()}: {outcome.status.value}"
    )
    message = f"{len(found.failed)} of {len(found.points)} points have no trustworthy answer; the first, at {at}: {why}"
    broken_rules = all(isinstance(outcome, Failure) and outcome.exit_code == 2 for _, outcome in found.failed)
    if broken_rules:
        typer.echo(message, err=True)
        return
    raise Leave(
        max(outcome.exit_code if isinstance(outcome, Failure) else 3 for _, outcome in found.failed), message
    )
