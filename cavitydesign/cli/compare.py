"""``cavitydesign compare`` and ``cavitydesign calibrate``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cavitydesign.cli import options
from cavitydesign.cli.group import Leave
from cavitydesign.cli.modes import Plot
from cavitydesign.cli.options import Solver

if TYPE_CHECKING:
    from cavitydesign.geometry.design import Design
    from cavitydesign.study.calibrate import Calibration
    from cavitydesign.study.measured import Compared, Peak

Measured = Annotated[
    Path,
    typer.Option(
        "--measured", metavar="PEAKS.csv", help="Measured peaks (CSV with a header row).", show_default=False
    ),
]
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


def compare(
    design: options.DesignFile,
    measured: Measured,
    solver: options.SolverName = Solver.POLES,
    window: options.Window = None,
    waves: options.Waves = None,
    tolerance: options.Tolerance = None,
    plot: Plot = None,
    json: options.Json = False,
) -> None:
    """Predicted lines beside measured peaks, with residuals: the nearest line of each, and the one of lowest threshold.

    Example: cavitydesign compare layouts/nanopillar.toml --measured layouts/measured/nanopillar.csv
    """
    from cavitydesign.cli import output
    from cavitydesign.errors import InputError
    from cavitydesign.solvers.ask import solve
    from cavitydesign.study import measured as study
    from cavitydesign.study.predict import holding, lasing_lines

    subject = options.design_of(design)
    settings = options.settings_of(solver, waves=waves, tolerance=tolerance)
    asked = options.window_of(window)
    peaks = study.read_peaks(measured)
    if not any(peak.has_wavelength for peak in peaks):
        raise InputError("has no row with a wavelength_nm to compare", file=measured, key="wavelength_nm")
    doubtful = []

    def lines_of(variant: Design, here: Sequence[Peak]) -> list[dict[str, Any]]:
        found = solve(variant, settings, window_nm=asked or holding(variant.window_nm, here))
        if not found.status.trustworthy:
            doubtful.append(found.status)
        return lasing_lines(variant, found.modes, errors=False).records()

    with output.progress("comparing"):
        try:
            found = study.compare(subject, peaks, lines_of)
        except InputError as error:
            raise error.in_file(design) from None
    if json:
        output.print_json(_document(subject, found))
    else:
        _show(subject, found)
    if plot is not None:
        from cavitydesign.report import plots

        plots.save(plots.published_against_predicted(found), plot)
    if doubtful:
        raise Leave(3, f"no trustworthy answer: {doubtful[0].name.lower()}: {doubtful[0].value}")


def calibrate(
    design: options.DesignFile,
    measured: Measured,
    fit: Fit = None,
    out: NewDesign = None,
    peak_error: PeakError = 1.0,
    solver: options.SolverName = Solver.POLES,
    window: options.Window = None,
    waves: options.Waves = None,
    tolerance: options.Tolerance = None,
    json: options.Json = False,
) -> None:
    """Fit assumed inputs to measured peaks, with their ± as prior; the result says "fitted" wherever it goes.

    Example: cavitydesign calibrate layouts/pcsel.toml --measured peaks.csv --out fitted.toml
    """
    from cavitydesign.cli import output
    from cavitydesign.errors import InputError
    from cavitydesign.study import calibrate as study
    from cavitydesign.study.measured import read_peaks

    subject = options.design_of(design)
    settings = options.settings_of(solver, waves=waves, tolerance=tolerance)
    if not (math.isfinite(peak_error) and peak_error > 0.0):
        raise InputError("must be > 0", key="--peak-error", value=peak_error)
    peaks = read_peaks(measured)
    if not any(peak.has_wavelength for peak in peaks):
        raise InputError("has no row with a wavelength_nm to fit to", file=measured, key="wavelength_nm")
    with output.progress("calibrating") as shown:
        try:
            found = study.calibrate(
                subject,
                peaks,
                settings,
                paths=tuple(fit or ()),
                window_nm=options.window_of(window),
                peak_error_nm=peak_error,
                note=f"calibrated to {measured.name}",
                progress=shown,
            )
        except InputError as error:
            raise error.in_file(design) from None
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
    from cavitydesign.study import toml
    from cavitydesign.study.store import write_atomically

    header = f'{found.design.name}: calibrated to {measured.name}; what says source = "fitted" is its result.'
    records = [
        item.record(f"calibrated to {measured.name}; was {item.prior:g} ± {item.plus_minus:g}")
        for item in found.fitted
    ]
    write_atomically(target, toml.with_numbers(source, records, folder=target.parent, header=header).encode())


def _document(design: Design, found: list[Compared]) -> dict[str, Any]:
    from cavitydesign.cli import output
    from cavitydesign.study.measured import root_mean_square_nm

    return {
        "design": {"name": design.name, "id": design.id},
        "peaks": [item.record() for item in found],
        "root_mean_square_nm": root_mean_square_nm(found),
        "assumed": output.assumed_records(design),
    }


def _show(design: Design, found: list[Compared]) -> None:
    from cavitydesign.cli import output
    from cavitydesign.cli.output import figure, short
    from cavitydesign.cli.predict import device_text
    from cavitydesign.study.measured import root_mean_square_nm

    screen = output.console()
    output.heading(screen, f"{design.name}: predicted beside measured")
    table = output.table(
        "device",
        "measured (nm)",
        "line",
        "predicted (nm)",
        "residual",
        "mode",
        "threshold",
        "lowest threshold",
        left=("device", "mode", "line"),
    )
    for item in found:
        line, mode = item.line or {}, (item.line or {}).get("mode") or {}
        threshold = line.get("threshold") or {}
        level = (
            f"{short(threshold['value'])} {threshold['unit']}" if threshold.get("value") is not None else "-"
        )
        away = item.strongest_residual_nm
        lowest = f"{item.strongest['wavelength_nm']:.1f}" if item.strongest else "-"
        lowest += f" ({away:+.1f})" if math.isfinite(away) else ""
        table.add_row(
            device_text({"device": item.device, "device_is": item.peak.texts.get("period_is")}),
            figure(item.peak.wavelength_nm, item.peak["wavelength_err_nm"], digits=1),
            item.peak.texts.get("transition", "-"),
            figure(line.get("wavelength_nm"), digits=2),
            f"{item.residual_nm:+.2f}" if math.isfinite(item.residual_nm) else "-",
            " ".join(filter(None, [mode.get("symmetry"), mode.get("polarization")])) or "-",
            level,
            lowest,
        )
    screen.print(table)
    rms = root_mean_square_nm(found)
    screen.print(
        f"Residuals are predicted minus measured, of the nearest line: {figure(rms)} nm root mean square. Among many "
        "modes one is always near; the last column is the line of lowest threshold, whatever was measured. "
        "A peak whose device is not stated has no residual.",
        style="dim",
    )
    screen.print(output.footnote(output.assumed_records(design)), style="dim")


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
        device = ", ".join(f"{path} = {value:g}" for path, value in match.peak.device.items()) or "-"
        peaks.add_row(
            device,
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
