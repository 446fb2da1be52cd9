"""``cavitydesign compare``: predicted lines beside measured peaks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from cavitydesign.cli import options, output
from cavitydesign.cli.modes import leave_unless_trustworthy
from cavitydesign.cli.options import Answer
from cavitydesign.cli.output import figure
from cavitydesign.cli.predict import device_text
from cavitydesign.cli.solving import Question, solving
from cavitydesign.errors import Status
from cavitydesign.gain import Line
from cavitydesign.geometry.design import Design
from cavitydesign.solvers.ask import solve
from cavitydesign.solvers.solution import Solution
from cavitydesign.study import compare as study
from cavitydesign.study.peaks import Peak
from cavitydesign.study.predict import holding, lasing_lines, with_emitter


@solving()
def compare(
    design: options.DesignFile, measured: options.Measured, question: Question, answer: Answer
) -> None:
    """Predicted lines beside measured peaks, with residuals: the nearest line of each, and the one of lowest threshold.

    Example: cavitydesign compare layouts/nanopillar.toml --measured layouts/measured/nanopillar.csv
    """
    subject = options.design_of(design)
    full, missing = with_emitter(subject)
    peaks = options.peaks_of(measured, "compare")
    solutions: list[Solution] = []

    def lines_of(variant: Design, here: Sequence[Peak]) -> Sequence[Line]:
        asked = {"window_nm": holding(variant.window_nm, here), **question.asked}
        found = solve(variant, question.settings, **asked)
        solutions.append(found)
        return tuple(lasing_lines(variant, found.modes, errors=False))

    with output.progress("comparing"), question.about(design):
        found = study.compare(subject, peaks, lines_of)
    answer.give(
        lambda: {
            "design": output.named(subject),
            **output.status_record(*solutions),
            **_document(found),
            **output.input_records(full),
            "defaults_for": list(missing),
        },
        lambda: _show(full, found, solutions, missing, explain=answer.explain),
        lambda plots: plots.published_against_predicted(found),
    )
    leave_unless_trustworthy(Status.worst(item.status for item in solutions))


def _document(found: list[study.Compared]) -> dict[str, Any]:
    return {
        "peaks": [item.record() for item in found],
        "root_mean_square_nm": study.root_mean_square_nm(found),
    }


def _show(
    design: Design,
    found: list[study.Compared],
    solutions: Sequence[Solution],
    missing: Sequence[str],
    *,
    explain: bool,
) -> None:
    screen = output.console()
    output.heading(screen, f"{design.name}: predicted beside measured")
    table = output.table(
        "device", "measured (nm)", "line", "predicted (nm)", "residual", "mode", "threshold", "lowest threshold",
        left=("device", "mode", "line"),
    )  # fmt: skip
    for item in found:
        line = item.line
        level = "-"
        if line and line.lases:
            level = f"{line.at_most}{output.short(line.threshold.value)} {line.threshold.unit}"
        away = item.strongest_residual_nm
        lowest = f"{item.strongest.wavelength_nm:.1f}" if item.strongest else "-"
        lowest += f" ({away:+.1f})" if math.isfinite(away) else ""
        table.add_row(
            device_text(item.device, item.peak.texts.get("period_is")),
            figure(item.peak.wavelength_nm, item.peak["wavelength_err_nm"], digits=1),
            item.peak.texts.get("transition", "-"),
            figure(line.wavelength_nm if line else None, digits=2),
            f"{item.residual_nm:+.2f}" if math.isfinite(item.residual_nm) else "-",
            (line.mode.kind if line else "") or "-",
            level,
            lowest,
        )
    screen.print(table)
    output.tell_solutions(screen, *solutions)
    output.tell_defaults(screen, missing)
    for peak in (item.peak for item in found if item.line is None):
        what = f"{peak.wavelength_nm:g} nm" + (f" ({peak.label})" if peak.label else "")
        screen.print(f"Note: no predicted line is left for the peak at {what}.")
    rms = study.root_mean_square_nm(found)
    screen.print(
        "Residuals are predicted minus measured, of the nearest line"
        + (f": {figure(rms)} nm root mean square" if math.isfinite(rms) else "; there is none")
        + ". Among many modes one is always near; the last column is the line of lowest threshold, whatever was "
        "measured. A peak whose device is not stated has no residual.",
        style="dim",
    )
    output.tell_inputs(screen, design, explain=explain)
