"""The command line: it builds values, calls functions and prints; see ``cavitydesign --help``."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

import typer

from cavitydesign.cli.group import OneLineErrors


class Commands(OneLineErrors):
    """Every command: where it is, and what it does in short."""

    places: ClassVar[Mapping[str, tuple[str, str]]] = {
        "new": ("cavitydesign.cli.templates:new", "A commented design file to start from."),
        "schema": ("cavitydesign.cli.templates:schema", "The JSON schema of a design file."),
        "modes": ("cavitydesign.cli.modes:modes", "Resonances: λ, Q, symmetry, confinement, threshold gain."),
        "predict": (
            "cavitydesign.cli.predict:predict",
            "Lasing lines ranked by threshold, beside what was published.",
        ),
        "sensitivity": (
            "cavitydesign.cli.sensitivity:sensitivity",
            "How every mode moves with every number of the design.",
        ),
        "sweep": ("cavitydesign.cli.sweep:sweep", "Modes over a grid of designs, resumable."),
        "compare": (
            "cavitydesign.cli.compare:compare",
            "Predicted lines beside measured peaks, with residuals.",
        ),
        "calibrate": ("cavitydesign.cli.calibrate:calibrate", "Fit what was assumed to measured peaks."),
        "mask": ("cavitydesign.cli.layout:mask", "Write a mask as GDS or OASIS, with its manifest."),
        "check": ("cavitydesign.cli.layout:check", "Apply the fabrication rules to a mask."),
        "verify": ("cavitydesign.cli.verify:verify", "Check the pole solver's modes against FDTD."),
        "showcase": (
            "cavitydesign.showcase:showcase",
            "The published lasers, from design to mask, in one go.",
        ),
        "doctor": ("cavitydesign.cli.doctor:doctor", "What is installed, what is missing, how to get it."),
    }


app = typer.Typer(
    name="cavitydesign",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help starts in half the time: no markdown parser is loaded
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: cavitydesign predict layouts/pcsel.toml",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from cavitydesign._version import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _about(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave."),
    ] = False,
) -> None:
    """From the geometry of a quantum-shell laser cavity to its resonances, lasing lines and mask.

    Lengths are nm. Every command takes --json. Exit codes: 0 done, 2 the input is wrong, 3 no trustworthy answer,
    4 a component is missing, 130 interrupted.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; leaves with the exit code of what happened (0 done, 1 and more: why not).

    BLAS is held to one thread unless the user has said otherwise: on matrices as small as ours more threads only wait
    for each other (up to 20 times the processor time). It must be said before numpy is first imported.
    """
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    app(args=list(sys.argv[1:] if arguments is None else arguments), prog_name="cavitydesign")


__all__ = ["app", "main"]
