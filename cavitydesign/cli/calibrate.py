"""``cavitydesign calibrate``: fit what was assumed to measured peaks."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import typer

from cavitydesign.cli import options, output
from cavitydesign.cli.group import Leave
from cavitydesign.cli.options import Answer
from cavitydesign.cli.output import figure
from cavitydesign.cli.predict import device_text
from cavitydesign.cli.solving import Question, solving
from cavitydesign.errors import InputError
from cavitydesign.files import write_atomically
from cavitydesign.study import calibrate as study
from cavitydesign.study import rewrite

Fit = Annotated[
    list[str] | None,
    typer.Option(
        "--fit",
        metavar="PATH",
        help="An assumed input to fit; repeat.",
        show_default="all assumed ones with a plus_minus",
    ),
]
PeakError = Annotated[
    float, typer.Option("--peak-error", metavar="NM", help="Error of peaks that give none, and of the model.")
]
NewDesign = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="DESIGN.toml",
        help="Write the calibrated design; its fitted numbers say so.",
        show_default=False,
    ),
]


@solving()
def calibrate(
    design: options.DesignFile,
    measured: options.Measured,
    question: Question,
    fit: Fit = None,
    out: NewDesign = None,
    peak_error: PeakError = 1.0,
    force: options.Force = False,
    explain: options.Explain = False,
    json: options.Json = False,
) -> None:
    """Fit assumed inputs to measured peaks, with their ± as prior; the result says "fitted" wherever it goes.

    Example: cavitydesign calibrate layouts/pcsel.toml --measured peaks.csv --out fitted.toml
    """
    options.writable(out, "--out", suffixes=(".toml",), force=force)
    subject = options.design_of(design)
    if not (math.isfinite(peak_error) and peak_error > 0.0):
        raise InputError("must be > 0", key="--peak-error", value=peak_error)
    peaks = options.peaks_of(measured, "fit to")
    with output.progress("calibrating") as shown, question.about(design):
        found = study.calibrate(
            subject, peaks, question.settings, **question.asked, paths=tuple(fit or ()), peak_error_nm=peak_error,
            note=f"calibrated to {measured.name}", progress=shown,
        )  # fmt: skip
    doubts = {
        item.status.name.lower(): item.status.value for item in found.solutions if not item.status.trustworthy
    }
    if not found.converged:
        doubts["the fit"] = f"had not settled after {found.rounds} rounds; fit fewer inputs"
    written = None if doubts else out
    if written is not None:
        _write_design(design, written, found, measured)
    Answer(json=json).give(lambda: _document(found, written), lambda: _show(found, written, explain=explain))
    if doubts:
        kept = f"; {out} was not written" if out else ""
        raise Leave(3, f"no trustworthy answer: {'; '.join(map(': '.join, doubts.items()))}{kept}")


def _write_design(source: Path, target: Path, found: study.Calibration, measured: Path) -> None:
    header = f'{found.design.name}: calibrated to {measured.name}; what says source = "fitted" is its result.'
    records = [
        item.record(f"calibrated to {measured.name}; was {item.prior:g} ± {item.plus_minus:g}")
        for item in found.fitted
    ]
    text = rewrite.with_numbers(source, records, folder=target.parent, header=header)
    write_atomically(target, text.encode())


def _document(found: study.Calibration, out: Path | None) -> dict[str, Any]:
    def record(of: Any, *names: str) -> dict[str, Any]:
        return {name: getattr(of, name) for name in names}

    numbers = ("prior", "plus_minus", "value", "error", "pull")
    columns = ("measured_nm", "error_nm", "before_nm", "after_nm", "symmetry", "polarization")
    return {
        "design": output.named(found.design),
        "fitted": [{"input": f.path, **record(f, *numbers), "source": "fitted"} for f in found.fitted],
        "peaks": [{"device": dict(m.peak.device), **record(m, *columns)} for m in found.matches],
        **record(found, "chi2", "chi2_before", "rounds", "converged"),
        "correlation": found.correlation.tolist(),
        "ambiguous": list(found.ambiguous),
        "file": str(out) if out else None,
        **output.status_record(*found.solutions),
        "assumed": output.input_records(found.design, optics_only=True)["assumed"],
    }


def _show(found: study.Calibration, out: Path | None, *, explain: bool) -> None:
    screen = output.console()
    output.heading(screen, f"{found.design.name}: fitted inputs")
    table = output.table("input", "assumed", "fitted", "moved by", left=("input",))
    for item in found.fitted:
        table.add_row(
            item.path,
            figure(item.prior, item.plus_minus),
            figure(item.value, item.error),
            f"{item.pull:+.2f} of its ±",
        )
    screen.print(table)
    peaks = output.table("device", "measured (nm)", "before", "after", "mode", left=("device", "mode"))
    for match in found.matches:
        peaks.add_row(
            device_text(match.peak.device, None),
            figure(match.measured_nm, match.error_nm),
            figure(match.before_nm),
            figure(match.after_nm),
            f"{match.symmetry} {match.polarization}".strip() or "-",
        )
    screen.print(peaks)
    screen.print(
        f"χ² fell from {found.chi2_before:.2f} to {found.chi2:.2f} in {found.rounds} rounds "
        f"({len(found.matches)} peaks, {len(found.fitted)} inputs with their ± as prior)."
    )
    for item in filter(study.is_pulled, found.fitted):
        screen.print(
            f"Note: {item.path} moved by more than twice its ±: doubt the model, the assignment or the assumption."
        )
    for other in found.ambiguous:
        screen.print(
            f"Note: the peaks fit nearly as well as {other}; give the modes' symmetry in the CSV to decide."
        )
    if out:
        screen.print(f"Wrote {out}.")
    output.tell_solutions(screen, *found.solutions)
    left = output.input_records(found.design, optics_only=True)["assumed"]
    if left:  # what was fitted is assumed no more
        output.tell_assumed(screen, left, explain=explain)
