"""Rows of numbers as a rational function, the analytic continuation of a measured spectrum.

The poles come from the AAA algorithm (Y. Nakatsukasa, O. Sète, L. N. Trefethen, SIAM J. Sci. Comput. 40, A1494
(2018)), stopped at the precision of the rows. Those that the rows do not prove are moved out of reach, and the
function is fitted anew as ``r(x) = c + d x + Σ r_j / (x - p_j)``: it is bounded wherever it is used, but for the poles
of absorption lines that the rows resolve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from cavitydesign.kinds import Array, Window

DEEPEST = 0.15
"""Largest |Im E| / Re E at which a fit is used; further off the axis its edge stands in."""
_OUT_OF_REACH = 0.3  # |Im E| / Re E of a pole that was moved
_ABOVE = 0.08  # and within which no pole may lie above the axis, where only amplified modes are searched for
_MOST_POLES = 48
_MOST_ROWS = 400
SLACKS = (1.0, 3.0, 10.0, 30.0)
"""Coarser fits are tried while a finer one wants poles that the rows do not prove."""
_PROVEN = 20.0  # a line's peak over the precision of its rows
_SEEN = 0.01  # and over the permittivity


@dataclass(frozen=True, slots=True)
class Rational:
    """``c + d x + Σ r_j / (x - p_j)``.

    Attributes:
        poles, residues: p_j and r_j.
        constant, slope: c and d.
        lines: the poles within reach, which the rows prove: absorption lines.
        slack: how many times the precision of the rows it was fitted to.
    """

    poles: Array
    residues: Array
    constant: complex
    slope: complex
    lines: Array
    slack: float = 1.0

    def __call__(self, x: Array) -> Array:
        """Values at complex points of any shape."""
        x = np.asarray(x, dtype=complex)
        return self.constant + self.slope * x + (1.0 / (x[..., None] - self.poles)) @ self.residues

    def derivative(self, x: Array) -> Array:
        """dr/dx."""
        x = np.asarray(x, dtype=complex)
        return self.slope - (1.0 / (x[..., None] - self.poles) ** 2) @ self.residues


def fit(
    x: Array,
    y: Array,
    precision: Array,
    *,
    used: Window,
    real: bool,
    barred: Window = (0.0, 0.0),
    slacks: Sequence[float] = SLACKS,
) -> Rational:
    """A rational function through rows ``y`` at rising ``x`` > 0, to within ``precision`` where that can be had.

    Args:
        used: the real parts at which it will be asked for. Rows outside guide it, the less the further away; and
            poles may lie there as they like.
        real: the rows are one real part of an analytic function, so its poles come in conjugate pairs; otherwise
            they are a permittivity, whose lines lie below the axis.
        barred: real parts between which no pole may lie within reach, proven or not.
        slacks: multiples of the precision to fit to. A tight fit follows the noise of the rows, and what it does off
            the axis then changes with the next looser one; the least sum of misfit and such change decides.
    """
    away = np.maximum(0.0, np.maximum(used[0] / x, x / used[1]) - 1.0)
    fits = [
        replace(
            _Rows(x, y, slack * precision * (1.0 + 100.0 * away), used, real, barred).fitted(), slack=slack
        )
        for slack in slacks
    ]
    if len(fits) == 1:
        return fits[0]
    inside = away == 0.0
    missed = np.array([np.abs(item(x[inside]) - y[inside]).max() for item in fits])
    off = np.linspace(max(used[0], x[0]), min(used[1], x[-1]), 48)
    change = [item(off * (1.0 - 0.03j)) - item(off) for item in fits]
    doubt = np.array([np.abs(one - two).max() for one, two in pairwise(change)])
    close = missed[:-1] <= 10.0 * missed.min()  # a looser one may have lost a line
    return fits[int(np.argmin(np.where(close, missed[:-1] + doubt, np.inf)))]


def _telling(x: Array, y: Array) -> Array:
    """At most 400 rows, equally spaced in a mixture of x and the way that y goes."""
    if len(x) <= _MOST_ROWS:
        return np.arange(len(x))
    way = np.abs(np.diff(y))
    weight = np.diff(x) / (x[-1] - x[0]) + way / max(float(way.sum()), 1e-300) + 0.3 / len(x)
    place = np.concatenate([[0.0], np.cumsum(weight)])
    return np.unique(np.searchsorted(place, np.linspace(0.0, place[-1], _MOST_ROWS)).clip(0, len(x) - 1))


def _aaa_poles(x: Array, y: Array, precision: Array) -> Array:
    """Poles of the barycentric interpolant of the least degree that meets the precision, or of the best one."""
    most = min(_MOST_POLES, (len(x) - 1) // 3)
    away = np.ones(len(x), dtype=bool)
    approximation = np.full(len(x), y.mean())
    support: list[int] = []
    weights = np.empty(0)
    best, since, kept = np.inf, 0, (np.empty(0), weights)
    for _ in range(most + 1):
        off = np.abs(y - approximation) / precision
        worst = float(off.max())
        if worst < 0.7 * best:
            best, since, kept = worst, 0, (x[support], weights)
        else:
            since += 1
        if worst <= 1.0 or since > 6:
            break
        support.append(int(np.argmax(off)))
        away[support[-1]] = False
        cauchy = 1.0 / (x[away][:, None] - x[support][None, :])
        loewner = (y[away][:, None] - y[support][None, :]) * cauchy / precision[away][:, None]
        weights = np.linalg.svd(loewner, full_matrices=False)[2][-1].conj()
        approximation = y.copy()
        with np.errstate(all="ignore"):
            approximation[away] = (cauchy @ (weights * y[support])) / (cauchy @ weights)
        approximation = np.where(np.isfinite(approximation), approximation, 0.0)
    return _roots(*kept)


def _roots(support: Array, weights: Array) -> Array:
    """The zeros of ``Σ w_j / (x - s_j)``: v = (s - x)⁻¹ 1 is orthogonal to w there, so (s - x) v is along 1."""
    count = len(support)
    if count < 2:
        return np.empty(0, dtype=complex)
    middle, half = support.mean(), np.ptp(support)
    first = np.linalg.qr(np.ones((count, 1), dtype=complex), mode="complete")[0][:, 1:]
    second = np.linalg.qr(weights.conj()[:, None].astype(complex), mode="complete")[0][:, 1:]
    left = first.conj().T @ second
    right = first.conj().T @ (((support - middle) / half)[:, None] * second)
    with np.errstate(all="ignore"):
        found = middle + half * np.linalg.eigvals(np.linalg.lstsq(left, right, rcond=1e-14)[0])
    found = found[np.isfinite(found) & (np.abs(found - middle) < 1e3 * half)]
    return np.where(np.abs(found.imag) < 1e-6 * half, found.real - 1e-6j * half, found)  # never on a row


@dataclass(frozen=True, slots=True)
class _Rows:
    """What a fit is asked for; see :func:`fit`."""

    x: Array
    y: Array
    precision: Array
    used: Window
    real: bool
    barred: Window

    def fitted(self) -> Rational:
        """The fit to this precision."""
        rows = _telling(self.x, self.y)
        found = self.through(rows)
        for _ in range(2):
            off = np.abs(found(self.x) - self.y) / self.precision
            worst = np.setdiff1d(np.flatnonzero(off > 3.0), rows)
            if not worst.size:
                break
            rows = np.union1d(
                rows, worst[np.argsort(-off[worst])][:100]
            )  # they may hold a line that was missed
            found = self.through(rows)
        return _paired(found) if self.real else found

    def through(self, rows: Array) -> Rational:
        """Least squares with the poles that some rows want; those that they do not prove are moved away."""
        x, y, precision = self.x[rows], self.y[rows], self.precision[rows]
        poles = _aaa_poles(x, y, precision)
        found = _least_squares(x, y, precision, poles)
        within, proven = self.judged(found)
        if (within & ~proven).any():  # what the moved ones drew is then drawn by smooth shapes
            poles = np.concatenate([poles, _moved(np.linspace(*self.used, 5) - 1e-9j, real=self.real)])
            within, proven = (np.append(item, [False] * 5) for item in (within, proven))
        while (within & ~proven).any():
            poles = np.where(within & ~proven, _moved(poles, real=self.real), poles)
            found = _least_squares(x, y, precision, poles)
            within, proven = self.judged(found)
        return replace(found, lines=found.poles[proven])

    def judged(self, found: Rational) -> tuple[Array, Array]:
        """Which poles are within reach, and which of those are lines: resolved by the rows, and strong enough."""
        at, depth = found.poles.real, np.abs(found.poles.imag)
        within = (at > 0.95 * self.used[0]) & (at < 1.05 * self.used[1])
        within &= depth < np.where(found.poles.imag > 0.0, _ABOVE, 1.1 * DEEPEST) * at
        near = np.searchsorted(self.x, at).clip(1, len(self.x) - 1)
        proven = (at > self.x[0]) & (at < self.x[-1]) & (depth > self.x[near] - self.x[near - 1])
        least = np.maximum(_PROVEN * self.precision[near], _SEEN * np.abs(self.y[near]))
        proven &= np.abs(found.residues) > least * depth
        if not self.real:
            proven &= found.poles.imag < 0.0
        proven &= (at < self.barred[0]) | (at > self.barred[1])
        return within, within & proven


def _paired(found: Rational) -> Rational:
    """The mean of r(x) and the conjugate of r(x*): real on the axis."""
    pairs = np.concatenate([found.poles, found.poles.conj()])
    residues = 0.5 * np.concatenate([found.residues, found.residues.conj()])
    lines = np.concatenate([found.lines, found.lines.conj()])
    return Rational(pairs, residues, complex(found.constant.real), complex(found.slope.real), lines)


def _moved(poles: Array, *, real: bool) -> Array:
    side = np.where(poles.imag > 0.0, 1.0, -1.0) if real else -1.0
    return poles.real * (1.0 + 1j * _OUT_OF_REACH * side)


def _least_squares(x: Array, y: Array, precision: Array, poles: Array) -> Rational:
    """The residues, by as few singular directions as meet the precision, or come within twice of the best.

    Directions that only large residues of opposite signs can make would follow the noise of the rows, and grow off
    the axis.
    """
    columns = [np.ones(len(x)), x / x[-1]] if len(x) > 4 else [np.ones(len(x))]
    basis = np.stack([*columns, *(1.0 / (x - pole) for pole in poles)], axis=1).astype(complex)
    size = np.abs(basis).max(axis=0)
    left, singular, right = np.linalg.svd(basis / size / precision[:, None], full_matrices=False)
    wanted = y / precision
    along = left.conj().T @ wanted
    missed = np.maximum(np.sum(np.abs(wanted) ** 2) - np.cumsum(np.abs(along) ** 2), 0.0)
    missed = np.sqrt(missed / len(x))
    use = singular > 1e-13 * singular[0]
    enough = max(0.02, 2.0 * float(missed[use].min()))
    count = 1 + int(np.argmax(missed <= enough))
    solution = right[:count].conj().T @ (along[:count] / singular[:count]) / size
    slope = complex(solution[1]) / x[-1] if len(columns) > 1 else 0.0j
    return Rational(poles, solution[len(columns) :], complex(solution[0]), slope, np.empty(0))
