"""The options that several commands share, and how their text becomes values."""

from __future__ import annotations

import enum
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from cavitydesign.geometry.design import Design


class Solver(enum.StrEnum):
    """The solvers, by name."""

    BRAGG = "bragg"
    POLES = "poles"
    FINITE = "finite"
    FDTD = "fdtd"


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
SolverName = Annotated[Solver, typer.Option("--solver", help="How modes are found.")]
Waves = Annotated[
    int | None,
    typer.Option("--waves", help="poles: number of plane waves.", show_default="until the tolerance is met"),
]
Tolerance = Annotated[
    float | None,
    typer.Option(
        "--tolerance", metavar="NM", help="poles: numerical error of λ to reach.", show_default="0.01"
    ),
]
Angle = Annotated[
    float | None,
    typer.Option(
        "--angle", metavar="DEG", help="poles: angle in the superstrate (uniform stacks).", show_default="0"
    ),
]
Bloch = Annotated[
    str | None,
    typer.Option(
        "--bloch", metavar="KX,KY", help="poles, fdtd: in-plane wavevector, 1/nm.", show_default="0,0"
    ),
]
QMin = Annotated[
    float | None, typer.Option("--q-min", help="poles: smallest Q to look for.", show_default="5")
]
Orders = Annotated[
    str | None,
    typer.Option("--orders", metavar="M,…", help="bragg: orders m.", show_default="all in the window"),
]
Periods = Annotated[
    str | None,
    typer.Option(
        "--periods", metavar="NX,NY", help="finite, fdtd: size of the array.", show_default="the design's"
    ),
]
Resolution = Annotated[
    str | None,
    typer.Option(
        "--resolution",
        metavar="PX,…",
        help="fdtd: pixels per µm; two or more are extrapolated.",
        show_default="55,78",
    ),
]
Ranks = Annotated[
    int | None, typer.Option("--ranks", help="fdtd: MPI ranks of each run (mpirun).", show_default="1")
]
Temperature = Annotated[
    float | None,
    typer.Option(
        "--temperature", metavar="K", help="Temperature of the emitter.", show_default="the design's"
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


def window_of(text: str | None) -> tuple[float, float] | None:
    """``560:700`` as (560.0, 700.0)."""
    if text is None:
        return None
    from cavitydesign.errors import InputError
    from cavitydesign.solvers.ask import checked_window

    parts = text.split(":")
    if len(parts) != 2:
        raise InputError("is written SHORT:LONG in nm, such as 560:700", key="--window", value=text)
    low, high = (number(part, "--window") for part in parts)
    try:
        return checked_window((low, high))
    except InputError as error:
        raise InputError(error.message, key="--window", value=text) from None


def number(text: str, key: str) -> float:
    """A finite number, or an InputError that names the option."""
    from cavitydesign.errors import InputError

    try:
        found = float(text)
    except ValueError:
        raise InputError("must be a number", key=key, value=text) from None
    if not math.isfinite(found):
        raise InputError("must be a finite number", key=key, value=text)
    return found


def numbers(text: str | None, key: str, *, count: int | None = None) -> tuple[float, ...] | None:
    """``1,2`` as (1.0, 2.0)."""
    if text is None:
        return None
    from cavitydesign.errors import InputError

    found = tuple(number(part, key) for part in text.replace("x", ",").split(","))
    if count is not None and len(found) != count:
        raise InputError(f"takes {count} numbers separated by a comma", key=key, value=text)
    return found


def whole(text: str | None, key: str, *, count: int | None = None) -> tuple[int, ...] | None:
    """``17,17`` as (17, 17); each at least 1."""
    found = numbers(text, key, count=count)
    if found is None:
        return None
    from cavitydesign.errors import InputError

    if any(value != int(value) or value < 1 for value in found):
        raise InputError("takes whole numbers of at least 1", key=key, value=text)
    return tuple(int(value) for value in found)


TAKEN_BY = {
    "--waves": ("poles", "finite"),
    "--tolerance": ("poles", "finite"),
    "--angle": ("poles",),
    "--bloch": ("poles", "fdtd"),
    "--q-min": ("poles", "finite", "fdtd"),
    "--orders": ("bragg",),
    "--periods": ("finite", "fdtd"),
    "--resolution": ("fdtd",),
    "--ranks": ("fdtd",),
}


def settings_of(
    solver: Solver,
    *,
    waves: int | None = None,
    tolerance: float | None = None,
    angle: float | None = None,
    bloch: str | None = None,
    q_min: float | None = None,
    orders: str | None = None,
    periods: str | None = None,
    resolution: str | None = None,
    ranks: int | None = None,
) -> Any:
    """The settings value of a solver. An option that it does not take is an error, not ignored."""
    from cavitydesign.errors import InputError
    from cavitydesign.solvers.bragg import Bragg
    from cavitydesign.solvers.finite import Finite
    from cavitydesign.solvers.poles import Poles

    given = {
        "--waves": waves,
        "--tolerance": tolerance,
        "--angle": angle,
        "--bloch": bloch,
        "--q-min": q_min,
        "--orders": orders,
        "--periods": periods,
        "--resolution": resolution,
        "--ranks": ranks,
    }
    for name, value in given.items():
        if value is not None and solver.value not in TAKEN_BY[name]:
            raise InputError(f"is for --solver {' or '.join(TAKEN_BY[name])}", key=name, value=value)
    for name, value in (("--waves", waves), ("--tolerance", tolerance), ("--q-min", q_min)):
        if value is not None and not (math.isfinite(value) and value > 0):
            raise InputError("must be > 0", key=name, value=value)
    if angle is not None and not 0.0 <= abs(angle) < 90.0:
        raise InputError("must be between -90 and 90 degrees", key="--angle", value=angle)
    pair = whole(periods, "--periods", count=2)
    size = None if pair is None else (pair[0], pair[1])
    if solver is Solver.BRAGG:
        return Bragg(orders=whole(orders, "--orders"))
    if solver is Solver.FDTD:
        from cavitydesign.solvers.fdtd import Fdtd

        pixels = numbers(resolution, "--resolution")
        chosen: dict[str, Any] = {"pixels_per_um": pixels, "periods": size, "q_min": q_min, "ranks": ranks}
        chosen["bloch"] = numbers(bloch, "--bloch", count=2)
        return Fdtd(**{name: value for name, value in chosen.items() if value is not None})
    chosen = {
        "waves": waves,
        "tolerance_nm": tolerance,
        "angle_deg": angle,
        "bloch": numbers(bloch, "--bloch", count=2),
        "q_min": q_min,
    }
    poles = Poles(**{name: value for name, value in chosen.items() if value is not None})
    return poles if solver is Solver.POLES else Finite(periods=size, poles=poles)


def design_of(path: Path, *, temperature: float | None = None) -> Design:
    """The design of a file, at another temperature if one is given."""
    from cavitydesign.errors import InputError
    from cavitydesign.geometry.load import load_design

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
