"""The options that several commands share, and how their text becomes values."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from cavitydesign.cli import output
from cavitydesign.errors import InputError
from cavitydesign.files import finite_number
from cavitydesign.geometry.design import Design
from cavitydesign.geometry.load import load_design
from cavitydesign.solvers.ask import checked_window
from cavitydesign.study.peaks import Peak, read_peaks

DesignFile = Annotated[Path, typer.Argument(metavar="DESIGN", help="Design file (TOML).", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout and nothing else there.")]
Window = Annotated[
    str | None,
    typer.Option(
        "--window",
        metavar="SHORT:LONG",
        help="Wavelengths to search, nm, such as 560:700.",
        show_default="the design's",
    ),
]
Bloch = Annotated[
    str | None,
    typer.Option("--bloch", metavar="KX,KY", help="In-plane wavevector, 1/nm.", show_default="0,0"),
]
Angle = Annotated[
    float | None,
    typer.Option(
        "--angle", metavar="DEG", help="Angle in the superstrate (uniform stacks).", show_default="0"
    ),
]
Periods = Annotated[
    str | None,
    typer.Option("--periods", metavar="NX,NY", help="Size of the array.", show_default="the design's"),
]
Infinite = Annotated[
    bool | None, typer.Option("--infinite", help="The infinite array, whatever the design's device.")
]
Temperature = Annotated[
    float | None,
    typer.Option(
        "--temperature", metavar="K", help="Temperature of the emitter.", show_default="the design's"
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the file.")]
Explain = Annotated[
    bool, typer.Option("--explain", help="Every assumed input with its source, its ± and why.")
]
Plot = Annotated[
    Path | None,
    typer.Option("--plot", metavar="FILE.png", help="Also draw it (.png, .pdf or .svg).", show_default=False),
]
Measured = Annotated[
    Path,
    typer.Option(
        "--measured", metavar="PEAKS.csv", help="Measured peaks (CSV with a header row).", show_default=False
    ),
]
Vary = Annotated[
    list[str] | None,
    typer.Option(
        "--vary",
        metavar="PATH=A:B:STEP",
        help="A number of the design and its values: A:B:STEP or A,B,C. Repeat for a grid.",
    ),
]


@dataclass(frozen=True)
class Answer:
    """How a command is to answer: ``--explain``, ``--plot`` and ``--json``."""

    explain: bool = False
    plot: Path | None = None
    json: bool = False

    def give(
        self,
        document: Callable[[], Mapping[str, Any]],
        show: Callable[[], None],
        draw: Callable[[Any], Any] | None = None,
    ) -> None:
        """One JSON document, or what ``show`` prints for people; then what ``draw`` makes of the module of plots."""
        if self.json:
            output.print_json(document())
        else:
            show()
        if self.plot is not None and draw is not None:
            from cavitydesign.report import plots

            plots.save(draw(plots), self.plot)


def window_of(text: str) -> tuple[float, float]:
    """``560:700`` as (560.0, 700.0)."""
    parts = text.split(":")
    if len(parts) != 2:
        raise InputError("is written SHORT:LONG in nm, such as 560:700", key="--window", value=text)
    low, high = (finite_number(part, key="--window") for part in parts)
    try:
        return checked_window((low, high))
    except InputError as error:
        raise InputError(error.message, key="--window", value=text) from None


def numbers(text: str, key: str, *, count: int | None = None) -> tuple[float, ...]:
    """``1,2`` as (1.0, 2.0)."""
    found = tuple(finite_number(part, key=key) for part in text.replace("x", ",").split(","))
    if count is not None and len(found) != count:
        raise InputError(f"takes {count} numbers separated by a comma", key=key, value=text)
    return found


def whole(text: str, key: str) -> tuple[int, ...]:
    """``17,17`` as (17, 17); each at least 1."""
    found = numbers(text, key)
    if any(value != int(value) or value < 1 for value in found):
        raise InputError("takes whole numbers of at least 1", key=key, value=text)
    return tuple(int(value) for value in found)


def design_of(path: Path, *, temperature: float | None = None) -> Design:
    """The design of a file, at another temperature if one is given."""
    design = load_design(path)
    if temperature is None:
        return design
    if design.emitter is None:
        raise InputError(
            "the design has no [emitter] whose temperature could be set", file=path, key="--temperature"
        )
    try:
        return design.with_value("emitter.temperature_k", temperature)
    except InputError as error:
        raise InputError(error.message, key="--temperature", value=temperature) from None


def peaks_of(path: Path, purpose: str) -> tuple[Peak, ...]:
    """The peaks of a file, one with a wavelength at least."""
    peaks = read_peaks(path)
    if not any(peak.has_wavelength for peak in peaks):
        raise InputError(f"has no row with a wavelength_nm to {purpose}", file=path, key="wavelength_nm")
    return peaks


FIGURES = (".png", ".pdf", ".svg")


def writable(path: Path | None, key: str, *, suffixes: tuple[str, ...] = (), force: bool = True) -> None:
    """Refuse before any work a file that cannot be written, or is there without ``force``; its folder is made later."""
    if path is None:
        return
    if suffixes and path.suffix.lower() not in suffixes:
        raise InputError(f"must end in {' or '.join(suffixes)}", key=key, value=str(path))
    if path.is_dir():
        raise InputError("is a folder; name a file", key=key, value=str(path))
    if path.exists() and not force:
        raise InputError("is there already; --force overwrites it", file=path)
    _check_folder(path.absolute().parent, path, key)


def folder_to_fill(path: Path, key: str) -> None:
    """Refuse before any work a folder that cannot be made, or written in."""
    if path.exists() and not path.is_dir():
        raise InputError("is a file; name a folder", key=key, value=str(path))
    _check_folder(path.absolute(), path, key)


def _check_folder(folder: Path, path: Path, key: str) -> None:
    """Whether a file can be made in a folder, or in the nearest one above it that is there."""
    folder = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
    if not folder.is_dir():
        raise InputError(f"cannot be written: {folder} is no folder", key=key, value=str(path))
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        rule = f"cannot be written: {folder}: {error.strerror or error}"
        raise InputError(rule, key=key, value=str(path)) from None
