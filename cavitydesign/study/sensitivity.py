"""How every mode moves with every number of the design, from one solution: first-order derivatives of the poles."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cavitydesign import units
from cavitydesign.errors import InputError
from cavitydesign.geometry.design import Design
from cavitydesign.kinds import Array, Window
from cavitydesign.optics.media.numeric import NumericStack, resolve_stack
from cavitydesign.solvers.ask import Solver, checked_design, solve
from cavitydesign.solvers.poles import Poles
from cavitydesign.solvers.solution import Modes, Solution
from cavitydesign.study.tolerance import checked_paths

_NOT_OPTICAL = ("emitter", "pump", "window_nm", "device", "sources", "name", "family")
_ROW = re.compile(
    r"\.(wavelengths_nm|n|k|range_nm)\.\d+$"
)  # rows of a tabulated index are data, not parameters
_STEP = 1e-4  # of the number itself: the subtraction keeps eight digits, the curvature costs as many


@dataclass(frozen=True)
class Sensitivities:
    """Derivatives of modes by numbers of the design.

    Attributes:
        solution: whose modes they are, longest wavelength first, shape (M,).
        paths: the numbers, as dotted paths, shape (P,).
        wavelength_slope: dλ/dp, nm per unit of p, shape (M, P); NaN where p has no derivative (the stack
            changes its form).
        loss_slope: d(1/Q)/dp per unit of p, shape (M, P).
    """

    solution: Solution
    paths: tuple[str, ...]
    wavelength_slope: Array
    loss_slope: Array

    @property
    def modes(self) -> Modes:
        """The modes that are differentiated."""
        return self.solution.modes

    @property
    def log_q_slope(self) -> Array:
        """d ln Q/dp = - Q d(1/Q)/dp; NaN for modes without loss."""
        q = np.where(np.isfinite(self.modes["q"]), self.modes["q"], np.nan)
        return -q[:, None] * self.loss_slope


def optical_numbers(design: Design) -> dict[str, float]:
    """Every number of a design that its resonances may depend on, by dotted path."""
    found: dict[str, float] = {}

    def walk(place: Any, path: str) -> None:
        if isinstance(place, Mapping):
            for name, item in place.items():
                if path or name not in _NOT_OPTICAL:
                    walk(item, f"{path}.{name}" if path else str(name))
        elif isinstance(place, list | tuple):
            for index, item in enumerate(place):
                walk(item, f"{path}.{index}")
        elif isinstance(place, float) and not _ROW.search(path):
            found[path] = place

    walk(design.model_dump(), "")
    return found


def sensitivities(
    design: Design, settings: Solver | None = None, *, paths: Sequence[str] | None = None, **asked: Any
) -> Sensitivities:
    """dλ/dp and d(1/Q)/dp of every mode of a design by the numbers at ``paths`` (default: all optical ones).

    ``dλ = -(2π / Re(k0)²) Re dk0`` and ``d(1/Q) = -2 d(Im k0 / Re k0)``, with dk0 from the live resonances
    (:meth:`cavitydesign.solvers.solution.Mode.derivative`): less than one evaluation per mode and number.

    Args:
        design: whose modes are differentiated.
        settings: of a solver whose modes have derivatives; None is ``Poles()``.
        paths: the numbers, as dotted paths; None leaves out what is 0 and has no derivative there, as walls that stand
            upright.
        asked: window, wavevector, angle, as :func:`cavitydesign.solvers.ask.solve` takes them.
    """
    checked_design(design)
    asked_of = checked_paths(paths) if paths is not None else tuple(optical_numbers(design))
    found = solve(design, settings or Poles(), **asked)
    modes, window = found.modes, found.window_nm
    beside = {path: _stacks_beside(design, path, window) for path in asked_of}
    chosen = tuple(path for path in beside if paths is not None or beside[path] or design.value_at(path))
    slopes: Any = np.full((len(modes), len(chosen)), np.nan, dtype=complex)
    for column, path in enumerate(chosen):
        if pair := beside[path]:
            below, above, step = pair
            slopes[:, column] = [mode.derivative(below, above, step=step) for mode in modes]
    k0: Any = modes["k0_per_nm"][:, None]
    loss = -2.0 * (slopes.imag / k0.real - k0.imag * slopes.real / k0.real**2)
    return Sensitivities(
        solution=found,
        paths=chosen,
        wavelength_slope=-units.wavelength_nm_of(k0) * slopes.real / k0.real,
        loss_slope=np.where(np.isinf(modes["q"])[:, None], 0.0, loss),
    )


def _stacks_beside(
    design: Design, path: str, window: Window
) -> tuple[NumericStack, NumericStack, float] | None:
    """The stacks just below and above the number's value; None where one is not allowed or has other layers."""
    value = design.value_at(path)
    step = _STEP * abs(value) if value else 1e-6
    try:
        pair = [
            resolve_stack(design.with_value(path, v).to_stack(), window_nm=window)
            for v in (value - step, value + step)
        ]
    except InputError:
        return None
    below, above = pair
    layers = len(design.to_stack().layers) - 2
    return (below, above, step) if len(below.layers) == len(above.layers) == layers else None
