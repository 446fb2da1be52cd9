"""How often the characteristic function turns around zero, and how a count is carried to a larger basis."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from cavitydesign.kinds import Array
from cavitydesign.optics.patterned.admittance import BlockProblem
from cavitydesign.optics.patterned.regions import edge_poles, region_sheets
from cavitydesign.optics.patterned.search import Region, curve_around

_FEW = ((4, 0.5), (8, 0.8), (16, 1.0), (32, 1.2), (64, 1.7))
"""Points for the ratio of two bases, and how rough its turning may be: on four points a whole turn is not smooth."""
TURN = 1.5
"""Largest change of D's turn from step to step, radians: a hidden whole turn would change it by more."""
NEAR = 1.4
"""Distance, in half-sizes of the box, up to which a zero has to be known well."""

Moved = Sequence[tuple[complex | None, complex | None, int]]
"""(k0 at the lower level, at the upper one, how many zeros of D); None where there is none."""


def confirm(low: BlockProblem, top: BlockProblem, box: Region, moved: Moved) -> bool:
    """Whether a box settled on one basis holds no other zeros on a larger one.

    ``D_top / D_low``, with the zeros that are known in either divided out, must not turn around zero along the curve.
    What the two have in common (zeros nearby, on other sheets, below the wanted Q) is nearly gone from the ratio, so a
    few points tell.
    """
    ratio: Array | None = None
    for count, calm in _FEW:
        curve = curve_around(box, count)
        u = curve.u if ratio is None else curve.u[1::2]
        k0, fresh = box.k0(u), np.zeros(len(u), dtype=complex)
        for problem, sign in ((low, -1.0), (top, 1.0)):
            sides = problem.sides(k0, region_sheets(problem, box, u), counting=True)
            fresh += sign * problem.log_count(sides, problem.joined(sides), k0, highest_k0=box.high)
            for at, order in edge_poles(problem, box):
                fresh -= sign * order * np.log(u - at)
        for before, after, order in moved:
            for k, sign in ((before, 1.0), (after, -1.0)):
                if k is not None:
                    fresh += sign * order * np.log(u - box.u(k))
        ratio = fresh if ratio is None else woven(ratio, fresh)
        turns, roughness = winding(curve.u, ratio)
        if roughness < calm:
            return turns == 0
    return False


def may_enter(region: Region, box: Region, strangers: Sequence[complex], reach: float) -> bool:
    """Whether a zero of D that was not wanted may have become so, moving by up to ``reach`` (1/nm).

    A count cannot tell it from one that went the other way.
    """
    for k0 in (complex(box.k0(np.asarray(u))) for u in strangers if box.distance(u) < NEAR):
        outside = complex(
            max(region.low - k0.real, k0.real - region.high, 0.0),
            max(region.bottom - k0.imag, k0.imag - region.top, 0.0),
        )
        nearest = min((abs(k0 - t) for t in (region.left, region.right) if t is not None), default=math.inf)
        if min(abs(outside), nearest) < reach if outside else nearest < reach:
            return True
    return False


def winding(u: Array, log_f: Array) -> tuple[int, float]:
    """How often a function turns around zero along a closed curve, and how rough its turning is (radians).

    A polynomial of u, fitted to log|f|, is taken away first: its exponential never turns around zero, and it holds
    most of what thick layers make of the phase. Rough is not the turn in one step but its change from step to step: a
    zero that lies too close to the curve turns the function by up to π in one step and not in the next. A turn of more
    than 2.8 is rough as well: nearly half a turn might be more than half.
    """
    away = u - u.mean()
    x = away / np.abs(away).max()
    powers = x[:, None] ** np.arange(1, min(1 + len(u) // 4, 5))
    basis = np.hstack([np.ones((len(u), 1)), powers.real, -powers.imag])
    fitted = np.linalg.lstsq(basis, log_f.real, rcond=None)[0][1:]
    rest = log_f - powers @ (fitted[: powers.shape[1]] + 1j * fitted[powers.shape[1] :])
    steps: Array = np.imag(np.diff(np.append(rest, rest[0])))
    steps -= 2.0 * math.pi * np.round(steps / (2.0 * math.pi))
    change = np.abs(steps - np.roll(steps, 1)).max()
    rough = max(float(change), TURN / 2.8 * float(np.abs(steps).max()))
    return round(float(steps.sum()) / (2.0 * math.pi)), rough


def woven(even: Array, odd: Array) -> Array:
    """Two arrays of the same shape as every other item of one."""
    return np.stack([even, odd], axis=1).reshape(-1, *even.shape[1:])
