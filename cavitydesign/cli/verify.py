"""``cavitydesign verify``: the pole solver's modes beside FDTD's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cavitydesign.cli import options
from cavitydesign.cli.group import Leave

if TYPE_CHECKING:
    from cavitydesign.study.verify import Verification


def verify(
    design: options.DesignFile,
    window: options.Window = None,
    resolution: options.Resolution = None,
    ranks: options.Ranks = None,
    json: options.Json = False,
) -> None:
    """Modes of the pole solver beside those of FDTD (Meep), one to one; exit code 3 where they disagree.

    Example: cavitydesign verify layouts/pcsel.toml --window 600:640
    """
    from cavitydesign.cli import output
    from cavitydesign.errors import InputError
    from cavitydesign.solvers.fdtd.client import stderr_progress
    from cavitydesign.study.verify import verify as run

    subject = options.design_of(design)
    settings = options.settings_of(options.Solver.FDTD, resolution=resolution, ranks=ranks)
    try:
        found = run(subject, window_nm=options.window_of(window), fdtd=settings, progress=stderr_progress)
    except InputError as error:
        raise error.in_file(design) from None
    if json:
        output.print_json({"design": {"name": subject.name, "id": subject.id}, **found.record()})
    else:
        _show(subject.name, found)
    if not found.passed:
        alone = len(found.only_fast) + len(found.only_fdtd)
        loud = sum(not pair.agrees for pair in found.pairs)
        raise Leave(
            3,
            f"the solvers disagree: {loud} pair(s) beyond three joint error bars, {alone} mode(s) without a partner",
        )


def _show(name: str, found: Verification) -> None:
    from cavitydesign.cli import output
    from cavitydesign.cli.modes import q_figure
    from cavitydesign.cli.output import figure

    screen = output.console()
    low, high = found.window_nm
    output.heading(screen, f"{name}: poles beside FDTD between {low:g} and {high:g} nm")
    table = output.table(
        "symmetry", "λ poles (nm)", "λ FDTD (nm)", "Q poles", "Q FDTD", "distance", left=("symmetry",)
    )
    for pair in found.pairs:
        state = f"{pair.sigma:.1f} error bars" + ("" if pair.agrees else "  <- disagrees")
        table.add_row(
            str(pair.fast["symmetry"] or "-"),
            *_wavelengths(pair.fast, pair.fdtd),
            *(q_figure(mode["q"], mode["q_err"]) for mode in (pair.fast, pair.fdtd)),
            state,
        )
    alone: list[tuple[str, dict[str, Any]]] = [("poles only", mode) for mode in found.only_fast]
    alone += [("FDTD only", mode) for mode in found.only_fdtd]
    for state, mode in alone:
        here = figure(mode["wavelength_nm"], mode["wavelength_err_nm"])
        q = q_figure(mode["q"], mode["q_err"])
        poles = state.startswith("poles")
        table.add_row(
            str(mode["symmetry"] or "-"),
            here if poles else "-",
            "-" if poles else here,
            q if poles else "-",
            "-" if poles else q,
            state,
        )
    screen.print(table)
    for mode, reason in found.ignored:
        screen.print(f"Left out: {mode['wavelength_nm']:.1f} nm, Q = {mode['q']:.1f}: {reason}.")


def _wavelengths(*modes: dict[str, Any]) -> list[str]:
    from cavitydesign.cli.output import figure

    return [figure(mode["wavelength_nm"], mode["wavelength_err_nm"]) for mode in modes]
