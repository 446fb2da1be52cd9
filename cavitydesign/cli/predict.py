"""``cavitydesign predict``: lasing lines, ranked by threshold, beside what was published."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cavitydesign.cli import options, output
from cavitydesign.cli.modes import leave_unless_trustworthy
from cavitydesign.cli.options import Answer
from cavitydesign.cli.output import figure
from cavitydesign.cli.solving import Question, solving
from cavitydesign.gain import Line
from cavitydesign.study import predict as study
from cavitydesign.study.peaks import published_beside, read_peaks
from cavitydesign.study.published import Fact

if TYPE_CHECKING:
    from rich.table import Table

Published = Annotated[
    Path | None,
    typer.Option(
        "--measured",
        metavar="PEAKS.csv",
        help="Published or measured values to set beside.",
        show_default="measured/<name>.csv beside the design",
    ),
]
NoTolerances = Annotated[
    bool, typer.Option("--no-tolerances", help="Leave out what the assumed inputs' ± do (faster).")
]


@solving()
def predict(
    design: options.DesignFile,
    question: Question,
    answer: Answer,
    temperature: options.Temperature = None,
    measured: Published = None,
    no_tolerances: NoTolerances = False,
) -> None:
    """Lasing lines ranked by threshold, each with its transition and errors, beside what was published.

    Example: cavitydesign predict layouts/two_mirror.toml
    """
    subject = options.design_of(design, temperature=temperature)
    source = measured or published_beside(design)
    peaks = read_peaks(source) if source else ()
    with output.progress("predicting") as shown, question.about(design):
        found = study.predict(
            subject, question.settings, **question.asked, peaks=peaks, tolerances=not no_tolerances,
            progress=shown,
        )  # fmt: skip
    answer.give(
        found.document,
        lambda: show(found, explain=answer.explain),
        lambda plots: plots.gain_picture(found),
    )
    leave_unless_trustworthy(found.solution.status)


def show(found: study.Prediction, *, explain: bool) -> None:
    """The tables for people."""
    screen = output.console()
    document = found.document()
    low, high = document["window_nm"]
    title = f"{found.design.name}: lasing lines between {low:g} and {high:g} nm at {document['temperature_k']:g} K"
    output.heading(screen, title)
    shown = list(itertools.islice(found.lines, 20))
    if shown:
        screen.print(lines_table(shown, found.lines.unit))
    output.tell_solutions(screen, found.solution)
    output.tell_defaults(screen, found.defaults)
    marks = {mark: text for line in shown for mark, text in line.marks.items()}
    for mark, text in marks.items():
        screen.print(f"lines marked {mark}: {text}", style="dim")
    if found.published:
        output.heading(screen, "Published beside predicted")
        screen.print(published_table(found.published))
    screen.print("± comes from the assumed inputs' own ±, not from what the model leaves out.", style="dim")
    share = share_of_inputs(found.lines[0]) if len(found.lines) else {}
    output.tell_inputs(screen, found.design, explain=explain, share=share or None)


def share_of_inputs(line: Line) -> dict[str, float]:
    """Share of each assumed input in the squared errors of a line: the larger of those in wavelength and threshold."""
    cavity = line.input_errors.contributions if line.input_errors else ()
    errors = [[(item.input, item.wavelength_nm) for item in cavity]]
    errors.append([(item.input, item.threshold) for item in cavity])
    errors[1] += [(item.input, item.value_err) for item in line.threshold.contributions]
    share: dict[str, float] = {}
    for column in errors:
        known = [(name, error) for name, error in column if math.isfinite(error)]
        total = math.fsum(error**2 for _, error in known) or 1.0
        for name, error in known:
            share[name] = max(share.get(name, 0.0), error**2 / total)
    return share


def lines_table(lines: Sequence[Line], unit: str) -> Table:
    """Lines ranked by threshold, in ``unit``."""
    table = output.table(
        "rank", "λ (nm)", "transition", f"threshold ({unit})", "⟨N⟩", "Q", "dark", "Γ film", "mode",
        left=("transition", "dark", "mode"),
    )  # fmt: skip
    for line in lines:
        errors, threshold, mode = line.input_errors, line.threshold, line.mode
        table.add_row(
            f"{line.rank or '-'}{''.join(line.marks)}",
            figure(line.wavelength_nm, errors.wavelength_nm if errors else None),
            line.transition or "-",
            line.at_most + figure(threshold.value, line.threshold_err),
            line.at_most + figure(threshold.pairs_per_shell, threshold.pairs_err),
            output.q_figure(mode.q),
            output.dark_text(line.dark),
            figure(mode.confinement, digits=3),
            mode.kind or "-",
        )
    return table


def published_table(facts: Sequence[Fact]) -> Table:
    """Published beside predicted."""
    table = output.table(
        "quantity", "device", "published", "predicted", "difference", "unit", "note",
        left=("quantity", "device", "unit", "note"),
    )  # fmt: skip
    for fact in facts:
        table.add_row(
            fact.quantity,
            device_text(fact.device, fact.device_is),
            _value(fact.published),
            _value(fact.predicted, fact.predicted_err),
            _value(fact.difference, sign=True),
            fact.unit,
            fact.note,
        )
    return table


def device_text(device: Mapping[str, float], device_is: str | None) -> str:
    """Which device something is of, in short."""
    names = {"lattice.period_nm": "Λ = {:g} nm", "emitter.temperature_k": "{:g} K"}
    parts = [(names.get(path) or f"{path} = {{:g}}").format(value) for path, value in device.items()]
    if device_is:
        parts.append(f"({device_is})")
    return " ".join(sorted(parts, key=lambda text: "Λ" not in text)) or "-"


def _value(
    value: float | tuple[float, float] | None, error: float | None = None, *, sign: bool = False
) -> str:
    if value is None:
        return "-"
    if isinstance(value, tuple):
        return "-".join(f"{item:g}" for item in value)
    digits = 1 if abs(value) >= 100 else max(2, 2 - math.floor(math.log10(abs(value) or 1.0)))
    text = figure(value, error, digits=digits)
    return f"+{text}" if sign and value > 0.0 else text
