"""How a uniform stack's pole moves: its exact threshold, and its derivative by any parameter."""

from __future__ import annotations

import math

import numpy as np

from cavitydesign import units
from cavitydesign.errors import InputError, SolverError
from cavitydesign.optics.media.numeric import NumericStack
from cavitydesign.optics.uniform.multilayer import Polarization, Sheets
from cavitydesign.optics.uniform.resonator import CharacteristicAtK0, UniformResonance
from cavitydesign.optics.uniform.zeros import value_and_derivative


def exact_threshold(
    numeric: NumericStack,
    mode: UniformResonance,
    *,
    angle_deg: float = 0.0,
    bloch: tuple[float, float] = (0.0, 0.0),
) -> tuple[float, float]:
    """The linear threshold without perturbation theory: (wavelength in nm, material power gain in cm⁻¹).

    Newton's iteration on real k0 and κ of ``D(k0, n - iκ) = 0``, n the film's index. Raises
    :class:`~cavitydesign.errors.SolverError` when it does not converge, InputError when there is no film.
    """
    film = [number for number, is_gain in enumerate(numeric.gain) if is_gain]
    if not film or mode.dk0_dn == 0.0:
        raise InputError("no layer is marked `gain = true`, so there is no threshold", key="layers")
    fixed = _fixed(mode, angle_deg, bloch)
    problem = CharacteristicAtK0(numeric, *fixed)
    k, kappa, d_k = mode.k0.real, mode.k0.imag / mode.dk0_dn.real, math.inf
    h = 1e-3 * float(problem.local_scale(np.array(mode.k0)))
    for _ in range(50):
        at = CharacteristicAtK0(numeric.with_gain_kappa(kappa), *fixed)
        value, slope = value_and_derivative(at.scaled, np.array(k, dtype=complex), h)
        value_n, slope_n = value_and_derivative(at.by_index(k, film), np.array(0.0j), h / k)
        # D + D_k dk - i D_n dκ = 0, both unknowns real; value_n is D in the other evaluation's scale
        complex_step = -value / slope
        direction = -1j * (slope_n * value / value_n if value_n != 0.0 else slope_n) / slope
        d_kappa = complex_step.imag / direction.imag
        d_k = float(complex_step.real - direction.real * d_kappa)
        k, kappa = k + d_k, kappa + float(d_kappa)
        if abs(d_k) < 1e-14 * k and abs(d_kappa) < 1e-13 * max(abs(kappa), 1e-6):
            break
    else:
        if abs(d_k) > 1e-9 * k:
            raise SolverError(
                "the exact threshold did not converge; the first-order value stands in the table"
            )
    wavelength = 2.0 * math.pi / k
    return wavelength, units.gain_per_cm_from_kappa(kappa, wavelength)


def stack_derivative(
    mode: UniformResonance,
    numeric: NumericStack,
    below: NumericStack,
    above: NumericStack,
    *,
    step: float,
    angle_deg: float = 0.0,
    bloch: tuple[float, float] = (0.0, 0.0),
) -> complex:
    """dk0/dp of a pole by any parameter p, ``-(∂D/∂p)/(∂D/∂k0)``, 1/nm per unit of p.

    ``below`` and ``above`` are the stacks at p - step and p + step. The in-plane wavevector, or the angle, stays.
    """
    fixed = _fixed(mode, angle_deg, bloch)
    at = np.array(mode.k0)
    here = CharacteristicAtK0(numeric, *fixed)
    _, slope = value_and_derivative(here.scaled, at, 1e-3 * float(here.local_scale(at)))
    _, scale = here.scaled(at)
    ends = []
    for stack in (above, below):
        value, log_scale = CharacteristicAtK0(stack, *fixed).scaled(at)
        ends.append(complex(value) * math.exp(float(log_scale - scale)))
    return -(ends[0] - ends[1]) / (2.0 * step) / complex(slope)


def _fixed(
    mode: UniformResonance, angle_deg: float, bloch: tuple[float, float]
) -> tuple[Polarization, Sheets, float, float]:
    """What stays of a mode's characteristic function while its stack changes."""
    return mode.algebra, mode.sheets, math.hypot(*bloch), math.sin(math.radians(angle_deg)) ** 2
