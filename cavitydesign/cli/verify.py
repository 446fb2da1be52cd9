"""``cavitydesign verify``: the pole solver's modes beside FDTD's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cavitydesign.cli import options
from cavitydesign.cli.group import Leave
from cavitydesign.cli.solving import Question, solving

if TYPE_CHECKING:
    from cavitydesign.solvers.solution import Mode
    from cavitydesign.study.verify import Verification


@solving("poles", "fdtd")
def verify(
    design: options.DesignFile, question: Question, plot: options.Plot = None, json: options.Json = False
) -> None:
    """Modes of the pole solver beside those of FDTD (Meep), one to one; exit code 3 where they disagree.

    Example: cavitydesign verify layouts/pcsel.toml --window 600:640
    """
    from cavitydesign.cli import output
    from cavitydesign.study.verify import verify as run

    options.writable(plot, "--plot", suffixes=options.FIGURES)
    subject = options.design_of(design)
    fast, fdtd = question.settings_of("poles"), question.settings_of("fdtd")
    with output.progress("verifying") as shown, question.about(design):
        found = run(subject, **question.asked, fast=fast, fdtd=fdtd, progress=shown)
    if json:
        output.print_json({"design": {"name": subject.name, "id": subject.id}, **found.record()})
    else:
        _show(subject.name, found)
    if plot is not None:
        from cavitydesign.report import plots

        plots.save(plots.verification_picture(found), plot)
    if not found.passed:
        alone = len(found.only_fast) + len(found.only_fdtd)
        loud = sum(not pair.agrees for pair in found.pairs)
        raise Leave(
            3,
            f"the solvers disagree: {loud} pair(s) beyond three joint error bars, {alone} mode(s) without a partner",
        )


def _show(name: str, found: Verification) -> None:
    from cavitydesign.cli import output

    screen = output.console()
    low, high = found.window_nm
    output.heading(screen, f"{name}: poles beside FDTD between {low:g} and {high:g} nm")
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
