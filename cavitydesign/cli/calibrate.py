"""``cavitydesign calibrate``: fit what was assumed to measured peaks."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cavitydesign.cli import options
from cavitydesign.cli.group import Leave
from cavitydesign.cli.solving import Question, solving

if TYPE_CHECKING:
    from cavitydesign.study.calibrate import Calibration

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
    json: options.Json = False,
) -> None:
    """Fit assumed inputs to measured peaks, with their ± as prior; the result says "fitted" wherever it goes.

    Example: cavitydesign calibrate layouts/pcsel.toml --measured peaks.csv --out fitted.toml
    """
    from cavitydesign.cli import output
    from cavitydesign.errors import InputError
    from cavitydesign.study import calibrate as study
    from cavitydesign.study.peaks import read_peaks

    options.writable(out, "--out", suffixes=(".toml",))
    subject = options.design_of(design)
    if not (math.isfinite(peak_error) and peak_error > 0.0):
        raise InputError("must be > 0", key="--peak-error", value=peak_error)
    peaks = read_peaks(measured)
    if not any(peak.has_wavelength for peak in peaks):
        raise InputError("has no row with a wavelength_nm to fit to", file=measured, key="wavelength_nm")
    with output.progress("calibrating") as shown, question.about(design):
        found = study.calibrate(
            subject, peaks, question.settings, **question.asked, paths=tuple(fit or ()), peak_error_nm=peak_error,
            note=f"calibrated to {measured.name}", progress=shown,
        )  # fmt: skip
    if out is not None:
        _write_design(design, out, found, measured)
    if json:
        output.print_json(_calibration(found, out))
    else:
        _show_calibration(found, out)
    if not found.converged:
        raise Leave(
            3, f"no trustworthy answer: the fit had not settled after {found.rounds} rounds; fit fewer inputs"
        )


def _write_design(source: Path, target: Path, found: Calibration, measured: Path) -> None:
    from cavitydesign.files import write_atomically
    from cavitydesign.study import rewrite

    header = f'{found.design.name}: calibrated to {measured.name}; what says source = "fitted" is its result.'
    records = [
        item.record(f"calibrated to {measured.name}; was {item.prior:g} ± {item.plus_minus:g}")
        for item in found.fitted
    ]
    write_atomically(
        target, rewrite.with_numbers(source, records, folder=target.parent, header=header).encode()
    )


def _calibration(found: Calibration, out: Path | None) -> dict[str, Any]:
    return {
        "design": {"name": found.design.name, "id": found.design.id},
        "fitted": [
            {
                "input": f.path,
                "prior": f.prior,
                "plus_minus": f.plus_minus,
                "value": f.value,
                "error": f.error,
                "pull": f.pull,
                "source": "fitted",
            }
            for f in found.fitted
        ],
        "peaks": [
            {
                "device": dict(m.peak.device),
                "measured_nm": m.measured_nm,
                "error_nm": m.error_nm,
                "before_nm": m.before_nm,
                "after_nm": m.after_nm,
                "symmetry": m.symmetry,
                "polarization": m.polarization,
            }
            for m in found.matches
        ],
        "chi2": found.chi2,
        "chi2_before": found.chi2_before,
        "rounds": found.rounds,
        "converged": found.converged,
        "correlation": found.correlation.tolist(),
        "ambiguous": list(found.ambiguous),
        "file": str(out) if out else None,
    }


def _show_calibration(found: Calibration, out: Path | None) -> None:
    from cavitydesign.cli import output
    from cavitydesign.cli.output import figure
    from cavitydesign.cli.predict import device_text
    from cavitydesign.study.calibrate import is_pulled

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
    for item in filter(is_pulled, found.fitted):
        screen.print(
            f"Note: {item.path} moved by more than twice its ±: doubt the model, the assignment or the assumption."
        )
    for other in found.ambiguous:
        screen.print(
            f"Note: the peaks fit nearly as well as {other}; give the modes' symmetry in the CSV to decide."
        )
    if out:
        screen.print(f"Wrote {out}.")
