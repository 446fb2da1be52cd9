"""What a person may choose about an FDTD run, as one immutable value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from cavitydesign.errors import InputError
from cavitydesign.solvers.ask import option

Dispersion = Literal["auto", "constant", "lorentz"]


@dataclass(frozen=True)
class Settings:
    """Settings of every question to FDTD.

    Attributes:
        pixels_per_um: resolutions to run; each is moved to the nearest at which the period is a whole, even number of
            pixels. Two or more are extrapolated in 1/resolution²; one is reported with no discretisation error (NaN).
            Uniform stacks (1D) take four times as many, for next to nothing.
        classes: mirror classes to run, such as ("++", "--", "+-"): the sign of E under x → -x, then under y → -y.
        q_min: modes that decay faster are not looked for.
        q_max: a Q above is reported as infinite (null).
        duration_um: longest ring-down, in µm of light path (1 µm/c = 3.34 fs); None: set from what is being measured.
        pad_nm: distance from the structure to the absorbing layer; None: from the window.
        pml_nm: thickness of that layer; None: from the window.
        dispersion: "auto" takes a constant index where it varies by less than ``index_tolerance`` over the window and
            a Lorentz fit elsewhere; "constant" and "lorentz" force one.
        interpreter: the Python that has Meep; None: found (see client.find_interpreter).
        ranks: MPI ranks of each run.
        at_once: how many runs (classes, resolutions) go side by side.
        time_limit_s, memory_limit_gb: a job estimated above is refused, and one that runs over is ended with what it
            has.
        folder: where runs are kept and resumed; None: a temporary one, kept only when a run fails or is interrupted.
    """

    pixels_per_um: tuple[float, ...] = option(
        (55.0, 78.0), "Pixels per µm; two or more are extrapolated.", name="--resolution", metavar="PX,…"
    )
    classes: tuple[str, ...] | None = None
    q_min: float = option(20.0, "Smallest Q to look for.", name="--q-min")
    q_max: float = 1e6
    duration_um: float | None = None
    pad_nm: float | None = None
    pml_nm: float | None = None
    dispersion: Dispersion = "auto"
    index_tolerance: float = 2e-4
    interpreter: str | None = field(default=None, compare=False)
    ranks: int = option(1, "MPI ranks of each run (mpirun).", name="--ranks", compare=False)
    at_once: int = option(1, "How many runs go side by side.", name="--at-once", compare=False)
    time_limit_s: float = option(
        3600.0,
        "Longest time, in s; what needs more is refused.",
        name="--time-limit",
        metavar="S",
        compare=False,
    )
    memory_limit_gb: float | None = field(default=None, compare=False)
    folder: str | None = option(
        None,
        "Folder in which runs are kept, to go on from there.",
        name="--runs",
        metavar="DIR",
        compare=False,
    )

    def __post_init__(self) -> None:
        slow = "must be at least 5: a ring-down fit cannot tell faster decays from the pulse"
        classes = self.classes is None or set(self.classes) <= {"++", "--", "+-", "-+"}
        rules = {
            "pixels_per_um": (min(self.pixels_per_um, default=0.0) > 0.0, "must be numbers > 0"),
            "q_min": (self.q_min >= 5.0, slow),
            "ranks": (self.ranks >= 1, "must be at least 1"),
            "at_once": (self.at_once >= 1, "must be at least 1"),
            "time_limit_s": (self.time_limit_s > 0.0, "must be > 0"),
            "classes": (classes, "must be of '++', '--', '+-', '-+'"),
            "dispersion": (
                self.dispersion in get_args(Dispersion),
                "must be 'auto', 'constant' or 'lorentz'",
            ),
        }
        for name, (good, rule) in rules.items():
            if not good:
                raise InputError(rule, key=name, value=getattr(self, name))
