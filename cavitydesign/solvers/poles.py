"""Every resonance of a patterned multilayer in a wavelength window, rigorously.

A resonance is a pole of the stack's response: a complex k0 where the admittances above and below an interface cancel,
``M(k0) v = 0`` (:mod:`cavitydesign.optics.admittance`). For each symmetry class of the cell:

1. *find*: the response is sampled on a curve around each part of the window between Rayleigh thresholds; a rational
   interpolant gives all poles at once (:mod:`cavitydesign.optics.search`);
2. *polish*: the two-sided Rayleigh iteration ``k0 ← k0 - v_lᵀ M v / v_lᵀ M' v`` (cubic convergence: P. Lancaster,
   Pacific J. Math. 11, 1 (1961)) brings each pole to rounding;
3. *prove*: the contour moments of the response without the poles found must vanish;
4. *refine*: more plane waves, same pole, until λ and Q stay put; the last changes are the error bars;
5. *differentiate*: the fields give the exact first derivative of the pole by anything, hence confinement and threshold.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cavitydesign import units
from cavitydesign.geometry.stack import Stack
from cavitydesign.optics.admittance import BlockProblem, ResonanceField, Sheets, fields, overlap
from cavitydesign.optics.fourier import centred, symmetry_group
from cavitydesign.optics.numeric import NumericStack, resolve_stack
from cavitydesign.optics.planewaves import blocks, plane_waves
from cavitydesign.optics.search import Curve, Region, curve_around, loewner_poles, moments
from cavitydesign.solvers.base import Modes, Poles, Solution, Status, Window

Array = np.ndarray[Any, np.dtype[Any]]
VERSION = 1
"""Raised whenever the numbers of this solver change; stored results of older versions are then not reused."""

_PROBES = 6  # columns of the probed response; more than the modes that may share one pole
_SAMPLES = (16, 32, 64, 128)  # points on the curve, doubled until the proof holds


@dataclass(frozen=True)
class Resonance:
    """A polished pole: its block, complex k0, null vectors, the norm v_lᵀ M' v, fields and residual |δk0/k0|."""

    problem: BlockProblem
    sheets: Sheets
    k0: complex
    right: Array
    left: Array
    norm: complex
    right_field: ResonanceField
    left_field: ResonanceField
    residual: float
    converged: bool

    def shift(self, d_eps: Array, *, d_k: float = 0.0) -> complex:
        """``v_lᵀ δM v`` for steps in the materials' permittivities (and in k0)."""
        return _form(self.problem, self.sheets, self.k0, self.right_field, self.left_field, d_eps=d_eps, d_k=d_k)

    def slope_by_index(self, material: int) -> complex:
        """dk0/dn of one material, 1/nm, everything else (and its dispersion) kept."""
        n = self.problem.stack.index(np.asarray(self.k0))
        d_eps = np.zeros(len(n), dtype=complex)
        d_eps[material] = 2.0 * n[material]
        return -self.shift(d_eps) / self.norm


def _form(
    problem: BlockProblem, sheets: Sheets, k0: complex, right: ResonanceField, left: ResonanceField, *, d_eps: Array, d_k: float
) -> complex:
    """``v_lᵀ δM v`` from the fields; see the module docstring of optics.admittance."""
    stack = problem.stack
    eps = stack.eps(np.asarray(k0))
    total = 0.0 + 0.0j
    for fl, fr in zip(left.layers, right.layers, strict=True):
        layer = stack.layers[fr.index]
        involved = {layer.material, *(i.material for i in layer.inclusions), *(i.host for i in layer.inclusions)}
        if d_k == 0.0 and not any(d_eps[number] for number in involved):
            continue
        d_ka, d_kb = problem.slopes(fr.index, eps, k0, d_eps=d_eps, d_k=d_k)
        total -= 1j * overlap(fl, fr, d_ka, d_kb)
    for number, open_, fl, fr in (
        (stack.superstrate, sheets.up, left.top, right.top),
        (stack.substrate, sheets.down, left.bottom, right.bottom),
    ):
        if d_k or d_eps[number]:
            total += np.sum(fl * problem.half_space_slope(eps[number], k0, open_, d_eps=d_eps[number], d_k=d_k) * fr)
    return complex(total)


def polish(problem: BlockProblem, start: complex, *, region: Region | None = None, steps: int = 12) -> Resonance | None:
    """Two-sided Rayleigh iteration from ``start``; None where it runs away or does not settle."""
    k0 = complex(start)
    symmetric = problem.symmetric
    previous = math.inf
    for _ in range(steps):
        sheets = problem.sheets_at(k0)
        sides = problem.sides(np.asarray(k0), sheets)
        matrix = sides[1] + np.diag(sides[0])
        right, left = _null_vectors(matrix, symmetric=symmetric)
        right_field = fields(problem, right, sides, left=False)
        left_field = right_field if symmetric else fields(problem, left, sides, left=True)
        slope = problem.stack.eps_slope(np.asarray(k0))
        norm = _form(problem, sheets, k0, right_field, left_field, d_eps=slope, d_k=1.0)
        change = complex(left @ (matrix @ right)) / norm
        residual = abs(change / k0)
        found = Resonance(problem, sheets, k0 - change, right, left, norm, right_field, left_field, residual, True)
        if residual < 1e-7 or (residual < 1e-5 and residual >= 0.5 * previous):
            return found  # the step is quadratically small or better: the next would be below rounding
        if residual > 0.2 or (region is not None and abs(k0 - change - start) > 0.5 * (region.high - region.low + region.depth)):
            return None
        previous, k0 = residual, k0 - change
    return None


def _null_vectors(matrix: Array, *, symmetric: bool) -> tuple[Array, Array]:
    """Right and left vectors of the smallest singular direction, by two steps of inverse iteration."""
    start = np.cos(1.0 + 2.3 * np.arange(len(matrix))) + 0.3
    right = _inverse_iteration(matrix, start)
    return right, (right if symmetric else _inverse_iteration(matrix.T, start))


def _inverse_iteration(matrix: Array, start: Array) -> Array:
    inverse = np.linalg.inv(matrix)
    vector = inverse @ start
    vector = inverse @ (vector / np.linalg.norm(vector))
    return vector / np.linalg.norm(vector)


# -- search --------------------------------------------------------------------------------------------------------


def regions(problem: BlockProblem, window_nm: Window, *, q_min: float, amplifying: bool) -> list[Region]:
    """The window in k0, cut at every threshold of the half-spaces that lies in it or just outside."""
    low, high = units.k0_per_nm(window_nm[1]), units.k0_per_nm(window_nm[0])
    depth = 0.5 * high / q_min
    height = depth if amplifying else 0.2 * depth
    pad = 0.35 * (high - low) + 0.02 * high
    stack, found = problem.stack, set()
    eps = stack.eps(np.asarray(0.5 * (low + high) + 0j))
    for number in (stack.superstrate, stack.substrate):
        for length in np.unique(np.round(problem.length, 12)):
            if length > 0.0:
                threshold = _threshold(stack, number, float(length), length / np.sqrt(eps[number]))
                if low - pad < threshold.real < high + pad:
                    found.add(complex(round(threshold.real, 13), round(threshold.imag, 13)))
    cuts = sorted(found, key=lambda t: t.real)
    edges: list[complex | None] = [None, *cuts, None]
    parts = []
    for left, right in zip(edges[:-1], edges[1:], strict=True):
        start = max(low, left.real) if left is not None else low
        stop = min(high, right.real) if right is not None else high
        if stop <= start:
            continue  # wholly outside the window
        keep_left = left if left is not None and left.real > low - pad else None
        parts.append(Region(start, stop, depth, height, left=keep_left, right=right))
    return parts


def _threshold(stack: NumericStack, number: int, length: float, guess: complex) -> complex:
    """The k0 where ε(k0) k0² = |k + G|²; a few fixed-point steps take care of dispersion."""
    k0 = complex(guess)
    for _ in range(6):
        k0 = complex(length / np.sqrt(stack.eps(np.asarray(k0))[number]))
    return k0


def _region_sheets(problem: BlockProblem, region: Region, u: Array | None) -> Sheets:
    """Sheets of a region: by the thresholds on either side of its middle; guided at the thresholds that bound it."""
    middle = 0.5 * (region.low + region.high)
    stack = problem.stack
    eps = stack.eps(np.asarray(middle + 0j))
    masks, guides = [], []
    for number in (stack.superstrate, stack.substrate):
        thresholds = problem.length / np.sqrt(eps[number])
        masks.append(middle >= thresholds.real)
        guides.append(None if u is None else _guide(problem, region, u, number))
    return Sheets(masks[0], masks[1], guides[0], guides[1])


def _guide(problem: BlockProblem, region: Region, u: Array, number: int) -> Array | None:
    """Direction of kz ∝ √(k0 - t) for the columns whose threshold t bounds the region."""
    guide = np.zeros((len(u), problem.size), dtype=complex)
    for edge, is_left in ((region.left, True), (region.right, False)):
        if edge is None:
            continue
        eps = complex(problem.stack.eps(np.asarray(edge))[number])
        at_edge = np.abs(problem.length - np.sqrt(eps) * edge) < 1e-6 * np.maximum(problem.length, 1e-9)
        direction = np.sqrt(2.0 * eps * edge) * region.root(u, left=is_left) * (1.0 if is_left else 1j)
        guide[:, at_edge] = direction[:, None]
    return guide if guide.any() else None


@dataclass(frozen=True)
class Search:
    """What one block gave in one region: its resonances, and whether the proof of completeness holds."""

    resonances: tuple[Resonance, ...]
    complete: bool
    remainder: float


def search(problem: BlockProblem, region: Region) -> Search:
    """All poles of one block in one region, with proof."""
    probe = _probe(problem.size)
    found: list[Resonance] = []
    remainder = math.inf
    for count in _SAMPLES:
        curve = curve_around(region, count)
        sheets = _region_sheets(problem, region, curve.u)
        response = probe.T @ np.linalg.solve(problem.matrix(region.k0(curve.u), sheets), np.broadcast_to(probe, (count, *probe.shape)))
        model = loewner_poles(curve.u, response)
        found, outside = _polished(problem, region, curve, model.poles, model.residues, float(np.median(np.abs(response))), found)
        remainder = _remainder(curve, region, response, found, outside, probe)
        if remainder < 0.02:
            return Search(tuple(found), True, remainder)
    return Search(tuple(found), False, remainder)


def _probe(size: int) -> Array:
    """Fixed, well-spread probing columns: the outcome of a search never depends on chance."""
    columns = min(size, _PROBES)
    i, j = np.arange(size)[:, None], np.arange(columns)[None, :]
    return np.cos((1.0 + 0.37 * i) * (1.3 + 0.61 * j) + 0.7 * j)


def _polished(
    problem: BlockProblem, region: Region, curve: Curve, poles: Array, residues: Array, level: float, known: list[Resonance]
) -> tuple[list[Resonance], list[tuple[complex, Array]]]:
    """Polish the candidates in the region; keep those outside as (u, residue), to be subtracted as they are."""
    found = list(known)
    outside = []
    strength = np.abs(residues).max(axis=(1, 2))
    for index in np.argsort(-strength):
        u = complex(poles[index])
        if strength[index] < 1e-7 * level * curve.radius or abs(u - curve.centre) > 6.0 * curve.radius:
            continue
        k0 = complex(region.k0(np.asarray(u)))
        on_sheet = abs(region.u(k0) - u) < 1e-6 * curve.radius or region.left is region.right is None
        if not (on_sheet and region.contains(k0, margin=0.01)):
            outside.append((u, residues[index]))
            continue
        if any(abs(k0 - other.k0) < 1e-9 * abs(k0) for other in found):
            continue
        resonance = polish(problem, k0, region=region)
        if resonance is None:
            continue
        if region.contains(resonance.k0) and not any(abs(resonance.k0 - o.k0) < 1e-9 * abs(k0) for o in found):
            found.append(resonance)
        elif not region.contains(resonance.k0):
            outside.append((u, residues[index]))
    return found, outside


def _remainder(
    curve: Curve, region: Region, response: Array, found: list[Resonance], outside: list[tuple[complex, Array]], probe: Array
) -> float:
    """Contour moments of the response without its known poles, relative to the weakest residue found (or its own scale)."""
    rest, weakest = response.copy(), math.inf
    for item in found:
        u = region.u(item.k0)
        residue = np.outer(probe.T @ item.right, item.left @ probe) / item.norm / complex(region.slope(np.asarray(u)))
        rest -= residue[None] / (curve.u - u)[:, None, None]
        weakest = min(weakest, float(np.abs(residue).max()))
    for u, residue in outside:
        rest -= residue[None] / (curve.u - u)[:, None, None]
    scale = weakest if found else float(np.median(np.abs(response))) * curve.radius
    return float(np.abs(moments(curve, rest)).max()) / scale
