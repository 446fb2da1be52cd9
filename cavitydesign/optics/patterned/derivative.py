"""The first derivative of a pole by any parameter of the design, from the fields of the resonance alone.

With the null vectors v, v_l of M(k0) and the fields that belong to them
(:mod:`cavitydesign.optics.patterned.admittance`),

    dk0/dp = - v_lᵀ (∂M/∂p) v / v_lᵀ (∂M/∂k0) v,
    v_lᵀ ∂M v = Σ F_lᵀ ∂Y F - i ∫ [F_lᵀ ∂(k0 B) F - h_lᵀ ∂(k0 A) h] dz - i Σ ∂d [F_lᵀ (k0 B) F - h_lᵀ (k0 A) h],

the last term being what a layer gains by growing (the bracket does not depend on z within a layer). The
operators of the stack just below and just above the parameter's value are subtracted from each other at the
pole's k0; no pole is solved for again, so one derivative costs less than one evaluation of M.
"""

from __future__ import annotations

import numpy as np

from cavitydesign.errors import InputError
from cavitydesign.kinds import Array
from cavitydesign.optics.media.numeric import NumericStack
from cavitydesign.optics.patterned.admittance import BlockProblem
from cavitydesign.optics.patterned.fields import LayerField, diagonal_to_full
from cavitydesign.optics.patterned.planewaves import on_lattice
from cavitydesign.optics.patterned.resonance import Resonance


def pole_derivative(
    resonance: Resonance, below: NumericStack, above: NumericStack, *, step: float
) -> complex:
    """dk0/dp in 1/nm per unit of p, from the stacks at ``p - step`` and ``p + step`` (error of order step²).

    Raises:
        InputError: where the two differ in their layers: p then has no derivative here.
    """
    problem = resonance.problem
    count = len(problem.stack.layers)
    if len(below.layers) != count or len(above.layers) != count:
        raise InputError(
            "the number of layers changes at this value, so there is no derivative by it", key="parameter"
        )
    pair = [_at(resonance.problem, stack) for stack in (below, above)]
    k0 = np.asarray(resonance.k0)
    eps = [item.stack.eps(k0) for item in pair]
    width = 2.0 * step
    total = 0.0 + 0.0j
    fields_of = zip(
        resonance.left_field.layers, resonance.right_field.layers, resonance.layer_densities, strict=True
    )
    for fl, fr, (_, electric, magnetic) in fields_of:
        (ka0, kb0), (ka1, kb1) = (item.operators(fr.index, e, k0) for item, e in zip(pair, eps, strict=True))
        if not (np.array_equal(ka0, ka1) and np.array_equal(kb0, kb1)):
            total -= 1j * (np.sum((kb1 - kb0) * electric) - np.sum((ka1 - ka0) * magnetic)) / width
        growth = (above.layers[fr.index].thickness_nm - below.layers[fr.index].thickness_nm) / width
        if growth:
            total -= 1j * growth * _density(fl, fr, 0.5 * (ka0 + ka1), 0.5 * (kb0 + kb1))
    faces = (
        ("superstrate", resonance.sheets.up, resonance.left_field.top, resonance.right_field.top),
        ("substrate", resonance.sheets.down, resonance.left_field.bottom, resonance.right_field.bottom),
    )
    for name, open_, fl, fr in faces:
        y0, y1 = (
            item.half_space(e[getattr(item.stack, name)], k0, open_)
            for item, e in zip(pair, eps, strict=True)
        )
        total += np.sum(fl * (y1 - y0) / width * fr)
    return complex(-total / resonance.norm)


def _at(problem: BlockProblem, stack: NumericStack) -> BlockProblem:
    """The same block of a changed stack; where its lattice changed, the same orders at the same Bloch wavevector."""
    waves = on_lattice(problem.waves, problem.stack.lattice, stack.lattice)
    return BlockProblem(stack, waves, problem.block, keep=waves is problem.waves)


def _density(left: LayerField, right: LayerField, ka: Array, kb: Array) -> complex:
    """``F_lᵀ (k0 B) F - h_lᵀ (k0 A) h`` at the face nearer to the interface."""
    x = np.exp(1j * right.q * right.thickness_nm)
    f_l, f_r = left.w @ (left.a + x * left.b), right.w @ (right.a + x * right.b)
    h_l, h_r = left.v @ (left.a - x * left.b), right.v @ (right.a - x * right.b)
    return complex(f_l @ (diagonal_to_full(kb) @ f_r) - h_l @ (diagonal_to_full(ka) @ h_r))
