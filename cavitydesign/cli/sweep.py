"""``cavitydesign sweep``: a table over a grid of designs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cavitydesign.cli import options, output
from cavitydesign.cli.group import INTERRUPTED, Leave
from cavitydesign.cli.options import Answer
from cavitydesign.cli.output import figure
from cavitydesign.cli.solving import Question, solving
from cavitydesign.errors import InputError
from cavitydesign.study import sweep as study
from cavitydesign.study.store import Failure, Outcome, Store

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

MOST_ROWS = 40
"""Rows of the table for people; of more, the first and the last half are shown."""


@solving()
def sweep(
    design: options.DesignFile,
    out: Out,
    question: Question,
    answer: Answer,
    vary: options.Vary = None,
    jobs: Jobs = 1,
    retry: Retry = False,
    follow: Follow = False,
) -> None:
    """Modes over a grid of designs: resumable; DIR/sweep.nc and DIR/sweep.csv when done.

    Example: cavitydesign sweep layouts/pcsel.toml --vary lattice.period_nm=320:460:1 --out out/pcsel
    """
    options.folder_to_fill(out, "--out")
    subject = options.design_of(design)
    if not vary:
        raise InputError(
            "is required: PATH=A:B:STEP or PATH=A,B,C; such as lattice.period_nm=320:460:1", key="--vary"
        )
    axes = [study.Axis.parse(text) for text in vary]
    if follow and (question.solvers != ("poles",) or jobs != 1):
        asked = f"--solver {question.solvers[0]} --jobs {jobs}"
        raise InputError("is for --solver poles and one job", key="--follow", value=asked)
    # followed results are as good as searched ones but not the same bits, so they live beside them
    store = Store(out / ("followed" if follow else "store"))
    run_line = study.following(axes[-1].path) if follow else None
    with output.progress(f"sweeping {design.name}") as shown, question.about(design):
        try:
            found = study.sweep(
                subject, axes, question.settings, **question.asked, store=store, run_line=run_line, jobs=jobs,
                retry=retry, progress=shown,
            )  # fmt: skip
        except study.Interrupted as stopped:
            kept = (
                f"kept {stopped.done} of {stopped.total} points in {out}; the same command goes on from there"
            )
            raise Leave(INTERRUPTED, f"interrupted; {kept}") from None
    files = found.write(out)
    answer.give(
        lambda: _document(found, files),
        lambda: _show(found, files, explain=answer.explain),
        lambda plots: plots.period_map(found),
    )
    _leave_if_doubtful(found)


def _document(found: study.Sweep, files: tuple[Path, Path]) -> dict[str, Any]:
    rows = [{**point.values, **mode.record()} for point, mode in found.rows()]
    for row in rows:
        del row["k0_per_nm"]
    return {
        "design": output.named(found.design),
        "axes": [{"path": axis.path, "values": list(axis.values)} for axis in found.axes],
        "points": len(found.points),
        "failed": [
            {"at": dict(point.values), "status": why.status.lower() or "failed", "message": why.message}
            for point, outcome in found.failed
            for why in [_failure(outcome)]
        ],
        "files": [str(file) for file in files],
        "modes": rows,
    }


def _failure(outcome: Outcome) -> Failure:
    """Why a point has no trustworthy answer; of a solution that is its status."""
    if isinstance(outcome, Failure):
        return outcome
    return Failure(outcome.status.value, 3, outcome.status.name)


def _show(found: study.Sweep, files: tuple[Path, Path], *, explain: bool) -> None:
    screen = output.console()
    paths = [axis.path for axis in found.axes]
    rows = list(found.rows())
    output.heading(screen, f"{found.design.name}: {len(found.points)} points, {len(rows)} modes")
    table = output.table(*paths, "λ (nm)", "Q", "dark", "symmetry", "g_th (1/cm)", left=("dark",))
    for index, (point, mode) in enumerate(rows):
        if MOST_ROWS // 2 <= index < len(rows) - MOST_ROWS // 2:
            if index == MOST_ROWS // 2:
                table.add_row(*["…"] * len(table.columns))
            continue
        table.add_row(
            *(f"{point.values[path]:g}" for path in paths),
            figure(mode.wavelength_nm, mode.wavelength_err_nm),
            output.q_figure(mode.q, mode.q_err),
            output.dark_text(mode.dark),
            mode.symmetry or "-",
            output.short(mode.threshold_gain_per_cm),
        )
    screen.print(table)
    screen.print(f"Wrote {' and '.join(map(str, files))}.")
    screen.print(output.ERROR_BARS, style="dim")
    output.tell_inputs(screen, found.design, explain=explain, optics_only=True)


def _leave_if_doubtful(found: study.Sweep) -> None:
    """Exit code 3 when a solver gave no trustworthy answer somewhere; points that break a rule are said, no more."""
    if not found.failed:
        return
    point, outcome = found.failed[0]
    at = ", ".join(f"{path}={value:g}" for path, value in point.values.items())
    first = _failure(outcome)
    why = first.message if outcome is first else f"{first.status.lower()}: {first.message}"
    message = f"{len(found.failed)} of {len(found.points)} points have no trustworthy answer; the first, at {at}: {why}"
    worst = max(_failure(outcome).exit_code for _, outcome in found.failed)
    if worst > InputError.exit_code:
        raise Leave(worst, message)
    typer.echo(message, err=True)
