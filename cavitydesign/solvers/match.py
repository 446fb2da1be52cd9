"""The one way in which two sets of modes are paired: one to one, as many pairs as possible, smallest total price."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from cavitydesign.kinds import Array
from cavitydesign.solvers.solution import Mode, Modes


def pair(price: Array) -> list[tuple[int, int]]:
    """Rows and columns of a price table paired one to one; an infinite price forbids a pair.

    Of all pairings with the most pairs the one with the smallest sum (Hungarian method). In the order of the rows.
    """
    price = np.asarray(price, dtype=float)
    if not price.size:
        return []
    from scipy.optimize import linear_sum_assignment

    possible = np.isfinite(price)
    # dearer than any sum of allowed prices, so that a forbidden pair is taken only where nothing else is left
    forbidden = 1.0 + 2.0 * min(price.shape) * float(np.max(np.where(possible, np.abs(price), 0.0)))
    rows, columns = linear_sum_assignment(np.where(possible, price, forbidden))
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if possible[i, j]]


def partners(
    modes: Sequence[Mode] | Modes,
    others: Sequence[Mode] | Modes,
    *,
    near_nm: Sequence[float] | Array | None = None,
    price: Callable[[Mode, Mode], float] | None = None,
) -> Array:
    """For each mode the row of its partner among the others, shape (M,); -1 where it has none.

    Without ``price`` partners have symmetry, polarization, order and degeneracy in common, and the sum of squared
    distances in wavelength is smallest; ``near_nm`` says where to look instead of at the mode's own wavelength.
    """
    wanted = [mode.wavelength_nm for mode in modes] if near_nm is None else list(near_nm)

    def distance(row: int, mode: Mode, other: Mode) -> float:
        if price is not None:
            return price(mode, other)
        if identity(mode) != identity(other):
            return math.inf
        return (other.wavelength_nm - wanted[row]) ** 2

    table = [[distance(row, mode, other) for other in others] for row, mode in enumerate(modes)]
    found = np.full(len(modes), -1)
    for row, column in pair(np.reshape(np.array(table, dtype=float), (len(modes), len(others)))):
        found[row] = column
    return found


def identity(mode: Mode) -> tuple[str, str, int, int]:
    """What a mode keeps while a number of its design changes a little."""
    return mode.symmetry, mode.polarization, mode.order, mode.degeneracy


def column_of(others: Modes, name: str, rows: Array) -> Array:
    """A column of the others, by the rows of :func:`partners`; NaN where there is no partner."""
    return np.array([math.nan if row < 0 else float(others[name][row]) for row in rows])
