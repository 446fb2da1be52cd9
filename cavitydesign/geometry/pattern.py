"""Shapes in the unit cell: area, outline and closed-form Fourier integrals.

Every shape answers ``fourier(gx, gy)``: the integral ``F(G) = ∫ exp(-iG·r) d²r`` over the shape, in nm², for arrays of
reciprocal-lattice vectors in 1/nm. Divided by the area of the cell it is the Fourier coefficient of the shape's
indicator function; ``F(0)`` is the area.
"""

from __future__ import annotations

import math
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from cavitydesign.geometry.base import Positive, Real, Value

Array = np.ndarray[Any, np.dtype[Any]]


class _Shape(Value):
    center_nm: tuple[Real, Real] = (0.0, 0.0)

    def _at_center(self, gx: Array, gy: Array, centred: Array) -> Array:
        """Shift theorem: moving the shape by c multiplies F(G) by exp(-iG·c)."""
        cx, cy = self.center_nm
        return centred if cx == cy == 0.0 else centred * np.exp(-1j * (gx * cx + gy * cy))


class Circle(_Shape):
    """A disc. ``F(G) = 2π r² J₁(Gr)/(Gr)``."""

    shape: Literal["circle"] = "circle"
    radius_nm: Positive

    @property
    def area_nm2(self) -> float:
        """π r²."""
        return math.pi * self.radius_nm**2

    def outline(self, points: int = 64) -> Array:
        """The rim as ``points`` vertices on it, counter-clockwise, shape (points, 2), in nm."""
        angle = 2.0 * math.pi * np.arange(points) / points
        return np.array(self.center_nm) + self.radius_nm * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def fourier(self, gx: Array, gy: Array) -> Array:
        """∫ exp(-iG·r) d²r in nm²; shape of ``gx``."""
        x = np.hypot(gx, gy) * self.radius_nm
        safe = np.where(x > 1e-12, x, 1.0)
        ratio = np.where(x > 1e-12, 2.0 * _bessel_j1(safe) / safe, 1.0)
        return self._at_center(gx, gy, self.area_nm2 * ratio)


class Polygon(_Shape):
    """A simple polygon; its vertices are relative to ``center_nm``, in either sense of rotation.

    With ``∇·(iG/G² e^{-iG·r}) = e^{-iG·r}`` the integral becomes one over the edges Δ_j with midpoints m_j:
    ``F(G) = (i/G²) Σ_j (G × Δ_j) exp(-iG·m_j) sin(G·Δ_j/2)/(G·Δ_j/2)``.
    """

    shape: Literal["polygon"] = "polygon"
    vertices_nm: tuple[tuple[Real, Real], ...] = Field(min_length=3)

    @model_validator(mode="after")
    def _simple(self) -> Self:
        vertices = np.array(self.vertices_nm)
        if abs(_signed_area(vertices)) <= 1e-9 * float(np.ptp(vertices, axis=0).max()) ** 2:
            raise ValueError("vertices_nm must enclose an area")
        if _self_crossing(vertices):
            raise ValueError("vertices_nm must not cross themselves; list the corners in order around the shape")
        return self

    @property
    def area_nm2(self) -> float:
        """Shoelace formula."""
        return abs(_signed_area(np.array(self.vertices_nm)))

    def outline(self, points: int = 64) -> Array:
        """The vertices, counter-clockwise, shape (vertices, 2), in nm; ``points`` is for round shapes only."""
        del points
        vertices = np.array(self.vertices_nm)
        return np.array(self.center_nm) + (vertices if _signed_area(vertices) > 0.0 else vertices[::-1])

    def fourier(self, gx: Array, gy: Array) -> Array:
        """∫ exp(-iG·r) d²r in nm²; shape of ``gx``."""
        vertices = np.array(self.vertices_nm)
        if _signed_area(vertices) < 0.0:
            vertices = vertices[::-1]
        edges = np.roll(vertices, -1, axis=0) - vertices
        middles = vertices + 0.5 * edges
        gx, gy = np.asarray(gx, dtype=float), np.asarray(gy, dtype=float)
        total = np.zeros(np.broadcast(gx, gy).shape, dtype=complex)
        for (dx, dy), (mx, my) in zip(edges, middles, strict=True):
            half = 0.5 * (gx * dx + gy * dy)
            total += (gx * dy - gy * dx) * np.exp(-1j * (gx * mx + gy * my)) * np.sinc(half / math.pi)
        g2 = gx**2 + gy**2
        at_zero = g2 < 1e-24
        centred = np.where(at_zero, self.area_nm2, 1j * total / np.where(at_zero, 1.0, g2))
        return self._at_center(gx, gy, centred)


class Rectangle(_Shape):
    """A rectangle with sides ``size_nm = [x, y]``, turned counter-clockwise by ``rotation_deg`` about its centre.

    ``F(G) = a b sinc(G_a a/2) sinc(G_b b/2)`` with G along the turned sides.
    """

    shape: Literal["rectangle"] = "rectangle"
    size_nm: tuple[Positive, Positive]
    rotation_deg: Real = 0.0

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

    def outline(self, points: int = 64) -> Array:
        """The four corners, counter-clockwise, shape (4, 2), in nm; ``points`` is for round shapes only."""
        del points
        c, s = self._axes()
        a, b = 0.5 * self.size_nm[0], 0.5 * self.size_nm[1]
        corners = np.array([[-a, -b], [a, -b], [a, b], [-a, b]])
        return np.array(self.center_nm) + corners @ np.array([[c, s], [-s, c]])

    def fourier(self, gx: Array, gy: Array) -> Array:
        """∫ exp(-iG·r) d²r in nm²; shape of ``gx``."""
        c, s = self._axes()
        along, across = c * gx + s * gy, -s * gx + c * gy
        a, b = self.size_nm
        centred = a * b * np.sinc(along * a / (2.0 * math.pi)) * np.sinc(across * b / (2.0 * math.pi))
        return self._at_center(gx, gy, centred)


Pattern = Circle | Rectangle | Polygon


def relation(first: Array, second: Array) -> Literal["disjoint", "inside", "around", "crossing"]:
    """How outline ``first`` lies to outline ``second``; shapes that only touch do not cross."""
    scale = 1e-9 * max(float(np.ptp(first)), float(np.ptp(second)), 1.0)
    if (first.min(0) > second.max(0) - scale).any() or (second.min(0) > first.max(0) - scale).any():
        return "disjoint"
    if _outlines_cross(first, second):
        return "crossing"
    if _contains(second, _inner_point(first)):
        return "inside" if abs(_signed_area(first)) <= abs(_signed_area(second)) else "around"
    return "around" if _contains(first, _inner_point(second)) else "disjoint"


def _bessel_j1(x: Array) -> Array:
    """J₁ by its integral, ``(1/π) ∫₀^π cos(τ - x sin τ) dτ``.

    The integrand is periodic and analytic, so the trapezoid rule is exact to rounding once it has more than
    x + 40 points (DLMF 10.9.2; Trefethen and Weideman, SIAM Rev. 56, 385 (2014)). scipy.special has J₁ too, but
    importing it costs more than a whole mode search.
    """
    x = np.asarray(x, dtype=float)
    points = int(np.max(x, initial=0.0)) + 48
    angle = 2.0 * math.pi * np.arange(points) / points
    return np.cos(angle - x[..., None] * np.sin(angle)).mean(axis=-1)


def _signed_area(v: Array) -> float:
    x, y = v[:, 0], v[:, 1]
    return 0.5 * float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def _sides(a: Array, b: Array, p: Array) -> Array:
    """Twice the signed area of the triangles (a, b, p): > 0 where p lies left of a → b."""
    return (b[..., 0] - a[..., 0]) * (p[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (p[..., 0] - a[..., 0])


def _outlines_cross(first: Array, second: Array) -> bool:
    a, b = first[:, None, :], np.roll(first, -1, axis=0)[:, None, :]
    c, d = second[None, :, :], np.roll(second, -1, axis=0)[None, :, :]
    tiny = 1e-9 * max(float(np.ptp(first)), float(np.ptp(second))) ** 2
    straddles = (_sides(a, b, c) * _sides(a, b, d) < -(tiny**2)) & (_sides(c, d, a) * _sides(c, d, b) < -(tiny**2))
    return bool(straddles.any())


def _self_crossing(v: Array) -> bool:
    n = len(v)
    a, b = v[:, None, :], np.roll(v, -1, axis=0)[:, None, :]
    c, d = v[None, :, :], np.roll(v, -1, axis=0)[None, :, :]
    crossing = (_sides(a, b, c) * _sides(a, b, d) < 0) & (_sides(c, d, a) * _sides(c, d, b) < 0)
    gap = (np.arange(n)[:, None] - np.arange(n)[None, :]) % n
    return bool((crossing & (gap > 1) & (gap < n - 1)).any())


def _inner_point(outline: Array) -> Array:
    """A point strictly inside: the middle of the widest stretch that a horizontal line cuts out of the outline."""
    ys = np.unique(outline[:, 1])
    gap = int(np.argmax(np.diff(ys)))
    y = 0.5 * (ys[gap] + ys[gap + 1])
    a, b = outline, np.roll(outline, -1, axis=0)
    cut = (a[:, 1] > y) != (b[:, 1] > y)
    xs = np.sort(a[cut, 0] + (y - a[cut, 1]) * (b[cut, 0] - a[cut, 0]) / (b[cut, 1] - a[cut, 1]))
    stretch = int(np.argmax(xs[1::2] - xs[0::2]))
    return np.array([0.5 * (xs[2 * stretch] + xs[2 * stretch + 1]), y])


def _contains(outline: Array, point: Array) -> bool:
    a, b = outline, np.roll(outline, -1, axis=0)
    cut = (a[:, 1] > point[1]) != (b[:, 1] > point[1])
    height = np.where(cut, b[:, 1] - a[:, 1], 1.0)
    x = a[:, 0] + (point[1] - a[:, 1]) * (b[:, 0] - a[:, 0]) / height
    return bool(np.count_nonzero(cut & (x > point[0])) % 2)
