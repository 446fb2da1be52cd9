"""How every mode moves with every number of the design, from one solution: first-order derivatives of the poles."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cavitydesign import units
from cavitydesign.errors import InputError
from cavitydesign.geometry.design import Design
from cavitydesign.kinds import Array, Window
from cavitydesign.optics.media.numeric import NumericStack, resolve_stack
from cavitydesign.optics.patterned.derivative import pole_derivative
from cavitydesign.optics.patterned.fourier import centred
from cavitydesign.optics.patterned.resonance import polish
from cavitydesign.solvers.ask import checked_window
from cavitydesign.solvers.poles import Poles, resonances

_NOT_OPTICAL = ("emitter", "pump", "window_nm", "device", "sources", "name", "family")
_STEP = 1e-4  # of the number itself: the subtraction keeps eight digits, the curvature costs as many


@dataclass(frozen=True)
class Sensitivities:
    """Derivatives of modes by numbers of the design.

    Attributes:
        wavelength_nm, q, symmetry: of the modes, shape (M,), longest wavelength first.
        paths: the numbers, as dotted paths, shape (P,).
        wavelength_slope: dλ/dp, nm per unit of p, shape (M, P); NaN where p has no derivative (the stack
            changes its form).
        loss_slope: d(1/Q)/dp per unit of p, shape (M, P).
    """

    wavelength_nm: Array
    q: Array
    symmetry: tuple[str, ...]
    paths: tuple[str, ...]
    wavelength_slope: Array
    loss_slope: Array

    @property
    def log_q_slope(self) -> Array:
        """d ln Q/dp = - Q d(1/Q)/dp; NaN for modes without loss."""
        q = np.where(np.isfinite(self.q), self.q, np.nan)
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
        elif isinstance(place, float) and not path.rsplit(".", maxsplit=1)[-1].startswith("wavelengths"):
            found[path] = place

    walk(design.model_dump(), "")
    return {path: value for path, value in found.items() if not _is_table(path)}


def _is_table(path: str) -> bool:
    """Rows of a tabulated index are data, not parameters of the design."""
    steps = path.split(".")
    return len(steps) > 1 and steps[-1].isdigit() and steps[-2] in ("wavelengths_nm", "n", "k", "range_nm")


def sensitivities(
    design: Design,
    *,
    paths: Sequence[str] | None = None,
    window_nm: Window | None = None,
    settings: Poles | None = None,
) -> Sensitivities:
    """dλ/dp and d(1/Q)/dp of every mode of a patterned design by the numbers at ``paths`` (default: all optical ones).

    ``dλ = -(2π / Re(k0)²) Re dk0`` and ``d(1/Q) = -2 d(Im k0 / Re k0)``, with dk0 from
    :func:`cavitydesign.optics.patterned.derivative.pole_derivative`: one polish per mode, then less than one evaluation
    per number.
    """
    window = checked_window(window_nm or design.window_nm)
    chosen = tuple(paths) if paths is not None else tuple(optical_numbers(design))
    numeric = resolve_stack(design.to_stack(), window_nm=window)
    if numeric.is_uniform:
        raise InputError(
            "derivatives of poles are for patterned stacks; sweep a uniform one instead", key="design"
        )
    found = resonances(numeric, settings or Poles(), window_nm=window)
    modes = sorted(found.modes, key=lambda mode: -mode.wavelength_nm)
    modes = [mode for mode in modes if window[0] <= mode.wavelength_nm <= window[1]]
    tight = [
        polish(mode.resonance.problem, mode.resonance.k0, accept=1e-10) or mode.resonance for mode in modes
    ]
    slopes: Any = np.full((len(modes), len(chosen)), np.nan, dtype=complex)
    for column, path in enumerate(chosen):
        pair = _stacks_beside(design, path, window)
        if pair is None:
            continue
        below, above, step = pair
        for row, resonance in enumerate(tight):
            slopes[row, column] = pole_derivative(resonance, below, above, step=step)
    k0: Any = np.array([resonance.k0 for resonance in tight], dtype=complex)[:, None]
    loss = -2.0 * (slopes.imag / k0.real - k0.imag * slopes.real / k0.real**2)
    return Sensitivities(
        wavelength_nm=np.array([mode.wavelength_nm for mode in modes]),
        q=np.array([mode.q for mode in modes]),
        symmetry=tuple(mode.symmetry for mode in modes),
        paths=chosen,
        wavelength_slope=-units.wavelength_nm_of(k0) * slopes.real / k0.real,
        loss_slope=np.where([[resonance.is_lossless] for resonance in tight], 0.0, loss)
        if modes
        else loss.real,
    )


def _stacks_beside(
    design: Design, path: str, window: Window
) -> tuple[NumericStack, NumericStack, float] | None:
    """The stacks just below and above the number's value; None where one of them is not allowed or has another
    form."""
    value = design.value_at(path)
    step = _STEP * abs(value) if value else 1e-6
    try:
        pair = [
            centred(resolve_stack(design.with_value(path, v).to_stack(), window_nm=window))
            for v in (value - step, value + step)
        ]
    except InputError:
        return None
    if len(pair[0].layers) != len(pair[1].layers) or not math.isfinite(step):
        return None
    return pair[0], pair[1], step
