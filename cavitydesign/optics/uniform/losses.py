"""Where a uniform stack's resonance loses its energy: up, down, and into the layers."""

from __future__ import annotations

import math

import numpy as np

from cavitydesign.kinds import Array
from cavitydesign.optics.media.numeric import NumericStack
from cavitydesign.optics.uniform.multilayer import (
    Polarization,
    Sheet,
    Sheets,
    half_space_q,
    media,
    mode_field,
)


def split_losses(
    numeric: NumericStack,
    k0: complex,
    u: complex,
    *,
    polarization: Polarization,
    sheets: Sheets,
    k0_err: float,
) -> tuple[tuple[float, float, float], float]:
    """Q of what goes up, down, and into the layers; and the outward share of the power at the two faces.

    At complex k0 ``d/dz Re(F h*) = -k0'' (ε'|E|² + |H|²) - k0' ε'' |E|²`` holds exactly (real kx, no dispersion): the
    powers out through both ends and the absorbed one, ``k0' ∫ε''|E|²``, share 1/Q in proportion. Into a closed
    half-space goes what its material absorbs of the evanescent tail. With dispersion ε'' is taken at Re k0, where it
    is absorption alone.
    """
    stack = media(numeric, k0)
    loss = np.imag(numeric.eps(np.array(k0.real + 0j)))
    edges = np.concatenate([[0.0], np.cumsum([d for d, _ in stack.layers])])
    nodes, weights = np.polynomial.legendre.leggauss(16)
    z, w = [], []
    for (d, row), bottom in zip(stack.layers, edges, strict=False):
        pieces = 1 + int(abs(np.sqrt(stack.eps[row] - u * u) * k0) * d / 4.0)
        starts = bottom + d / pieces * np.arange(pieces)
        z.append((starts[:, None] + 0.5 * d / pieces * (1.0 + nodes)).ravel())
        w.append(np.tile(0.5 * d / pieces * weights, pieces))
    at = np.concatenate([*z, [np.nextafter(0.0, -1.0), edges[-1]]])
    weight = np.concatenate([*w, [0.0, 0.0]])
    f, h, row = mode_field(stack, k0, u, polarization, sheets, at)
    faces: list[tuple[int, Sheet, int, float]] = [
        (stack.superstrate, sheets[0], -1, 1.0),
        (stack.substrate, sheets[1], -2, -1.0),
    ]
    ends = [
        _power_into(stack.eps[end], float(loss[end]), k0, u, f[i], sign * h[i], polarization, sheet)
        for end, sheet, i, sign in faces
    ]
    ez = u * h / stack.eps[row] if polarization == "TM" else 0.0 * h
    hz = u * f if polarization == "TE" else 0.0 * h
    e2, h2 = np.abs(f) ** 2 + np.abs(ez) ** 2, np.abs(h) ** 2 + np.abs(hz) ** 2
    absorbed = k0.real * float(np.sum(weight * loss[row] * e2))
    stored = float(np.sum(weight * (stack.eps[row].real * e2 + h2)))
    powers = np.array([*ends, absorbed])
    if abs(k0.imag) > 10.0 * k0_err and powers.sum() > 0.1 * np.abs(powers).sum():
        rates = powers / powers.sum() * (-2.0 * k0.imag / k0.real)
    else:
        rates = 2.0 * powers / (k0.real * stored) if stored > 0.0 else np.full(3, math.nan)
    tiny = 1e-15
    q_up, q_down, q_absorbed = (1.0 / rate if abs(rate) > tiny else math.inf for rate in rates.tolist())
    return (q_up, q_down, q_absorbed), _outward_share(f, h, sheets)


def _outward_share(f: Array, h: Array, sheets: Sheets) -> float:
    """``Σ_open Re(F h*) / Σ |F h*|`` over the two outer faces: 0 for a bound mode, 1 for one that only radiates."""
    power: Array = np.array([f[-1] * np.conj(h[-1]), -f[-2] * np.conj(h[-2])])
    open_ = np.array([sheet == "open" for sheet in sheets])
    total = float(np.abs(power).sum())
    return max(float(np.where(open_, power.real, 0.0).sum()), 0.0) / total if total > 0.0 else math.nan


def _power_into(
    eps: complex,
    loss: float,
    k0: complex,
    u: complex,
    f: complex,
    h: complex,
    polarization: Polarization,
    sheet: Sheet,
) -> float:
    """Power into a half-space with tangential fields F, h (h counted outwards) at its face."""
    if sheet == "open":
        return float((f * np.conj(h)).real)
    decay = 2.0 * float((half_space_q(np.array(eps), k0, u * u, sheet) * k0).imag)
    ez = u * h / eps if polarization == "TM" else 0.0
    return k0.real * loss * (abs(f) ** 2 + abs(ez) ** 2) / decay if decay > 0.0 else 0.0
