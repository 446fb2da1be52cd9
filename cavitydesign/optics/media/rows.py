"""What the rows of a table say by themselves: their precision, their gaps, and a curve through them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from cavitydesign.kinds import Array

_GAP_NM = 20.0
_GAP_RATIO = 8.0
_MOST_DIGITS = 15


def pieces(wavelengths_nm: Array) -> list[slice]:
    """The contiguous parts of a table: a gap is not bridged.

    A gap is a distance between rows of more than 20 nm and of more than 8 times the median of the four distances
    before it and of the four after it.
    """
    distance = np.diff(wavelengths_nm)
    cuts = [0]
    for at in np.flatnonzero(distance > _GAP_NM):
        sides = distance[max(at - 4, 0) : at], distance[at + 1 : at + 5]
        if all(distance[at] > _GAP_RATIO * float(np.median(side)) for side in sides if side.size):
            cuts.append(int(at) + 1)
    cuts.append(len(wavelengths_nm))
    return [slice(a, b) for a, b in pairwise(cuts)]


def half_digit(values: Array) -> Array:
    """Half a unit of the last decimal, by how many decimals the values of the same power of ten have."""
    values = np.abs(np.asarray(values, dtype=float))
    with np.errstate(divide="ignore"):
        decade = np.where(values > 0.0, np.floor(np.log10(values)), -np.inf)
    digits = np.full(len(values), _MOST_DIGITS)
    scaled = values / 10.0 ** np.where(np.isfinite(decade), decade, 0.0)
    for count in range(_MOST_DIGITS - 1, -1, -1):
        whole = scaled * 10.0**count
        digits = np.where(np.abs(whole - np.round(whole)) < 1e-14 * 10.0**count + 1e-9, count, digits)
    last = np.zeros(len(values))
    for power in np.unique(decade):
        here = decade == power
        if np.isfinite(power):
            last[here] = 0.5 * 10.0 ** (power - np.quantile(digits[here], 0.98, method="higher"))
    zero = ~np.isfinite(decade)
    if zero.any():  # a zero is written with as many decimals as the smallest number
        last[zero] = last[~zero].min() if (~zero).any() else 0.0
    return last


def noise(x: Array, y: Array) -> float:
    """Standard deviation of white noise in the rows; 0 where a smooth curve explains them.

    Noise makes a row miss the cubic through its four neighbours as far as the line through two, in units of what
    noise does to either; a smooth curve, even one with few rows, is met better by the cubic.
    """
    if len(x) < 20:
        return 0.0
    middle = np.arange(2, len(x) - 2)
    missed = []
    for offsets in ((-1, 1), (-2, -1, 1, 2)):
        nodes = np.stack([x[middle + offset] for offset in offsets])
        weights = np.ones_like(nodes)
        for i in range(len(offsets)):
            for j in range(len(offsets)):
                if i != j:
                    weights[i] *= (x[middle] - nodes[j]) / (nodes[i] - nodes[j])
        off = sum(w * y[middle + offset] for w, offset in zip(weights, offsets, strict=True)) - y[middle]
        missed.append(float(np.median(np.abs(off) / np.sqrt(1.0 + np.sum(weights**2, axis=0)))))
    return 1.5 * missed[1] if missed[1] > 0.6 * missed[0] else 0.0


@dataclass(frozen=True, slots=True)
class Curve:
    """Cubics between rows at rising x, with the rows' values and slopes (complex: real and imaginary part apart)."""

    x: Array
    value: Array
    slope: Array

    def chord(self, x: Array) -> Array:
        """The straight lines between the rows."""
        return np.interp(x, self.x, self.value)

    def __call__(self, x: Array) -> Array:
        """Values at real x within the rows."""
        at = np.clip(np.searchsorted(self.x, x, side="right") - 1, 0, len(self.x) - 2)
        step = self.x[at + 1] - self.x[at]
        t = (x - self.x[at]) / step
        rest = 1.0 - t
        return (
            self.value[at] * (1.0 + 2.0 * t) * rest**2
            + self.value[at + 1] * (1.0 + 2.0 * rest) * t**2
            + step * t * rest * (self.slope[at] * rest - self.slope[at + 1] * t)
        )


def resolved(x: Array, y: Array) -> Array:
    """Whether real rows show the shape of the curve between each and the next.

    They do where the rows from the one before to the one after bend the same way, or ever more or less: at an extremum,
    and at an inflection, that is more than a row wide.
    """
    bend = np.zeros(len(x))
    bend[1:-1] = np.diff(np.diff(y) / np.diff(x)) / (x[2:] - x[:-2])
    if len(x) < 5:
        return np.zeros(len(x) - 1, dtype=bool)
    four = np.stack([bend[:-3], bend[1:-2], bend[2:-1], bend[3:]])
    steps = np.diff(four, axis=0)
    signs = [np.all(sign * item > 0.0, axis=0) for item in (four, steps) for sign in (1.0, -1.0)]
    inner = np.any(signs, axis=0)
    inner[:1], inner[-1:] = False, False  # the bend of the first and the last row is not known
    return np.concatenate([[False], inner, [False]])


def _bends(x: Array, y: Array) -> tuple[Array, Array, Array]:
    """Slopes of the chords before and after each row, and whether it is resolved."""
    chord = np.diff(y) / np.diff(x)
    before, after = np.concatenate([chord[:1], chord]), np.concatenate([chord, chord[-1:]])
    bend = np.sign(after - before)
    same = np.zeros(len(x), dtype=bool)
    same[1:-1] = (bend[1:-1] == bend[:-2]) & (bend[1:-1] == bend[2:]) & (bend[1:-1] != 0.0)
    same[[0, -1]] = same[[1, -2]]
    return before, after, same


def shaped(x: Array, y: Array, slope: Array) -> Array:
    """Slopes of real rows brought between what keeps their shape: no extremum that the rows do not show.

    Between rising rows the slope is at most three times the lesser chord's, on a row that is an extremum zero
    (F. N. Fritsch and R. E. Carlson, SIAM J. Numer. Anal. 17, 238 (1980)); unless the rows resolve the shape: a row
    and its neighbours bend the same way. Then it may lie between the chords' slopes.
    """
    before, after, clear = _bends(x, y)
    most = np.where(
        before * after > 0.0, 3.0 * np.sign(before) * np.minimum(np.abs(before), np.abs(after)), 0.0
    )
    low = np.where(clear, np.minimum(before, after), 0.0)
    high = np.where(clear, np.maximum(before, after), 0.0)
    return np.clip(slope, np.minimum(low, np.minimum(most, 0.0)), np.maximum(high, np.maximum(most, 0.0)))


def parabola_slopes(x: Array, y: Array) -> Array:
    """The slope at each row of the parabola through it and its neighbours (any dtype)."""
    step = np.diff(x)
    chord = np.diff(y) / step
    if len(x) < 3:
        return np.concatenate([chord, chord])
    inner = (chord[:-1] * step[1:] + chord[1:] * step[:-1]) / (step[1:] + step[:-1])
    first, last = 2.0 * chord[0] - inner[0], 2.0 * chord[-1] - inner[-1]
    return np.concatenate([[first], inner, [last]])
