"""What coupled waves come to in closed form: the DFB laser of one dimension, the bands of the infinite array."""

from __future__ import annotations

import cmath

import numpy as np

from cavitydesign.optics.arrays.coupled_waves import chebyshev


def bands(waves, kx, ky):
    """The four complex k0 of the infinite array at a small Bloch wavevector (1/nm), by increasing real part."""
    v, bend = waves.velocity, 0.5 * waves.velocity / waves.wavenumber
    matrix = np.full((4, 4), waves.cross, dtype=complex)
    matrix[0, 1] = matrix[1, 0] = matrix[2, 3] = matrix[3, 2] = waves.back
    diagonal = [
        v * kx + bend * ky**2,
        -v * kx + bend * ky**2,
        v * ky + bend * kx**2,
        -v * ky + bend * kx**2,
    ]
    np.fill_diagonal(matrix, waves.centre + np.array(diagonal))
    values = np.linalg.eigvals(matrix)
    return values[np.argsort(values.real)]


def dfb_modes(coupling_length: complex, *, count: int = 1):
    """Modes of a uniform one-dimensional DFB laser without facet reflections, lowest threshold first.

    ``-R' + (α - iδ) R = iκ S``, ``S' + (α - iδ) S = iκ R``, R = 0 at the left end and S = 0 at the right one, so
    ``γ² = κ² + (α - iδ)²``, ``(α - iδ) L = γL coth γL``, ``κL = ± iγL / sinh γL``:
    H. Kogelnik and C. V. Shank, J. Appl. Phys. 43, 2327 (1972), eqs. 11-16. Exact to rounding.

    Args:
        coupling_length: κL; real for index coupling, imaginary for gain coupling.
        count: number of modes. Those at ±δ of an index grating have equal thresholds; -δ comes first.

    Returns:
        ``(α + iδ) L``, complex, shape (count,): amplitude gain and detuning. Power gain is 2α.
    """
    order = 40 + 2 * count + 2 * int(abs(coupling_length))
    d = 2.0 * chebyshev(order)[1]  # on an interval of length 1
    zero = np.zeros((order, order))
    couple = 1j * coupling_length * np.eye(order + 1)
    # (α - iδ) R = R' + iκ S on all nodes but the first; (α - iδ) S = -S' + iκ R on all nodes but the last
    operator = np.block([[d[1:, 1:] + zero, couple[1:, :-1]], [couple[:-1, 1:], -d[:-1, :-1] + zero]])
    values = np.linalg.eigvals(operator)
    values = values[np.abs(values) < order]  # the others are of the grid
    values = values[np.lexsort((np.round(-values.imag, 6), np.round(values.real, 6)))][:count]
    return np.array([_exact(complex(value), complex(coupling_length)).conjugate() for value in values])


def _exact(value: complex, kappa: complex) -> complex:
    """Newton on ``cosh γ - (α - iδ) sinh γ / γ``, which is even in γ, hence analytic in α - iδ."""
    for _ in range(20):
        gamma = cmath.sqrt(kappa * kappa + value * value)
        sinc = cmath.sinh(gamma) / gamma
        f = cmath.cosh(gamma) - value * sinc
        slope = value * sinc - sinc - value * value * (cmath.cosh(gamma) - sinc) / gamma**2
        step = f / slope
        value -= step
        if abs(step) < 1e-14 * abs(value):
            break
    return value
