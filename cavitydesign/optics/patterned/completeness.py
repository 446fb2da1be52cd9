"""All poles of one symmetry block: the window cut at its thresholds, the search in each part, and the proof."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from cavitydesign import units
from cavitydesign.kinds import Array, Window
from cavitydesign.optics.media.numeric import NumericStack
from cavitydesign.optics.patterned.admittance import BlockProblem, Sheets
from cavitydesign.optics.patterned.resonance import Resonance, polish
from cavitydesign.optics.patterned.search import Curve, Region, curve_around, loewner_poles, moments

_PROBES = 4  # columns of the probed response; more than the modes that may share one pole
_SAMPLES = (16, 32, 64, 128)  # points on the curve, doubled until the proof holds
_PROVEN = (
    3e-6  # what may be left of the contour moments, relative to the response itself (median |f| times radius)
)
_WEAKEST = 1e-2  # and relative to the weakest pole found
_FAINT = 1e-4  # unless that is fainter than this: such poles are seen better from another interface


def regions(problem: BlockProblem, window_nm: Window, *, q_min: float, amplifying: bool) -> list[Region]:
    """The window in k0, cut at every threshold of the half-spaces that lies in it or just outside."""
    low, high = units.k0_per_nm(window_nm[1]), units.k0_per_nm(window_nm[0])
    depth = 0.5 * high / q_min
    height = depth if amplifying else 0.2 * depth
    pad = 0.35 * (high - low) + 0.02 * high
    lengths = np.array(sorted(set(np.round(problem.length[problem.length > 0.0], 12).tolist())))
    found = set()
    for number in (problem.stack.superstrate, problem.stack.substrate):
        for threshold in _thresholds(problem.stack, number, lengths, start=0.5 * (low + high)):
            if low - pad < threshold.real < high + pad:
                found.add(complex(round(threshold.real, 13), round(threshold.imag, 13)))
    cuts = sorted(found, key=lambda t: t.real)
    edges: list[complex | None] = [None, *cuts, None]
    parts = []
    for left, right in itertools.pairwise(edges):
        start = max(low, left.real) if left is not None else low
        stop = min(high, right.real) if right is not None else high
        if stop <= start:
            continue  # wholly outside the window
        keep_left = left if left is not None and left.real > low - pad else None
        parts.append(Region(start, stop, depth, height, left=keep_left, right=right))
    return parts


def _thresholds(stack: NumericStack, number: int, lengths: Array, *, start: float) -> Array:
    """The k0 where ε(k0) k0² = |k + G|² for each length; a few fixed-point steps take care of dispersion."""
    k0 = np.full(lengths.shape, start + 0j)
    for _ in range(6):
        near = np.where(
            np.abs(k0 - start) < 0.5 * start, k0, start
        )  # a material's fit holds around the window only
        k0 = lengths / np.sqrt(stack.eps(near)[number])
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
    mapped = region.left is not None and region.right is not None  # the cosine alone asks for more samples
    for count in (
        _SAMPLES[1:] if mapped else _SAMPLES
    ):  # each time from the start: better guesses make better residues
        curve = curve_around(region, count)
        sheets = _region_sheets(problem, region, curve.u)
        response = probe.T @ np.linalg.solve(
            problem.matrix(region.k0(curve.u), sheets), np.broadcast_to(probe, (count, *probe.shape))
        )
        model = loewner_poles(curve.u, response)
        found, outside = _polished(
            problem, region, curve, model.poles, model.residues, float(np.median(np.abs(response)))
        )
        remainder, weakest = _remainder(curve, region, response, found, outside, probe)
        if remainder < min(_PROVEN, _WEAKEST * max(weakest, _FAINT)):
            return Search(tuple(found), True, remainder)
    return Search(tuple(found), False, remainder)


def _probe(size: int) -> Array:
    """Fixed, well-spread probing columns: the outcome of a search never depends on chance."""
    columns = min(size, _PROBES)
    i, j = np.arange(size)[:, None], np.arange(columns)[None, :]
    return np.cos((1.0 + 0.37 * i) * (1.3 + 0.61 * j) + 0.7 * j)


def _polished(
    problem: BlockProblem,
    region: Region,
    curve: Curve,
    poles: Array,
    residues: Array,
    level: float,
) -> tuple[list[Resonance], list[tuple[complex, Array]]]:
    """Polish the candidates in the region; keep those outside as (u, residue), to be subtracted as they are."""
    found: list[Resonance] = []
    outside = []
    # the grid of the normal field has no sixfold axis and splits the pairs that a class keeps together by some 1e-9
    same = 1e-7 if problem.block.irrep.mixed else 1e-9
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
        if any(abs(k0 - other.k0) < same * abs(k0) for other in found):
            continue
        resonance = polish(problem, k0, reach=0.5 * (region.high - region.low + region.depth))
        if resonance is None:
            continue
        if region.contains(resonance.k0) and not any(
            abs(resonance.k0 - o.k0) < same * abs(k0) for o in found
        ):
            found.append(resonance)
        elif not region.contains(resonance.k0):
            outside.append((u, residues[index]))
    return found, outside


def _remainder(
    curve: Curve,
    region: Region,
    response: Array,
    found: list[Resonance],
    outside: list[tuple[complex, Array]],
    probe: Array,
) -> tuple[float, float]:
    """Contour moments of the response without its known poles, and the weakest residue found, both relative to the
    response (its median on the curve times the curve's radius).

    A pole that couples to the interface by less than the remainder would go unseen, which is why layers behind
    evanescent ones get an interface of their own (:meth:`BlockProblem.viewpoints`).
    """
    rest, weakest = response.copy(), math.inf
    for item in found:
        u = region.u(item.k0)
        residue = item.residue(probe) / complex(region.slope(np.asarray(u)))
        rest -= residue[None] / (curve.u - u)[:, None, None]
        weakest = min(weakest, float(np.abs(residue).max()))
    for u, residue in outside:
        rest -= residue[None] / (curve.u - u)[:, None, None]
    scale = float(np.median(np.abs(response))) * curve.radius
    return float(np.abs(moments(curve, rest)).max()) / scale, weakest / scale
