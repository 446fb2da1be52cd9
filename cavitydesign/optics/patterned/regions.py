"""The complex k0 plane cut into regions in which the response is meromorphic: at thresholds, and below them.

::

    Im k0   t₁            t₂   t₃        window ──►  Re k0
      0 ────●─────────────●────●──────────────
            │  mapped u   │ u  │   mapped u        around each strip's thresholds u is a root
       -a   ├─────────────┼────┼──────────────     a: as deep as the gap to the next threshold allows
            │    plain    │ pl │    plain          below, k0 itself: no branch point is near
   -k0/2Q   └─────────────┴────┴──────────────

A channel of a half-space opens at its threshold t, where ``ε(t) t² = |k + G|²``. k_z is √z right of it (open) and
i√(-z) left of it (closed), z = ε k0² - |k + G|²; below the real axis each goes on analytically under its neighbour,
so that only the points t themselves have to be kept out of a region, or mapped away.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from cavitydesign import units
from cavitydesign.kinds import Array, Window
from cavitydesign.optics.media.numeric import NumericStack
from cavitydesign.optics.patterned.admittance import BlockProblem, Sheets, has_thresholds
from cavitydesign.optics.patterned.search import Region

_ONE = 1e-6  # thresholds nearer to each other than this (relative) are one: a wavevector typed with rounded digits
_DEEPER = 3.0  # each plain region reaches this many times deeper than the one above it
_OVERLAP = 0.05  # share of a region's depth that the one below it searches again


def regions(problem: BlockProblem, window_nm: Window, *, q_min: float, amplifying: bool) -> list[Region]:
    """Regions that together hold every k0 of the window with ``-2 Im k0 / Re k0 ≤ 1/q_min``, from low k0 to high."""
    low, high = units.k0_per_nm(window_nm[1]), units.k0_per_nm(window_nm[0])
    depth = 0.5 * high / q_min
    height = depth if amplifying else 0.2 * depth
    pad = 0.35 * (high - low) + 0.005 * high
    cuts = thresholds(problem, low - 4.0 * pad, high + 4.0 * pad, depth=depth)
    parts = []
    for left, right in itertools.pairwise([None, *cuts, None]):
        start = max(low, left.real) if left is not None else low
        stop = min(high, right.real) if right is not None else high
        if stop <= start:
            continue  # wholly outside the window
        near_left = left if left is not None and left.real > low - pad else None
        near_right = right if right is not None and right.real < high + pad else None
        ends = [t for t in (near_left, near_right) if t is not None]
        gap = min((abs(t - end) for t in cuts for end in ends if t not in ends), default=math.inf)
        inside = _inside(left, right, start, stop)
        upper = Region.around(
            start, stop, -depth, height, left=near_left, right=near_right, inside=inside, gap=gap
        )
        parts.append(upper)
        floor = upper.floor
        while floor > -depth:
            top, floor = floor * (1.0 - _OVERLAP), max(-depth, _DEEPER * floor)
            parts.append(Region.around(start, stop, floor, top, inside=inside))
    return parts


def _inside(left: complex | None, right: complex | None, start: float, stop: float) -> float:
    """A real k0 between two thresholds, even where the window meets one of them."""
    low = start if left is None else max(left.real, start - (stop - start))
    high = stop if right is None else min(right.real, stop + (stop - start))
    return 0.5 * (low + high)


def thresholds(problem: BlockProblem, low: float, high: float, *, depth: float) -> list[complex]:
    """The complex k0 with real part between ``low`` and ``high`` at which channels open, near ones as one."""
    lengths = np.array(sorted(set(np.round(problem.length[problem.length > 0.0], 14).tolist())))
    found: list[complex] = []
    for number in {problem.stack.superstrate, problem.stack.substrate}:
        if has_thresholds(problem.stack, number, 0.5 * (low + high), depth=depth):
            at = _solved(problem.stack, number, lengths, start=0.5 * (low + high))
            found += [complex(t) for t in at if low < t.real < high]
    merged: list[complex] = []
    for t in sorted(found, key=lambda t: t.real):
        if not merged or abs(t - merged[-1]) > _ONE * abs(t):
            merged.append(t)
    return merged


def _solved(stack: NumericStack, number: int, lengths: Array, *, start: float) -> Array:
    """The k0 where ε(k0) k0² = |k + G|² for each length, by Newton's method on n(k0) k0."""
    k0 = np.full(lengths.shape, start + 0j)
    for _ in range(12):
        near = np.where(
            np.abs(k0 - start) < 0.5 * start, k0, start
        )  # an index is known around the window only
        n = np.sqrt(stack.eps(near)[number])
        rate = np.where(near == k0, n + k0 * stack.eps_slope(near)[number] / (2.0 * n), n)
        k0 = k0 - (n * k0 - lengths) / rate
    return k0


def region_sheets(problem: BlockProblem, region: Region, u: Array | None) -> Sheets:
    """Sheets of a region: by the thresholds on either side of it; guided at the thresholds that bound it."""
    up, down = problem.open_at(region.inside)
    stack = problem.stack
    guides = [
        None if u is None else _guide(problem, region, u, n) for n in (stack.superstrate, stack.substrate)
    ]
    return Sheets(up, down, guides[0], guides[1])


def edge_columns(problem: BlockProblem, number: int, edge: complex) -> Array:
    """Mask of the columns whose channel in a half-space opens at a region's edge."""
    eps = complex(problem.stack.eps(np.asarray(edge))[number])
    return np.abs(problem.length - np.sqrt(eps) * edge) < 3.0 * _ONE * np.maximum(problem.length, 1e-9)


def edge_poles(problem: BlockProblem, region: Region) -> list[tuple[complex, int]]:
    """(u, -order) of the poles that D has where a channel opens: ε k0 / k_z of each L column there."""
    found = []
    for edge, u in ((region.left, 0.0), (region.right, math.pi if region.left is not None else 0.0)):
        if edge is not None:
            ends = (problem.stack.superstrate, problem.stack.substrate)
            order = sum(int((edge_columns(problem, n, edge) & problem.is_l).sum()) for n in ends)
            found.append((complex(u), -order))
    return found


def _guide(problem: BlockProblem, region: Region, u: Array, number: int) -> Array | None:
    """Direction of kz ∝ √(k0 - t) for the columns whose threshold t bounds the region."""
    guide = np.zeros((len(u), problem.size), dtype=complex)
    for edge, is_left in ((region.left, True), (region.right, False)):
        if edge is None:
            continue
        eps = complex(problem.stack.eps(np.asarray(edge))[number])
        direction = np.sqrt(2.0 * eps * edge) * region.root(u, left=is_left) * (1.0 if is_left else 1j)
        guide[:, edge_columns(problem, number, edge)] = direction[:, None]
    return guide if guide.any() else None
