"""Shapes in the unit cell: area, outline and closed-form Fourier integrals.

Every shape answers ``fourier(gx, gy)``: the integral ``F(G) = ∫ exp(-iG·r) d²r`` over the shape, in nm², for arrays of
reciprocal-lattice vectors in 1/nm. Divided by the area of the cell it is the Fourier coefficient of the shape's
indicator function; ``F(0)`` is the area.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from cavitydesign.geometry.base import Length, Place, Value
from cavitydesign.geometry.complaint import RuleBroken
from cavitydesign.geometry.lattice import ALONG_NM
from cavitydesign.kinds import Array


class _Shape(Value):
    center_nm: tuple[Place, Place] = (0.0, 0.0)

    def _rim(self, points: int, /) -> Array:
        raise NotImplementedError

    def _centred(self, gx: Array, gy: Array) -> Array:
        raise NotImplementedError

    def outline(self, points: int = 64) -> Array:
        """The rim, counter-clockwise, shape (n, 2), in nm: its corners; of a round shape ``points`` points on it."""
        return np.array(self.center_nm) + self._rim(points)

    def fourier(self, gx: Array, gy: Array) -> Array:
        """∫ exp(-iG·r) d²r in nm²; shape of ``gx``. Moving the shape by c multiplies it by exp(-iG·c)."""
        (cx, cy), centred = self.center_nm, self._centred(np.asarray(gx), np.asarray(gy))
        return centred if cx == cy == 0.0 else centred * np.exp(-1j * (gx * cx + gy * cy))


class Circle(_Shape):
    """A disc. ``F(G) = 2π r² J₁(Gr)/(Gr)``."""

    shape: Literal["circle"] = "circle"
    radius_nm: Length

    @property
    def area_nm2(self) -> float:
        """π r²."""
        return math.pi * self.radius_nm**2

    def _rim(self, points: int, /) -> Array:
        angle = 2.0 * math.pi * np.arange(points) / points
        return self.radius_nm * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def _centred(self, gx: Array, gy: Array) -> Array:
        x = np.hypot(gx, gy) * self.radius_nm
        small = x < 1e-2  # there the series is exact to rounding, a quotient of small numbers is not
        safe = np.where(small, 1.0, x)
        ratio = np.where(small, 1.0 - x**2 / 8.0 + x**4 / 192.0, 2.0 * _bessel_j1(safe) / safe)
        return self.area_nm2 * ratio


class Polygon(_Shape):
    """A simple polygon; its vertices are relative to ``center_nm``, in either sense of rotation.

    With ``∇·(iG/G² e^{-iG·r}) = e^{-iG·r}`` the integral becomes one over the edges Δ_j with midpoints m_j:
    ``F(G) = (i/G²) Σ_j (G × Δ_j) exp(-iG·m_j) sin(G·Δ_j/2)/(G·Δ_j/2)``.
    """

    shape: Literal["polygon"] = "polygon"
    vertices_nm: tuple[tuple[Place, Place], ...] = Field(min_length=3)

    @model_validator(mode="after")
    def _simple(self) -> Self:
        vertices = np.array(self.vertices_nm)
        area, width = abs(_signed_area(vertices)), float(np.ptp(vertices, axis=0).max())
        if area <= max(1e-9 * width**2, 1e-12):
            raise RuleBroken("must enclose an area", key="vertices_nm", value=self.vertices_nm)
        # counted by sense of rotation and by inside or outside, the area is the same only without crossings
        if abs(_common_area(vertices, vertices) - area) > 1e-9 * width**2:
            rule = "must not cross themselves; list the corners in order around the shape"
            raise RuleBroken(rule, key="vertices_nm", value=self.vertices_nm)
        return self

    @property
    def area_nm2(self) -> float:
        """Shoelace formula."""
        return abs(_signed_area(np.array(self.vertices_nm)))

    def _rim(self, _: int = 0, /) -> Array:
        vertices = np.array(self.vertices_nm)
        return vertices if _signed_area(vertices) > 0.0 else vertices[::-1]

    def _centred(self, gx: Array, gy: Array) -> Array:
        vertices = self._rim()
        edges = np.roll(vertices, -1, axis=0) - vertices
        middles = vertices + 0.5 * edges
        total = np.zeros(np.broadcast(gx, gy).shape, dtype=complex)
        for (dx, dy), (mx, my) in zip(edges, middles, strict=True):
            half = 0.5 * (gx * dx + gy * dy)
            total += (gx * dy - gy * dx) * np.exp(-1j * (gx * mx + gy * my)) * np.sinc(half / math.pi)
        g2 = gx**2 + gy**2
        at_zero = g2 < 1e-24
        return np.where(at_zero, self.area_nm2, 1j * total / np.where(at_zero, 1.0, g2))


class Rectangle(_Shape):
    """A rectangle with sides ``size_nm = [x, y]``, turned counter-clockwise by ``rotation_deg`` about its centre.

    ``F(G) = a b sinc(G_a a/2) sinc(G_b b/2)`` with G along the turned sides.
    """

    shape: Literal["rectangle"] = "rectangle"
    size_nm: tuple[Length, Length]
    rotation_deg: Annotated[float, Field(ge=-360.0, le=360.0, strict=True)] = 0.0

    @property
    def area_nm2(self) -> float:
        """Product of the sides."""
        return self.size_nm[0] * self.size_nm[1]

    def _axes(self) -> tuple[float, float]:
        quarter_turns, rest = divmod(self.rotation_deg, 90.0)
        if rest == 0.0:  # exact, so that a square turned by 90° keeps its mirrors to the last bit
            return ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[int(quarter_turns) % 4]
        angle = math.radians(self.rotation_deg)
        return math.cos(angle), math.sin(angle)

    def _rim(self, _: int, /) -> Array:
        c, s = self._axes()
        return _corners(*self.size_nm) @ np.array([[c, s], [-s, c]])

    def _centred(self, gx: Array, gy: Array) -> Array:
        c, s = self._axes()
        along, across = c * gx + s * gy, -s * gx + c * gy
        a, b = self.size_nm
        return a * b * np.sinc(along * a / (2.0 * math.pi)) * np.sinc(across * b / (2.0 * math.pi))


class Bar(_Shape):
    """A stripe of ``width_nm`` along y, the shape of line lattices; what is said of areas is per nm of its length.

    ``F(G) = w sinc(G_x w/2)`` for G along x, the only ones of a line lattice; ``center_nm``'s y has no meaning.
    """

    shape: Literal["bar"] = "bar"
    width_nm: Length

    @property
    def area_nm2(self) -> float:
        """The width times 1 nm."""
        return self.width_nm * ALONG_NM

    def outline(self, points: int = 64) -> Array:
        """The corners of 1 nm of it, counter-clockwise, shape (4, 2), in nm; ``points`` is for round shapes only."""
        del points
        return np.array([self.center_nm[0], 0.0]) + _corners(self.width_nm, ALONG_NM)

    def _centred(self, gx: Array, gy: Array) -> Array:
        along = self.area_nm2 * np.sinc(gx * self.width_nm / (2.0 * math.pi))
        return np.where(np.abs(gy) < 1e-12, along, 0.0)


Pattern = Circle | Rectangle | Polygon | Bar


def relation(first: Array, second: Array) -> Literal["disjoint", "inside", "around", "crossing"]:
    """How outline ``first`` lies to outline ``second``, by the area they share; shapes that only touch are disjoint.

    A part below 1e-9 of the smaller shape's area does not count. Equal outlines are "inside".
    """
    if (first.min(0) >= second.max(0)).any() or (second.min(0) >= first.max(0)).any():
        return "disjoint"
    area, other = abs(_signed_area(first)), abs(_signed_area(second))
    common, tiny = _common_area(first, second), 1e-9 * min(area, other)
    if common <= tiny:
        return "disjoint"
    if common >= area - tiny:
        return "inside"
    return "around" if common >= other - tiny else "crossing"


def _corners(width: float, height: float) -> Array:
    return 0.5 * np.array([[-width, -height], [width, -height], [width, height], [-width, height]])


def _bessel_j1(x: Array) -> Array:
    """J₁ by its integral, ``(1/π) ∫₀^π cos(τ - x sin τ) dτ``.

    The integrand is periodic and analytic, so the trapezoid rule with N points is wrong by J_{N-1}(x) only, which is
    below rounding from N = x + 15 x^(1/3) + 40 on (DLMF 10.9.2; Trefethen and Weideman, SIAM Rev. 56, 385 (2014)).
    scipy.special has J₁ too, but importing it costs more than a whole mode search.
    """
    x = np.asarray(x, dtype=float)
    most = float(np.max(x, initial=0.0))
    points = int(most + 15.0 * most ** (1.0 / 3.0)) + 40
    angle = 2.0 * math.pi * np.arange(points) / points
    return np.cos(angle - x[..., None] * np.sin(angle)).mean(axis=-1)


def _signed_area(v: Array) -> float:
    x, y = v[:, 0], v[:, 1]
    return 0.5 * float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def _common_area(first: Array, second: Array) -> float:
    """Area inside both outlines (even-odd rule), exact.

    Between two neighbouring heights of corners and edge crossings the common width is linear in y, so that its value
    half-way times the height is the area of that strip.
    """
    corners = np.concatenate([first[:, 1], second[:, 1]])
    heights = np.unique(np.concatenate([corners, _crossing_heights(first, second)]))
    middles = 0.5 * (heights[:-1] + heights[1:])
    (low, high), (other_low, other_high) = _cuts(first, middles), _cuts(second, middles)
    left = np.maximum(low[:, :, None], other_low[:, None, :])
    right = np.minimum(high[:, :, None], other_high[:, None, :])
    widths = np.clip(right - left, 0.0, None).sum(axis=(1, 2))
    return float(widths @ np.diff(heights))


def _crossing_heights(first: Array, second: Array) -> Array:
    """y of the points where an edge of one outline crosses an edge of the other."""
    r = (np.roll(first, -1, axis=0) - first)[:, None, :]
    s = (np.roll(second, -1, axis=0) - second)[None, :, :]
    gap = second[None, :, :] - first[:, None, :]
    cross = r[..., 0] * s[..., 1] - r[..., 1] * s[..., 0]
    parallel = cross == 0.0
    cross = np.where(parallel, 1.0, cross)
    t = (gap[..., 0] * s[..., 1] - gap[..., 1] * s[..., 0]) / cross
    u = (gap[..., 0] * r[..., 1] - gap[..., 1] * r[..., 0]) / cross
    hit = ~parallel & (t >= 0.0) & (t <= 1.0) & (u >= 0.0) & (u <= 1.0)
    return (first[:, None, 1] + t * r[..., 1])[hit]


def _cuts(outline: Array, y: Array) -> tuple[Array, Array]:
    """x where horizontal lines enter and leave the outline, each (lines, most stretches), padded with zeros."""
    a, b = outline, np.roll(outline, -1, axis=0)
    cut = (a[:, 1] > y[:, None]) != (b[:, 1] > y[:, None])
    rise = np.where(a[:, 1] == b[:, 1], 1.0, b[:, 1] - a[:, 1])
    x = a[:, 0] + (y[:, None] - a[:, 1]) * (b[:, 0] - a[:, 0]) / rise
    ordered = np.sort(np.where(cut, x, np.inf), axis=1)[:, : int(cut.sum(axis=1).max(initial=0))]
    ordered = np.where(np.isinf(ordered), 0.0, ordered)
    return ordered[:, 0::2], ordered[:, 1::2]
