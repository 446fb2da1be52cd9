"""``cavitydesign compare``: predicted lines beside measured peaks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cavitydesign.cli import options
from cavitydesign.cli.group import Leave
from cavitydesign.cli.solving import Question, solving

if TYPE_CHECKING:
    from cavitydesign.gain import Line
    from cavitydesign.geometry.design import Design
    from cavitydesign.study.compare import Compared
    from cavitydesign.study.peaks import Peak


@solving()
def compare(
    design: options.DesignFile,
    measured: options.Measured,
    question: Question,
    explain: options.Explain = False,
    plot: options.Plot = None,
    json: options.Json = False,
) -> None:
    """Predicted lines beside measured peaks, with residuals: the nearest line of each, and the one of lowest threshold.

    Example: cavitydesign compare layouts/nanopillar.toml --measured layouts/measured/nanopillar.csv
    """
    from cavitydesign.cli import output
    from cavitydesign.errors import InputError
    from cavitydesign.solvers.ask import solve
    from cavitydesign.study import compare as study
    from cavitydesign.study.peaks import read_peaks
    from cavitydesign.study.predict import holding, lasing_lines

    options.writable(plot, "--plot", suffixes=options.FIGURES)
    subject = options.design_of(design)
    peaks = read_peaks(measured)
    if not any(peak.has_wavelength for peak in peaks):
        raise InputError("has no row with a wavelength_nm to compare", file=measured, key="wavelength_nm")
    doubtful = []

    def lines_of(variant: Design, here: Sequence[Peak]) -> Sequence[Line]:
        asked = {"window_nm": holding(variant.window_nm, here), **question.asked}
        found = solve(variant, question.settings, **asked)
        if not found.status.trustworthy:
            doubtful.append(found.status)
        return tuple(lasing_lines(variant, found.modes, errors=False))

    with output.progress("comparing"), question.about(design):
        found = study.compare(subject, peaks, lines_of)
    if json:
        output.print_json(_document(subject, found))
    else:
        _show(subject, found, explain=explain)
    if plot is not None:
        from cavitydesign.report import plots

        plots.save(plots.published_against_predicted(found), plot)
    if doubtful:
        raise Leave(3, f"no trustworthy answer: {doubtful[0].name.lower()}: {doubtful[0].value}")


def _document(design: Design, found: list[Compared]) -> dict[str, Any]:
    from cavitydesign.cli import output
    from cavitydesign.study.compare import root_mean_square_nm

    return {
        "design": {"name": design.name, "id": design.id},
        "peaks": [item.record() for item in found],
        "root_mean_square_nm": root_mean_square_nm(found),
        "assumed": output.assumed_records(design),
    }


def _show(design: Design, found: list[Compared], *, explain: bool) -> None:
    from cavitydesign.cli import output
    from cavitydesign.cli.output import figure, short
    from cavitydesign.cli.predict import device_text
    from cavitydesign.study.compare import root_mean_square_nm

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
        line = item.line
        level = f"{short(line.threshold.value)} {line.threshold.unit}" if line and line.lases else "-"
        away = item.strongest_residual_nm
        lowest = f"{item.strongest.wavelength_nm:.1f}" if item.strongest else "-"
        lowest += f" ({away:+.1f})" if math.isfinite(away) else ""
        table.add_row(
            device_text(item.device, item.peak.texts.get("period_is")),
            figure(item.peak.wavelength_nm, item.peak["wavelength_err_nm"], digits=1),
            item.peak.texts.get("transition", "-"),
            figure(line.wavelength_nm if line else None, digits=2),
            f"{item.residual_nm:+.2f}" if math.isfinite(item.residual_nm) else "-",
            (" ".join(filter(None, [line.mode.symmetry, line.mode.polarization])) if line else "") or "-",
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
    output.tell_assumed(screen, output.assumed_records(design), explain=explain)
