"""The fields of a resonance, layer by layer, and the integrals over them that every first-order change asks for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cavitydesign.kinds import Array
from cavitydesign.optics.patterned.admittance import BlockProblem, Pass


@dataclass(frozen=True, slots=True)
class LayerField:
    """A resonance in one layer: F = W (e^{iqz} a + e^{iq(d-z)} b), h = ± V (e^{iqz} a - e^{iq(d-z)} b).

    z runs from the face nearer to the interface; ``sign`` is that of h in coordinates that point down.
    """

    index: int
    w: Array
    v: Array
    q: Array
    a: Array
    b: Array
    thickness_nm: float
    sign: float
    uniform: bool


@dataclass(frozen=True, slots=True)
class ResonanceField:
    """Right (or left) fields of a resonance: in each layer, and F at the two outer faces."""

    layers: tuple[LayerField, ...]
    top: Array
    bottom: Array


def fields(
    problem: BlockProblem, vector: Array, sides: tuple[Array, Array, list[Pass], list[Pass]], *, left: bool
) -> ResonanceField:
    """Spread F = ``vector`` at the interface over the stack. ``left``: transposed problem (W → V⁻ᵀ, V → W⁻ᵀ)."""
    _, _, above, below = sides
    outer, layers = [], []
    for passes in (above, below):
        f = vector
        for done in reversed(passes):
            layer, f = _field_in_layer(problem, done, f, left=left, sign=-1.0 if passes is above else 1.0)
            layers.append(layer)
        outer.append(f)
    return ResonanceField(tuple(layers), outer[0], outer[1])


def _field_in_layer(
    problem: BlockProblem, done: Pass, f: Array, *, left: bool, sign: float
) -> tuple[LayerField, Array]:
    thickness = problem.stack.layers[done.index].thickness_nm
    if done.reflection.ndim == 1:  # a uniform layer with nothing but uniform layers behind it
        w, v = (1.0 / done.v, done.w) if left else (done.w, done.v)
        x, r = done.phase, done.reflection
        a = f / w / (1.0 + x * r * x)
        b = r * x * a
        field = LayerField(done.index, np.diag(w), np.diag(v), done.q, a, b, thickness, sign, True)
        return field, w * (x * a + b)
    w, v, w_inverse = diagonal_to_full(done.w), diagonal_to_full(done.v), diagonal_to_full(done.w_inverse)
    r = done.reflection
    if left:
        # the left admittance is Yᵀ: its reflection follows from R by the same change of basis
        v_inverse = np.linalg.inv(v)
        w, v, w_inverse = v_inverse.T, w_inverse.T, v.T
        r = r.T
    x = done.phase
    xrx = x[:, None] * r * x[None, :]
    a = np.linalg.solve(np.eye(len(x)) + xrx, w_inverse @ f)
    b = r @ (x * a)
    out = w @ (x * a + b)
    return LayerField(done.index, w, v, done.q, a, b, thickness, sign, done.uniform), out


def densities(left: LayerField, right: LayerField) -> tuple[Array, Array]:
    """``∫ F_l Fᵀ dz`` and ``∫ h_l hᵀ dz`` over a layer: all that any first-order change asks of the fields.

    ``∫ [F_lᵀ δ(k0 B) F - h_lᵀ δ(k0 A) h] dz = Σ_ij δ(k0 B)_ij ∫F_l,i F_j - Σ_ij δ(k0 A)_ij ∫h_l,i h_j``. In a
    uniform layer the operators are diagonal and so only the diagonals are returned, shape (m,); else (m, m).
    """
    q, d = right.q, right.thickness_nm
    if right.uniform:
        w, v = np.diag(left.w) * np.diag(right.w), np.diag(left.v) * np.diag(right.v)
        along = (left.a * right.a + left.b * right.b) * _exponential_integral(2.0 * q, d)
        across = (left.a * right.b + left.b * right.a) * d * np.exp(1j * q * d)
        return w * (along + across), v * (along - across)
    along = np.outer(left.a, right.a) + np.outer(left.b, right.b)
    along *= _exponential_integral(q[:, None] + q[None, :], d)
    across = np.outer(left.a, right.b) + np.outer(left.b, right.a)
    across *= _mixed_integral(q, d)
    return left.w @ (along + across) @ right.w.T, left.v @ (along - across) @ right.v.T


def _exponential_integral(q: Array, d: float) -> Array:
    """∫₀ᵈ exp(iqz) dz, also for small q d."""
    x = 1j * q * d
    small = np.abs(x) < 1e-5
    if small.any():
        safe = np.where(small, 1.0, x)
        return d * np.where(small, 1.0 + x / 2.0, (np.exp(safe) - 1.0) / safe)
    return d * (np.exp(x) - 1.0) / x


def _mixed_integral(q: Array, d: float) -> Array:
    """∫₀ᵈ exp(i q_a z + i q_b (d-z)) dz = (e^{i q_a d} - e^{i q_b d}) / (i(q_a - q_b)), shape (m, m); any q_a, q_b."""
    phase = np.exp(1j * q * d)
    x = 1j * (q[:, None] - q[None, :]) * d
    small = np.abs(x) < 1e-5
    return d * np.where(
        small, phase * (1.0 + x / 2.0), (phase[:, None] - phase[None, :]) / np.where(small, 1.0, x)
    )


def diagonal_to_full(matrix: Array) -> Array:
    """A matrix as it is, or a diagonal spelt out."""
    return np.diag(matrix) if matrix.ndim == 1 else matrix
