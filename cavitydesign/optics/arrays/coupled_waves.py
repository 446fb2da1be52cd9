"""Coupled waves: the four waves of a square lattice on a finite array.

A second-order square lattice couples the guided waves that run along +x, -x, +y and -y with the wavenumber K = 2π/Λ.
With their slowly varying amplitudes R_x, S_x, R_y, S_y (parts of H_z for TE, of E_z for TM),

    k0 R_x = (c - i v ∂_x - (v/2K) ∂_y²) R_x + b S_x + d (R_y + S_y)          and the same for the other three,

c the frequency of the uncoupled wave, v = dk0/dK its group velocity over c, b the coupling back, d the coupling across:
Liang et al., Opt. Express 20, 15945 (2012), with coefficients from rigorous poles at Γ instead of perturbation theory,
and with diffraction across the wave. The latter is no refinement: without it every transverse profile that is
orthogonal to the crossing waves makes a mode of its own, a continuum that no array has.

::

              nothing enters
              │ R_y ↓        R_x starts from 0 at the left edge and leaves at the right one; through the upper and
          ┌───┴───┐          lower ones it diffracts into the unpatterned slab (the equation goes on there without
    R_x → │ array │ → out    holes, on a y axis turned into the complex plane, where outgoing waves decay)
          └───────┘
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from cavitydesign.kinds import Array

Parity = Literal[-1, 1]

_OUTER = 8  # intervals beyond the side edges; the outgoing wave decays there, so few suffice
_REACH = 5.0  # length of that strip in units of the diffraction length sqrt(L/K)


# -- two dimensions ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FourWaves:
    """The coefficients of the four-wave problem, all but ``wavenumber`` as vacuum wavenumbers.

    Attributes:
        centre, back, cross: c, b, d in 1/nm, complex where light is radiated or absorbed.
        velocity: v = dk0/dK, group velocity over that of light, 1/n_g.
        wavenumber: K of the guided waves, 1/nm.
    """

    centre: complex
    back: complex
    cross: complex
    velocity: float
    wavenumber: float

    @classmethod
    def from_poles(
        cls, *, bright: complex, dark_even: complex, dark_odd: complex, velocity: float, wavenumber: float
    ) -> FourWaves:
        """From the four poles of one family at Γ, complex k0 in 1/nm.

        ``bright`` is the pair (R_x - S_x, R_y - S_y), ``dark_even`` R_x + S_x + (R_y + S_y), ``dark_odd`` the same with
        the minus sign: A2 and B2 of a TE-like family, A1 and B1 of a TM-like one.
        """
        dark = 0.5 * (dark_even + dark_odd)
        return cls(
            0.5 * (bright + dark), 0.5 * (dark - bright), 0.25 * (dark_even - dark_odd), velocity, wavenumber
        )

    @property
    def bright(self) -> complex:
        """Pole of the pair that radiates, 1/nm."""
        return self.centre - self.back

    @property
    def dark(self) -> tuple[complex, complex]:
        """Poles of the two dark modes, even and odd under exchange of x and y, 1/nm."""
        return self.centre + self.back + 2.0 * self.cross, self.centre + self.back - 2.0 * self.cross


@dataclass(frozen=True, slots=True)
class ArrayMode:
    """A mode of a finite array.

    Attributes:
        k0: complex vacuum wavenumber, 1/nm.
        shares: of its energy in the array in the dark even, the dark odd and the bright combination; they add
            up to 1.
        uniform: the parts of these shares whose amplitude is uniform over the array; they tell the fundamental
            modes.
    """

    k0: complex
    shares: tuple[float, float, float]
    uniform: tuple[float, float, float]


def array_modes(
    waves: FourWaves,
    *,
    lengths_nm: tuple[float, float],
    parity: tuple[Parity, Parity],
    near: complex,
    exchange: Literal[-1, 0, 1] = 0,
    count: int = 8,
    points: int = 16,
) -> list[ArrayMode]:
    """The ``count`` modes of one symmetry of an Lx × Ly array whose k0 lies nearest to ``near`` (1/nm).

    Args:
        waves: the coefficients.
        lengths_nm: (Lx, Ly).
        parity: of H_z (E_z for TM) under x → -x and y → -y: (1, 1) for the dark modes, (-1, 1) and (1, -1) for
            the bright pair.
        near: where to look, complex k0.
        exchange: ±1 keeps modes of that parity under x ↔ y only; square arrays and equal parities.
        points: Chebyshev points along each side, even; the error falls geometrically until the edges'
            diffraction layers are resolved.
    """
    lx, ly = lengths_nm
    own_x, to_x = _blocks(waves, lx, ly, parity, points)
    if exchange:
        operator = own_x + exchange * to_x
    else:
        own_y, to_y = _blocks(waves, ly, lx, (parity[1], parity[0]), points)
        operator = np.block([[own_x, to_x], [to_y, own_y]])
    return [
        _array_mode(value, vector, waves, lengths_nm, parity, exchange, points)
        for value, vector in _nearest(operator, near, count)
    ]


def _nearest(operator: Array, near: complex, count: int) -> list[tuple[complex, Array]]:
    """Eigenpairs nearest to a point: ARPACK with the shifted inverse, from a fixed start."""
    from scipy.sparse.linalg import ArpackNoConvergence, eigs

    start = np.cos(1.0 + 2.3 * np.arange(len(operator))) + 0.3
    try:
        pairs: Any = eigs(operator, k=count, sigma=near, v0=start)
    except ArpackNoConvergence as found:  # what has converged
        pairs = found.eigenvalues, found.eigenvectors
    values, vectors = pairs
    return [(complex(values[i]), vectors[:, i]) for i in np.argsort(np.abs(values - near))]


def _blocks(
    waves: FourWaves, along: float, across: float, parity: tuple[Parity, Parity], points: int
) -> tuple[Array, Array]:
    """The operator on R of a pair of waves, and that from the crossing pair's R to it; R is flattened (along, across).

    ``parity`` under reversal of the axis along, and of that across. With them S(u, w) = parity₀ R(-u, w).
    """
    half = points // 2
    side = _side(points, across, math.sqrt(along / waves.wavenumber), parity[1])
    crossing = _side(points, along, math.sqrt(across / waves.wavenumber), parity[0])
    _, d = chebyshev(points - 1)
    forward = d[1:, 1:] * (2.0 / along)  # R = 0 at the first node
    n_u, n_w = points - 1, len(side.curvature)
    inside = np.zeros(n_w)
    inside[: half - 1] = 1.0
    # S at node i is R at node points-1-i; R at the first node is 0
    mirrored = np.zeros((n_u, n_u))
    mirrored[: n_u - 1, : n_u - 1] = parity[0] * np.eye(n_u - 1)[::-1]
    # no holes outside: nothing radiates there
    centre = np.where(inside > 0.0, waves.centre, waves.centre.real)
    v = waves.velocity
    own = np.kron(-1j * v * forward, np.eye(n_w))
    own += np.kron(np.eye(n_u), np.diag(centre) - 0.5 * v / waves.wavenumber * side.curvature)
    own += np.kron(mirrored, np.diag(waves.back * inside))
    # the crossing pair at (u_i, w_j): its own axis is w, so it is flattened (w nodes without the first, u unknowns)
    # R + S there; values at w_j > 0 from R(w_j) + parity₁ R(-w_j), at |u_i| by the parity₀ of the half-grid
    at_w = np.zeros((n_w, points - 1))
    for j in range(half - 1):
        at_w[j, half + j - 1] += 1.0
        at_w[j, half - 1 - j - 1] += parity[1]
    at_u = np.zeros((n_u, half))
    for i in range(1, points):
        at_u[i - 1, i - half if i >= half else half - 1 - i] = 1.0 if i >= half else parity[0]
    at_u = at_u @ crossing.to_nodes
    other = waves.cross * np.einsum("jm,iq->ijmq", at_w, at_u).reshape(n_u * n_w, -1)
    return own, other


@dataclass(frozen=True, slots=True)
class _Side:
    """The axis across a wave: ∂² on the unknowns, and the map from these to the half-grid's nodes (edge included)."""

    curvature: Array
    to_nodes: Array


@lru_cache(maxsize=16)
def _side(points: int, length: float, diffraction: float, parity: int) -> _Side:
    """Half of the array across the wave (the other half by parity), and the turned strip beyond its edge.

    Unknowns: the half-grid's nodes but the edge, then the strip's nodes but its two ends. The edge value follows
    from a continuous slope, the far end is 0.
    """
    half = points // 2
    _, d = chebyshev(points - 1)
    d = d * (2.0 / length)
    d2 = d @ d

    def folded(matrix: Array) -> Array:
        return matrix[half:, half:] + parity * matrix[half:, :half][:, ::-1]

    first, second = folded(d), folded(d2)
    _, e = chebyshev(_OUTER)
    e = e * (2.0 / (_REACH * diffraction)) * cmath.exp(-0.25j * math.pi)
    e2 = e @ e
    inner, outer = half - 1, _OUTER - 1
    # first[edge] · R = e[0] · R_out fixes the edge value
    weight = first[-1, -1] - e[0, 0]
    edge = np.concatenate([-first[-1, :-1], e[0, 1:-1]]) / weight
    curvature = np.zeros((inner + outer, inner + outer), dtype=complex)
    curvature[:inner, :inner] = second[:-1, :-1]
    curvature[:inner] += np.outer(second[:-1, -1], edge)
    curvature[inner:, inner:] = e2[1:-1, 1:-1]
    curvature[inner:] += np.outer(e2[1:-1, 0], edge)
    to_nodes = np.zeros((half, inner + outer), dtype=complex)
    to_nodes[:inner, :inner] = np.eye(inner)
    to_nodes[inner] = edge
    return _Side(curvature, to_nodes)


def _array_mode(
    k0: complex,
    vector: Array,
    waves: FourWaves,
    lengths: tuple[float, float],
    parity: tuple[Parity, Parity],
    exchange: int,
    points: int,
) -> ArrayMode:
    """Energies of the three combinations, by quadrature over the array."""
    x_part, y_part = (vector, exchange * vector) if exchange else np.split(vector, [len(vector) // 2])
    r_x = _on_grid(x_part, waves, lengths, parity[1], points)
    r_y = _on_grid(y_part, waves, (lengths[1], lengths[0]), parity[0], points).T
    s_x, s_y = parity[0] * r_x[::-1], parity[1] * r_y[:, ::-1]
    parts = [
        0.5 * (r_x + s_x + r_y + s_y),
        0.5 * (r_x + s_x - r_y - s_y),
        (r_x - s_x) / math.sqrt(2.0),
        (r_y - s_y) / math.sqrt(2.0),
    ]
    w = quadrature(points - 1)
    energy = np.array([w @ np.abs(part) ** 2 @ w for part in parts])
    uniform = np.array([abs(w @ part @ w) ** 2 for part in parts]) / 4.0
    shares, even = (np.array([e[0], e[1], e[2] + e[3]]) / energy.sum() for e in (energy, uniform))
    return ArrayMode(k0, tuple(map(float, shares)), tuple(map(float, even)))  # type: ignore[arg-type]


def _on_grid(
    vector: Array, waves: FourWaves, lengths: tuple[float, float], parity: Parity, points: int
) -> Array:
    """R on all nodes of the array, shape (points, points): first axis along the wave."""
    side = _side(points, lengths[1], math.sqrt(lengths[0] / waves.wavenumber), parity)
    upper = vector.reshape(points - 1, -1) @ side.to_nodes.T
    full = np.concatenate([parity * upper[:, ::-1], upper], axis=1)
    return np.concatenate([np.zeros((1, points)), full])


# -- the grid ------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=16)
def chebyshev(order: int) -> tuple[Array, Array]:
    """Nodes ``-cos(πj/order)`` on [-1, 1] and the matrix of d/dx on them, both of size order + 1.

    L. N. Trefethen, Spectral Methods in MATLAB (SIAM 2000), chapter 6.
    """
    j = np.arange(order + 1)
    x = -np.cos(math.pi * j / order)
    c = np.where((j == 0) | (j == order), 2.0, 1.0) * (-1.0) ** j
    gap = x[:, None] - x[None, :] + np.eye(order + 1)
    d = np.outer(c, 1.0 / c) / gap
    d -= np.diag(d.sum(axis=1))
    return x, d


@lru_cache(maxsize=16)
def quadrature(order: int) -> Array:
    """Clenshaw-Curtis weights on the nodes of :func:`chebyshev`; they add up to 2."""
    j = np.arange(order + 1)
    k = np.arange(0, order + 1, 2)
    moments = 2.0 / (1.0 - k**2)
    basis = np.cos(math.pi * np.outer(k, j) / order) * np.where((k == 0) | (k == order), 0.5, 1.0)[:, None]
    weights = 2.0 / order * (moments @ basis)
    return weights * np.where((j == 0) | (j == order), 0.5, 1.0)
