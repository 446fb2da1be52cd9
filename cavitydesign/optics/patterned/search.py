"""All poles of a matrix-valued response inside a region of the complex plane, with proof that none was missed.

The response ``f(u) = C M(k0(u))⁻¹ D`` is sampled on a closed curve around the region. Being meromorphic, it is
recovered from the samples by a rational interpolant in Loewner form (A. J. Mayo and A. C. Antoulas, Linear
Algebra Appl. 425, 634 (2007)); the eigenvalues of the Loewner pencil are its poles, inside the curve and near
it, all at once. Each pole inside is then polished on M itself by the caller. The proof comes from the samples
again: once the exact residues of the polished poles are subtracted, the contour moments ``∮ f(u) uᵐ du`` of the
remainder must vanish (the moments whose rank Beyn's method counts: W.-J. Beyn, Linear Algebra Appl. 436, 3839 (2012)).

Where a channel opens at a threshold t (a Rayleigh anomaly), M has a square-root branch point. A region ends at each
threshold, and there ``u`` is the root itself: k0 = t₁ + u², k0 = t₂ - u², or k0 = m - h cos u between two
thresholds; in u the response is meromorphic again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from cavitydesign.kinds import Array

_OFF = 0.1  # angle of the first point, so that none lies on the box's axes
_SQUARE = 0.08  # how far the curve is squared up: 0 is an ellipse


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the complex k0 plane between two thresholds, and the box of the variable u in which it is searched.

    Attributes:
        low, high: real parts of k0 between which poles are wanted, 1/nm.
        bottom, top: imaginary parts between which they are, 1/nm.
        left, right: thresholds (complex k0) at which u is a root; None: u is k0 itself on that side.
        inside: a real k0 between the thresholds: it tells which channels are open.
        centre, half_re, half_im: the rectangle in the u plane.
    """

    low: float
    high: float
    bottom: float
    top: float
    left: complex | None = None
    right: complex | None = None
    inside: float = math.nan
    centre: complex = 0j
    half_re: float = 0.0
    half_im: float = 0.0

    @classmethod
    def around(
        cls,
        low: float,
        high: float,
        bottom: float,
        top: float,
        *,
        left: complex | None = None,
        right: complex | None = None,
        inside: float | None = None,
        gap: float = math.inf,
    ) -> Region:
        """The region whose box in u holds the rectangle, as far as the thresholds' neighbours let it.

        ``gap``: distance in k0 from ``left`` or ``right`` to the nearest threshold beyond.
        """
        bare = cls(low, high, bottom, top, left, right, 0.5 * (low + high) if inside is None else inside)
        x0, x1, y0, y1 = bare._extent(gap)
        return replace(
            bare, centre=complex(0.5 * (x0 + x1), 0.5 * (y0 + y1)), half_re=0.5 * (x1 - x0), half_im=0.5 * (y1 - y0)
        )  # fmt: skip

    def _extent(self, gap: float) -> tuple[float, float, float, float]:
        """The rectangle in u: (least Re, largest Re, least Im, largest Im)."""
        if self.left is not None and self.right is not None:
            half = 0.5 * abs(self.right - self.left)
            most = min(1.2, 0.7 * math.acosh(1.0 + min(gap / half, 1e6)))
            level = 0.5 * (self.left.imag + self.right.imag)
            down, up = (
                min(_cosine_reach(max(reach, 1e-3 * half) / half), most)
                for reach in (level - self.bottom, self.top - level)
            )
            return 0.0, math.pi, -down, up
        edge = self.left if self.left is not None else self.right
        if edge is None:
            return self.low, self.high, self.bottom, self.top
        near, far = self.low - edge.real, self.high - edge.real
        if self.right is not None:
            near, far = -far, -near
        near = max(near, 0.0)
        most = min(math.sqrt(far), 0.7 * math.sqrt(min(gap, 1e6)))
        down, up = (
            min(_root_reach(near, max(reach, 1e-3 * far)), most)
            for reach in (edge.imag - self.bottom, self.top - edge.imag)
        )
        if self.right is not None:
            down, up = up, down  # k0 = t - u²: below the axis is above it in u
        return math.sqrt(near), math.sqrt(far + max(down, up) ** 2), -down, up

    @property
    def floor(self) -> float:
        """Imaginary part of k0 down to which the box holds all of the wanted strip, 1/nm."""
        c, x, y = self.centre, self.half_re, self.half_im
        if self.left is not None and self.right is not None:
            half, level = 0.5 * abs(self.right - self.left), min(self.left.imag, self.right.imag)
            return level - half * math.sinh(y - c.imag) * math.tanh(y - c.imag)
        if self.left is not None:
            return self.left.imag - _depth(c.real - x, y - c.imag)
        if self.right is not None:
            return self.right.imag - _depth(c.real - x, y + c.imag)
        return self.bottom

    def halves(self) -> tuple[Region, Region]:
        """The box cut in two across its longer side."""
        if self.half_re >= self.half_im:
            step, sizes = 0.5 * self.half_re, {"half_re": 0.5 * self.half_re}
        else:
            step, sizes = 0.5j * self.half_im, {"half_im": 0.5 * self.half_im}
        return replace(self, centre=self.centre - step, **sizes), replace(
            self, centre=self.centre + step, **sizes
        )

    def k0(self, u: Array) -> Array:
        """k0 at the points u."""
        if self.left is not None and self.right is not None:
            return 0.5 * (self.left + self.right) - 0.5 * (self.right - self.left) * np.cos(u)
        if self.left is not None:
            return self.left + u * u
        if self.right is not None:
            return self.right - u * u
        return u + 0j

    def slope(self, u: Array) -> Array:
        """dk0/du."""
        if self.left is not None and self.right is not None:
            return 0.5 * (self.right - self.left) * np.sin(u)
        if self.left is not None:
            return 2.0 * u
        if self.right is not None:
            return -2.0 * u
        return np.ones_like(u)

    def u(self, k0: complex) -> complex:
        """The point u on the physical side (positive root) that belongs to k0."""
        if self.left is not None and self.right is not None:
            return complex(
                np.arccos((0.5 * (self.left + self.right) - k0) / (0.5 * (self.right - self.left)) + 0j)
            )
        if self.left is not None:
            return complex(np.sqrt(k0 - self.left + 0j))
        if self.right is not None:
            return complex(np.sqrt(self.right - k0 + 0j))
        return complex(k0)

    def root(self, u: Array, *, left: bool) -> Array:
        """√(k0 - left) or √(right - k0), continued with u through zero to the other sheet."""
        if self.left is not None and self.right is not None:
            return np.sqrt(self.right - self.left + 0j) * (np.sin(0.5 * u) if left else np.cos(0.5 * u))
        return u

    def wants(self, k0: complex, *, margin: float = 1e-9) -> bool:
        """Whether a pole lies in the wanted part of the k0 plane."""
        slack = margin * self.high
        return (
            self.low - slack <= k0.real <= self.high + slack
            and self.bottom - slack <= k0.imag <= self.top + slack
        )

    def distance(self, u: Array | complex) -> Array:
        """How far points of the u plane are from the centre of the box, its edges being at 1."""
        away = np.asarray(u) - self.centre
        return np.maximum(np.abs(away.real) / self.half_re, np.abs(away.imag) / self.half_im)


def _root_reach(near: float, depth: float) -> float:
    """The h at which ``(x - ih)²`` with Re = near has Im = -depth: how far the box goes below a root's real axis."""
    return math.sqrt(0.5 * (math.hypot(near, depth) - near)) if depth > 0.0 else 0.0


def _depth(x0: float, h: float) -> float:
    """-Im of ``(x - ih)²`` where its real part is x0²: the inverse of :func:`_root_reach`."""
    return 2.0 * h * math.sqrt(x0 * x0 + h * h)


def _cosine_reach(depth: float) -> float:
    """The Y with ``sinh Y tanh Y = depth``: below both ends of the cosine's strip, in units of its half-width."""
    return math.acosh(0.5 * (depth + math.sqrt(depth * depth + 4.0)))


@dataclass(frozen=True, slots=True)
class Curve:
    """Sample points on a smooth closed curve around a rectangle, and the weights du of its contour integral."""

    u: Array
    du: Array
    centre: complex
    radius: float


def curve_around(region: Region, count: int) -> Curve:
    """A rounded rectangle through points that just enclose the region's box in the u plane.

    ``u = c + A (cos θ - η cos 3θ) + i B (sin θ + η sin 3θ)``: analytic in θ, so that the trapezoid rule converges
    geometrically; its corners pass outside those of the box.
    """
    centre, half_re, half_im = region.centre, region.half_re, region.half_im
    grow = 1.06 * math.sqrt(2.0) / (1.0 + _SQUARE)
    a, b = grow * half_re, grow * half_im
    theta = 2.0 * math.pi * np.arange(count) / count + _OFF
    x = a * (np.cos(theta) - _SQUARE * np.cos(3.0 * theta))
    y = b * (np.sin(theta) + _SQUARE * np.sin(3.0 * theta))
    dx = a * (-np.sin(theta) + 3.0 * _SQUARE * np.sin(3.0 * theta))
    dy = b * (np.cos(theta) + 3.0 * _SQUARE * np.cos(3.0 * theta))
    return Curve(centre + x + 1j * y, (dx + 1j * dy) / (1j * count), centre, max(a, b))


@dataclass(frozen=True, slots=True)
class RationalModel:
    """Poles of the interpolated response and their residues, shape (poles,) and (poles, l, p)."""

    poles: Array
    residues: Array
    resolved: bool


def loewner_poles(u: Array, f: Array, *, rank_tolerance: float = 1e-11) -> RationalModel:
    """Poles and residues of the rational interpolant through samples ``f[j] = f(u[j])``, f of shape (K, l, p).

    It is ``resolved`` where its singular values fall to 1e-9 before they end: more samples would add no poles.
    """
    count, l, p = f.shape
    right, left = np.arange(0, count, 2), np.arange(1, count, 2)
    gap = u[left][:, None] - u[right][None, :]
    df = (f[left][:, None] - f[right][None, :]) / gap[..., None, None]
    dg = (
        u[left][:, None, None, None] * f[left][:, None] - u[right][None, :, None, None] * f[right][None, :]
    ) / gap[..., None, None]
    shape = (len(left) * l, len(right) * p)
    loewner = df.transpose(0, 2, 1, 3).reshape(shape)
    shifted = dg.transpose(0, 2, 1, 3).reshape(shape)
    middle = u.mean()
    y, s, xh = np.linalg.svd(shifted - middle * loewner)
    rank = int(np.count_nonzero(s > rank_tolerance * s[0])) if s.size else 0
    y, x = y[:, :rank], xh[:rank].conj().T
    e, _a = y.conj().T @ loewner @ x, y.conj().T @ shifted @ x
    # a - u e = (a - m e) - (u - m) e; the first is s on its diagonal, so no singular pencil is inverted
    scaled = e / s[:rank][:, None]
    values, vectors = np.linalg.eig(scaled)
    keep = np.abs(values) > 1e-13 * max(float(np.abs(values).max(initial=0.0)), 1e-300)
    inverse = np.linalg.inv(vectors)
    outputs = f[right].transpose(1, 0, 2).reshape(l, -1) @ x @ vectors
    inputs = inverse @ ((y.conj().T @ f[left].reshape(-1, p)) / s[:rank][:, None])
    # f(u) = W (a - u e)⁻¹ V = Σ_i outputs_i inputs_i / (1 - (u - m) θ_i) up to sign: poles at m + 1/θ_i
    poles = middle + 1.0 / values[keep]
    residues = -outputs.T[keep][:, :, None] * inputs[keep][:, None, :] / values[keep][:, None, None]
    resolved = np.count_nonzero(s > 1e-9 * s[0]) < 0.8 * len(s) if s.size else True
    return RationalModel(poles, residues, bool(resolved))
