"""``cavitydesign verify``: the pole solver's modes beside FDTD's."""

from __future__ import annotations

from cavitydesign.cli import options, output
from cavitydesign.cli.group import Leave
from cavitydesign.cli.options import Answer
from cavitydesign.cli.solving import Question, solving
from cavitydesign.geometry.design import Design
from cavitydesign.solvers.solution import Mode
from cavitydesign.study import verify as study


@solving("poles", "fdtd")
def verify(design: options.DesignFile, question: Question, answer: Answer) -> None:
    """Modes of the pole solver beside those of FDTD (Meep), one to one; exit code 3 where they disagree.

    Example: cavitydesign verify layouts/pcsel.toml --window 600:640
    """
    subject = options.design_of(design)
    fast, fdtd = question.settings_of("poles"), question.settings_of("fdtd")
    with output.progress("verifying") as shown, question.about(design):
        found = study.verify(subject, **question.asked, fast=fast, fdtd=fdtd, progress=shown)
    answer.give(
        lambda: {
            "design": output.named(subject),
            **output.status_record(found.fast, found.fdtd),
            **found.record(),
            **output.input_records(subject, optics_only=True),
        },
        lambda: _show(subject, found, explain=answer.explain),
        lambda plots: plots.verification_picture(found),
    )
    if not found.passed:
        alone = len(found.only_fast) + len(found.only_fdtd)
        loud = sum(not pair.agrees for pair in found.pairs)
        raise Leave(
            3,
            f"the solvers disagree: {loud} pair(s) beyond three joint error bars, {alone} mode(s) without a partner",
        )


def _show(design: Design, found: study.Verification, *, explain: bool) -> None:
    screen = output.console()
    low, high = found.window_nm
    output.heading(screen, f"{design.name}: poles beside FDTD between {low:g} and {high:g} nm")
    table = output.table(
        "symmetry", "λ poles (nm)", "λ FDTD (nm)", "Q poles", "Q FDTD", "distance", left=("symmetry",)
    )
    rows: list[tuple[Mode | None, Mode | None, str]] = [
        (pair.fast, pair.fdtd, f"{pair.sigma:.1f} error bars" + ("" if pair.agrees else "  <- disagrees"))
        for pair in found.pairs
    ]
    rows += [(mode, None, "poles only") for mode in found.only_fast]
    rows += [(None, mode, "FDTD only") for mode in found.only_fdtd]
    for fast, fdtd, state in rows:
        both = (fast, fdtd)
        table.add_row(
            next(mode.symmetry for mode in both if mode is not None) or "-",
            *(
                "-" if mode is None else output.figure(mode.wavelength_nm, mode.wavelength_err_nm)
                for mode in both
            ),
            *("-" if mode is None else output.q_figure(mode.q, mode.q_err) for mode in both),
            state,
        )
    screen.print(table)
    for mode, reason in found.ignored:
        screen.print(f"Left out: {mode.wavelength_nm:.1f} nm, Q = {mode.q:.1f}: {reason}.")
    output.tell_solutions(screen, found.fast, found.fdtd)
    output.tell_inputs(screen, design, explain=explain, optics_only=True)
