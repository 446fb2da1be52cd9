"""All zeros of an analytic function in a rectangle, with a count that proves that none is missing.

The number of zeros inside is the winding number of f along the boundary (argument principle),
``N = (1/2πi) ∮ dlog f``. The moments ``s_p = (1/2πi) ∮ z^p dlog f = Σ z_j^p`` of the same samples give starting
values (Delves and Lyness, Math. Comp. 21, 543 (1967)), and Aberth's simultaneous Newton iteration (Commun. ACM 16,
339 (1973)) polishes them; it repels its iterates from each other, so a nearly degenerate pair comes out as two. Where
that fails or N is large the rectangle is cut in two, and the counts of the halves must add up.

Functions come *scaled*: ``f(z)`` returns ``(value, log_scale)`` with the true value ``value · exp(log_scale)`` and
``log_scale`` real. A positive factor changes neither zeros nor winding, and spares overflow in thick evanescent layers.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from cavitydesign.kinds import Array

Scaled = Callable[[Array], tuple[Array, Array]]
Region = tuple[float, float, float, float]
"""A rectangle of the complex plane: (least real, largest real, least imaginary, largest imaginary)."""

_LARGEST_STEP = 0.9  # |Δ log f| between neighbours on a boundary; π would be the limit for a phase
_MOST_AT_ONCE = 4  # moments of higher order lose the starting values in rounding
_DEEPEST = 40
_GOLDEN = 0.381966  # where a step is divided
_CUTS = (0.5, 0.4371, 0.5713, 0.3609, 0.6403, 0.4819)


@dataclass(frozen=True, slots=True)
class Zeros:
    """What :func:`find_zeros` found.

    Attributes:
        z: the zeros with multiplicity, sorted by real part.
        residual: ``|f/f'|`` at each zero, the size of the next Newton step.
        count: the winding number of f along the boundary of ``region``.
        complete: whether ``len(z) == count`` and every zero was polished.
        region: the rectangle that was searched (grown where a zero lay on the boundary that was asked for).
    """

    z: Array
    residual: Array
    count: int
    complete: bool
    region: Region


def find_zeros(
    f: Scaled,
    region: Region,
    *,
    scale: float,
    local_scale: Callable[[Array], Array] | None = None,
    branch_points: Iterable[complex] = (),
    may_grow: tuple[bool, bool, bool, bool] = (True, True, True, True),
) -> Zeros:
    """All zeros of ``f``, analytic in and on ``region``, with multiplicity.

    Args:
        scale: distance over which f changes its phase by about one radian; sets the first samples along the
            boundary and the step of numerical derivatives.
        local_scale: the same as a function of z, for derivatives, where f varies much faster in places.
        branch_points: points near or on the boundary at which f has a square root, or near it a singularity;
            derivatives keep away from them.
        may_grow: whether the left, right, lower and upper side may be moved outwards, by 2 % of the smaller of
            side and scale at a time, when a zero lies on the boundary.
    """
    search = _Search(f, scale, local_scale, tuple(complex(b) for b in branch_points))
    for _ in range(8):
        try:
            count, moments = search.winding(region, check=True)
            break
        except _ZeroOnBoundary:
            region = _grown(region, scale, may_grow)
    else:
        return Zeros(np.empty(0, complex), np.empty(0), 0, False, region)
    found, complete = search.inside(region, count, moments, 0)
    z = np.array(sorted(found, key=lambda item: (item.real, item.imag)), dtype=complex)
    step = np.abs(newton_step(f, z, search.steps(z))) if len(z) else np.empty(0)
    return Zeros(z, step, count, complete and len(z) == count, region)


def zero_error(f: Scaled, z: complex, residual: float, scale: float) -> float:
    """Numerical error of a zero: a few ulp of the terms that make up f, over its slope; at least the Newton step.

    ``scale``: distance over which f changes its phase by about one radian there.
    """
    value, slope = value_and_derivative(f, np.array(z), 1e-3 * scale)
    around, log_scale = f(np.array([z + 0.5 * scale, z - 0.5 * scale, z]))
    size = float(np.max(np.abs(around[:2]) * np.exp(log_scale[:2] - log_scale[2]))) + abs(complex(value))
    return max(residual, 4e-16 * abs(z), 4e-16 * size / max(abs(complex(slope)), 1e-300))


def newton_step(f: Scaled, z: Array, h: Array) -> Array:
    """``f/f'`` at ``z``, with ``f' = (1/4h) Σ_j i^-j f(z + i^j h)``."""
    value, derivative = value_and_derivative(f, z, h)
    with np.errstate(divide="ignore", invalid="ignore"):
        step = value / derivative
    return np.where(value == 0.0, 0.0, step)


def value_and_derivative(f: Scaled, z: Array, h: Array | float) -> tuple[Array, Array]:
    """``f`` and ``df/dz`` at each z, both divided by the scale that f reports at z."""
    z = np.asarray(z, dtype=complex)
    turns = np.array([0.0, 1.0, 1.0j, -1.0, -1.0j]).reshape((5,) + (1,) * z.ndim)
    value, log_scale = f(z + turns * h)
    value = value * np.exp(log_scale - log_scale[0])
    return value[0], (value[1] - 1j * value[2] - value[3] + 1j * value[4]) / (4.0 * h)


class _ZeroOnBoundary(Exception):
    """The phase could not be followed: a zero sits on, or within rounding of, the boundary."""


@dataclass(frozen=True, slots=True)
class _Search:
    f: Scaled
    scale: float
    local_scale: Callable[[Array], Array] | None
    branch_points: tuple[complex, ...]

    def log(self, z: Array) -> Array:
        """Rows: log of the value, and the real log of its scale (kept apart: it says nothing about the phase)."""
        value, log_scale = self.f(z)
        with np.errstate(divide="ignore"):
            return np.stack([np.log(value), log_scale + 0j])

    def steps(self, z: Array) -> Array:
        """Step of the numerical derivative: small against ``scale`` and against the distance to a branch point."""
        h = np.full(np.shape(z), 3e-3 * self.scale)
        if self.local_scale is not None:
            h = np.minimum(h, 3e-3 * self.local_scale(z))
        for point in self.branch_points:
            h = np.minimum(h, 0.05 * np.abs(z - point))
        return np.maximum(h, 1e-14 * self.scale)

    def winding(self, region: Region, *, check: bool) -> tuple[int, Array]:
        """Winding number along the boundary and the moments about the centre, in units of the half diagonal."""
        z = self.densified(_boundary(region, self.scale))
        log_f = self.log(z)
        shortest = 1e-10 * max(region[1] - region[0], region[3] - region[2])
        while True:
            change = _principal(np.diff(log_f[0]))
            at = np.flatnonzero(~(np.abs(change) < _LARGEST_STEP))
            if not at.size:
                if not check:
                    break
                check = False
                at = np.arange(len(change))
            if len(z) + at.size > 200_000 or (np.abs(z[at + 1] - z[at]) < shortest).any():
                raise _ZeroOnBoundary
            new = z[at] + _GOLDEN * (z[at + 1] - z[at])
            log_new = self.log(new)
            if at.size == len(change):
                # a phase that was aliased advances unevenly in the two parts of a step
                first, second = (
                    _principal(log_new[0] - log_f[0, at]),
                    _principal(log_f[0, at + 1] - log_new[0]),
                )
                check = bool((np.abs((1.0 - _GOLDEN) * first - _GOLDEN * second) > 0.3).any())
            z, log_f = np.insert(z, at + 1, new), np.insert(log_f, at + 1, log_new, axis=1)
        count = round(float(np.sum(change).imag) / (2.0 * math.pi))
        change, dz = change + np.diff(log_f[1]), np.diff(z)
        # a factor exp(cz) has no zeros
        change = change - dz * (np.sum(np.conj(dz) * change) / np.sum(np.abs(dz) ** 2))
        centre, half = _centre(region)
        x = (0.5 * (z[1:] + z[:-1]) - centre) / half  # midpoint rule: enough for a starting value
        return count, np.array([np.sum(x**p * change) / (2j * math.pi) for p in range(1, _MOST_AT_ONCE + 1)])

    def densified(self, z: Array) -> Array:
        """No step longer than the local scale at its middle: else the phase is aliased where it varies fastest."""
        if self.local_scale is None:
            return z
        for _ in range(20):
            middle, step = 0.5 * (z[1:] + z[:-1]), np.abs(np.diff(z))
            at = np.flatnonzero(step > self.local_scale(middle))
            if not at.size or len(z) > 100_000:
                break
            z = np.insert(z, at + 1, middle[at])
        return z

    def inside(self, region: Region, count: int, moments: Array, depth: int) -> tuple[list[complex], bool]:
        if count == 0:
            return [], True
        if 0 < count <= _MOST_AT_ONCE:
            for start in (_from_moments(moments[:count], *_centre(region)), _spread(region, count)):
                found = self.polished(region, _into(region, start))
                if found is not None:
                    return found, True
        if depth >= _DEEPEST or count < 0:
            return [], False
        halves = self.cut(region, count)
        if halves is None:
            return [], False
        found, complete = [], True
        for half, half_count, half_moments in halves:
            more, whole = self.inside(half, half_count, half_moments, depth + 1)
            found, complete = found + more, complete and whole
        return found, complete

    def cut(self, region: Region, count: int) -> list[tuple[Region, int, Array]] | None:
        """The two halves of a rectangle with their counts; the cut is moved until no zero lies on it."""
        left, right, low, high = region
        for fraction in _CUTS:
            if right - left >= high - low:
                at = left + fraction * (right - left)
                parts = (left, at, low, high), (at, right, low, high)
            else:
                at = low + fraction * (high - low)
                parts = (left, right, low, at), (left, right, at, high)
            try:
                halves = [(part, *self.winding(part, check=False)) for part in parts]
            except _ZeroOnBoundary:
                continue
            if sum(half[1] for half in halves) == count and all(half[1] >= 0 for half in halves):
                return halves
        return None

    def polished(self, region: Region, z: Array) -> list[complex] | None:
        """Aberth's iteration from ``z``; None unless every iterate converges inside the region."""
        left, right, low, high = region
        pad = 1e-9 * max(right - left, high - low)
        best, stalled = np.full(len(z), np.inf), 0
        for _ in range(60):
            newton = newton_step(self.f, z, self.steps(z))
            gap = z[:, None] - z[None, :]
            np.fill_diagonal(gap, np.inf)
            gap[gap == 0.0] = 1e-15 * self.scale
            step = newton / (1.0 - newton * np.sum(1.0 / gap, axis=1))
            step = np.where(np.isfinite(step), step, newton)
            if not np.isfinite(step).all():
                return None
            z = z - step
            z = _into((left - pad, right + pad, low - pad, high + pad), z)
            size = np.abs(step)
            if (size <= 4e-16 * np.abs(z)).all():
                break
            stalled = 0 if (size < 0.5 * best).any() else stalled + 1
            best = np.minimum(best, size)
            if stalled >= 4 and (best < 1e-7 * self.scale).all():
                break
            if stalled >= 12:
                return None
        z, good = self.settled(z, best)
        inner = (z.real > left - pad) & (z.real < right + pad) & (z.imag > low - pad) & (z.imag < high + pad)
        return list(z) if good and inner.all() else None

    def settled(self, z: Array, size: Array) -> tuple[Array, bool]:
        """Whether every iterate is a zero: its step is rounding, or it belongs to a cluster of the right winding."""
        good = bool((size < 1e-10 * self.scale).all())
        distance = np.abs(z[:, None] - z[None, :]) + np.where(np.eye(len(z)), np.inf, 0.0)
        radius = 1e-5 * self.scale
        if (distance > radius).all():
            return z, good
        for point in z:  # clustered: count by a small square around each cluster
            near = np.abs(z - point) < radius
            middle, r = z[near].mean(), 8.0 * radius
            if (np.abs(z[~near] - middle) < 2.0 * r).any():
                return z, False
            square = (middle.real - r, middle.real + r, middle.imag - r, middle.imag + r)
            try:
                if self.winding(square, check=False)[0] != near.sum():
                    return z, False
            except _ZeroOnBoundary:
                return z, False
        return z, bool((size < 1e-6 * self.scale).all())


def _principal(change: Array) -> Array:
    """Logarithm differences with the imaginary part brought into (-π, π]."""
    return change.real + 1j * (np.mod(change.imag + math.pi, 2.0 * math.pi) - math.pi)


def _centre(region: Region) -> tuple[complex, float]:
    left, right, low, high = region
    return complex(0.5 * (left + right), 0.5 * (low + high)), 0.5 * math.hypot(right - left, high - low)


def _into(region: Region, z: Array) -> Array:
    left, right, low, high = region
    return np.clip(z.real, left, right) + 1j * np.clip(z.imag, low, high)


def _spread(region: Region, count: int) -> Array:
    """Starting values anywhere in the region, where the moments were of no use."""
    left, right, low, high = region
    x = (np.arange(count) + 0.47) / count
    return left + (right - left) * x + 1j * (low + (high - low) * (0.45 + 0.1 * x))


def _boundary(region: Region, scale: float) -> Array:
    """Points along the boundary, counter-clockwise, the first one repeated at the end."""
    left, right, low, high = region
    corners = [complex(left, low), complex(right, low), complex(right, high), complex(left, high)]
    sides = []
    for a, b in itertools.pairwise([*corners, corners[0]]):
        points = int(min(max(8, abs(b - a) / (0.5 * scale)), 4000))
        sides.append(a + (b - a) * np.arange(points) / points)
    return np.concatenate([*sides, corners[:1]])


def _grown(region: Region, scale: float, may_grow: tuple[bool, bool, bool, bool]) -> Region:
    left, right, low, high = region
    dx, dy = 0.02 * min(right - left, scale), 0.02 * min(high - low, scale)
    return (
        left - dx * may_grow[0],
        right + dx * 1.13 * may_grow[1],
        low - dy * may_grow[2],
        high + dy * 1.21 * may_grow[3],
    )


def _from_moments(s: Array, centre: complex, half: float) -> Array:
    """Zeros of the monic polynomial with power sums s, by Newton's identities; spread a little if they coincide."""
    coefficients = [1.0 + 0.0j]
    for k in range(1, len(s) + 1):
        coefficients.append(-sum(coefficients[k - i] * s[i - 1] for i in range(1, k + 1)) / k)
    x = np.roots(coefficients) if len(s) > 1 else np.array([s[0]])
    if len(x) < len(s):
        x = np.concatenate([x, np.zeros(len(s) - len(x))])
    spread = 1e-6 * np.exp(2j * math.pi * (np.arange(len(x)) + 0.3) / len(x)) if len(x) > 1 else 0.0
    return centre + half * (x + spread)
