"""The question that a solver is given, what a solver is, and :func:`solve`.

A solver is one file: a frozen dataclass of settings that derives from :class:`Solver`, says its name and version, and
answers an :class:`Ask`::

    @dataclass(frozen=True)
    class Mine(Solver):
        name = "mine"
        version = 1

        def run(self, ask: Ask) -> Solution: ...

    solve(design, Mine(), window_nm=(560, 700))
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol

import numpy as np

from cavitydesign.errors import CavityError, InputError, Status
from cavitydesign.geometry.complaint import RuleBroken
from cavitydesign.geometry.design import Design, Device
from cavitydesign.geometry.stack import Stack
from cavitydesign.kinds import Window
from cavitydesign.solvers.solution import Solution


class Progress(Protocol):
    """Told how much of how much is done (``total`` 0: not known), and at what."""

    def __call__(self, done: float, total: float, what: str = "") -> None: ...


def silent(done: float, total: float, what: str = "") -> None:
    """Tell nobody."""


OWN: Any = object()
"""Stands for the design's own device."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a solver is asked.

    Attributes:
        stack: the layers, every material spelt out.
        window_nm: (shortest, longest) wavelength in vacuum.
        device: the finite device; None for the infinite array. A solver of the infinite cell does not look at it.
        bloch: in-plane wavevector (kx, ky) in 1/nm. For a stack without lattice this is the wavevector itself.
        angle_deg: the same as an angle of incidence from the superstrate, which follows the frequency:
            (kx, ky) = k0 n (sin θ, 0). Only for uniform stacks.
        progress: told how far the work is.
    """

    stack: Stack
    window_nm: Window
    device: Device | None = None
    bloch: tuple[float, float] = (0.0, 0.0)
    angle_deg: float = 0.0
    progress: Progress = field(default=silent, compare=False, repr=False)

    @classmethod
    def of(
        cls,
        subject: Design | Stack,
        *,
        window_nm: Window | None = None,
        device: Any = OWN,
        bloch: tuple[float, float] = (0.0, 0.0),
        angle_deg: float = 0.0,
        progress: Progress | None = None,
    ) -> Ask:
        """The question about a design (which brings its window and device) or a stack (which has neither)."""
        own = isinstance(subject, Design)
        if not own and not isinstance(subject, Stack):
            rule = "must be a design (see load_design) or a stack"
            raise InputError(rule, key="subject", value=subject)
        if window_nm is None:
            if not own:
                raise InputError(
                    "a stack has no default window; give (shortest, longest) in nm", key="window_nm"
                )
            window_nm = subject.window_nm
        if device is OWN:
            device = subject.device if own else None
        stack = subject.to_stack() if own else subject
        if device is not None:
            _check_device(device, stack)
        (angle,) = _finite(angle_deg, 1, "angle_deg", "a number of degrees")
        kx, ky = _finite(bloch, 2, "bloch", "two finite numbers in 1/nm")
        return cls(stack, checked_window(window_nm), device, (kx, ky), angle, progress or silent)


class Solver:
    """Base of the solvers' settings. A class that answers must say its ``name`` and its ``version``.

    The version is raised whenever the numbers of the solver change: stored results of older ones are not used again.
    ``asks`` are the parts of the question, beside stack and window, that it looks at: one that it does not look at is
    refused when it is asked, but for a design's own device.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    asks: ClassVar[tuple[str, ...]] = ("bloch", "angle_deg", "device")

    def __init_subclass__(cls, **extra: Any) -> None:
        super().__init_subclass__(**extra)
        for wanted, kind in (("name", str), ("version", int)):
            if not isinstance(getattr(cls, wanted, None), kind):
                raise TypeError(
                    f"a solver needs a class attribute {wanted!r} ({kind.__name__}); {cls.__name__} has none"
                )
        if not cls.__module__.startswith("cavitydesign."):
            from cavitydesign.solvers import known

            other = known().get(cls.name)
            if other is not None and not issubclass(cls, other):
                raise TypeError(f"{other.__module__}.{other.__qualname__} is the solver {cls.name!r} already")

    def run(self, ask: Ask) -> Solution:
        """Answer a question."""
        raise NotImplementedError


def option(default: Any, text: str, *, name: str, metavar: str = "", compare: bool = True) -> Any:
    """A field of a solver's settings that the command line offers as option ``name`` with the help ``text``.

    ``compare`` False is for what changes no number (how many processes, which folder).
    """
    metadata = {"option": name, "help": text, "metavar": metavar}
    return field(default=default, metadata=metadata, compare=compare)


def checked_design(design: Any) -> Design:
    """A design, or an InputError."""
    if not isinstance(design, Design):
        raise InputError("must be a design; load_design reads one", key="design", value=design)
    return design


def checked_window(window_nm: Window) -> Window:
    """A wavelength window as (shortest, longest) in nm, or an InputError."""
    form = "[shorter, longer] wavelength in nm, both > 0"
    low, high = _finite(window_nm, 2, "window_nm", form)
    if not 0.0 < low < high:
        raise InputError(f"must be {form}", key="window_nm", value=[low, high])
    if high > 2.5 * low:
        raise InputError(
            "spans more than a factor 2.5 in wavelength; search in parts", key="window_nm", value=[low, high]
        )
    return low, high


def solve(
    subject: Design | Stack,
    settings: Solver | None = None,
    *,
    window_nm: Window | None = None,
    device: Any = OWN,
    bloch: tuple[float, float] = (0.0, 0.0),
    angle_deg: float = 0.0,
    progress: Progress | None = None,
) -> Solution:
    """Find the resonances of a design or a stack.

    Args:
        subject: a design, which brings its window and its device, or a stack.
        settings: the solver, by the type of its settings; None is ``Poles()``.
        window_nm: (shortest, longest) wavelength in vacuum.
        device: another device than the design's own; None for the infinite array.
        bloch: in-plane wavevector (kx, ky) in 1/nm.
        angle_deg: angle of incidence from the superstrate instead, for uniform stacks.
        progress: told how far the work is.

    Raises:
        InputError: what was asked breaks a rule.
        SolverError: no trustworthy answer can be given.
        Unavailable: the solver needs a component that is not installed.
    """
    if settings is None:
        from cavitydesign.solvers.poles import Poles

        settings = Poles()
    if not isinstance(settings, Solver):
        raise InputError(
            "is no solver's settings; use a value such as Poles()", key="settings", value=settings
        )
    ask = Ask.of(
        subject, window_nm=window_nm, device=device, bloch=bloch, angle_deg=angle_deg, progress=progress
    )
    for part, given in (("bloch", ask.bloch != (0.0, 0.0)), ("angle_deg", ask.angle_deg != 0.0)):
        if given and part not in settings.asks:
            rule = f"is nothing that the solver {settings.name!r} looks at; leave it at 0"
            raise InputError(rule, key=part, value=getattr(ask, part))
    start = time.perf_counter()
    try:
        found = settings.run(ask)
    except InputError as error:
        raise _with_key(error, subject, ask) from None
    if not isinstance(found, Solution):
        kind = type(found).__name__
        raise TypeError(f"the solver {settings.name!r} must answer with a Solution, not with {kind}")
    from cavitydesign import __version__

    about = {"cavitydesign": __version__, "solver_version": settings.version}
    return replace(
        found,
        provenance={**about, "elapsed_s": time.perf_counter() - start, **found.provenance},
        solver=settings.name,
        window_nm=ask.window_nm,
        design_id=subject.id,
        warnings=(*found.warnings, *_overlooked(ask, settings), *_at_the_edge(ask, settings, found)),
    )


def _overlooked(ask: Ask, settings: Solver) -> tuple[str, ...]:
    """What the design has and the solver does not look at, and what is not known of its materials, in words."""
    from cavitydesign.optics.media.index import resolve
    from cavitydesign.optics.media.numeric import wants_analytic

    analytic = wants_analytic(ask.stack)
    found = (resolve(material, ask.window_nm, analytic=analytic) for material in ask.stack.materials)
    notes = dict.fromkeys(item.note for item in found)
    told = tuple(note for note in notes if note)
    if ask.device is None or "device" in settings.asks:
        return told
    size = " x ".join(map(str, ask.device.periods)) + " periods"
    if shift := ask.device.shift_periods:
        size += f", nor at the shift of {shift:g} periods in their middle, which no solver computes yet"
    return (*told, f"the infinite array: {settings.name} does not look at [device], {size}")


def _at_the_edge(ask: Ask, settings: Solver, found: Solution) -> list[str]:
    """Where nothing was found at Γ: the odd Bragg orders of the window, and the wavevector at which they are."""
    if found.status is not Status.NO_MODES or "bloch" not in settings.asks or ask.bloch != (0.0, 0.0):
        return []
    from cavitydesign.solvers.bragg import edge_notes

    try:
        return edge_notes(ask)
    except CavityError:  # advice only: what the averaged stack cannot answer is left unsaid
        return []


def _finite(value: Any, count: int, key: str, form: str) -> list[float]:
    """So many finite numbers, or an InputError that says the form wanted."""
    try:
        found = np.atleast_1d(np.asarray(value))
    except ValueError:  # lists within lists
        found = np.empty(0)
    if found.shape != (count,) or found.dtype.kind not in "iuf" or not np.isfinite(found).all():
        raise InputError(f"must be {form}", key=key, value=value)
    return [float(item) for item in found]


def _check_device(device: Any, stack: Stack) -> None:
    if not isinstance(device, Device):
        rule = "must be a Device, such as Device(periods=(17, 17)), or None for the infinite array"
        raise InputError(rule, key="device", value=device)
    try:
        device.check_on(stack.lattice)
    except RuleBroken as broken:
        raise broken.told() from None


def _with_key(error: InputError, subject: Design | Stack, ask: Ask) -> InputError:
    """A complaint about a material's range knows the material only; here it learns where in the design that stands."""
    from cavitydesign.optics.media.index import resolve

    if error.key != "material" or not isinstance(subject, Design):
        return error
    for material in ask.stack.materials:
        try:
            resolve(material, ask.window_nm)
        except InputError as found:
            if found.message == error.message and found.value == error.value:
                return InputError(error.message, key=subject.key_of(material) or error.key, value=error.value)
    return error
