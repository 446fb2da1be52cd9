"""Rims of shapes as pieces, straight or elliptic: area, Fourier integral, and polygons that stand for them.

::

    Line   r(t) = a + t (b - a),  0 ≤ t ≤ 1             a rim runs counter-clockwise, what it encloses on its left
    Arc    r(φ) = c + u cos φ + v sin φ,  φ₀ … φ₁        of a circle u ⊥ v are of one length
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from cavitydesign.geometry.complaint import RuleBroken
from cavitydesign.kinds import Array


class Line(NamedTuple):
    """A straight piece, from (x0, y0) to (x1, y1)."""

    x0: float
    y0: float
    x1: float
    y1: float

    def at(self, t: Array) -> Array:
        """Points at ``t``, 0 … 1 along it, shape (..., 2)."""
        t = np.asarray(t)[..., None]
        return np.array(self[:2]) * (1.0 - t) + np.array(self[2:]) * t

    def moved(self, x: float, y: float) -> Line:
        """Moved by (x, y)."""
        return Line(self.x0 + x, self.y0 + y, self.x1 + x, self.y1 + y)

    def scaled(self, scale: float) -> Line:
        """In units of 1/scale."""
        return Line(*(round(scale * number, 13) for number in self))

    @property
    def area(self) -> float:
        """½ ∫ r × dr."""
        return 0.5 * (self.x0 * self.y1 - self.x1 * self.y0)


class Arc(NamedTuple):
    """A piece of an ellipse about (cx, cy), from ``start`` to ``stop`` (radians); clockwise where start > stop."""

    cx: float
    cy: float
    ux: float
    uy: float
    vx: float
    vy: float
    start: float
    stop: float

    def angle(self, t: Array) -> Array:
        """φ at ``t``, 0 … 1 along it."""
        return self.start + np.asarray(t) * (self.stop - self.start)

    def at(self, t: Array) -> Array:
        """Points at ``t``, 0 … 1 along it, shape (..., 2)."""
        angle = self.angle(t)[..., None]
        u, v = np.array(self[2:4]), np.array(self[4:6])
        return np.array(self[:2]) + u * np.cos(angle) + v * np.sin(angle)

    def slope(self, t: Array) -> Array:
        """dr/dt there, shape (..., 2)."""
        angle = self.angle(t)[..., None]
        u, v = np.array(self[2:4]), np.array(self[4:6])
        return (self.stop - self.start) * (v * np.cos(angle) - u * np.sin(angle))

    def moved(self, x: float, y: float) -> Arc:
        """Moved by (x, y)."""
        return self._replace(cx=self.cx + x, cy=self.cy + y)

    def scaled(self, scale: float) -> Arc:
        """In units of 1/scale."""
        lengths = (round(scale * number, 13) for number in self[:6])
        return Arc(*lengths, start=round(self.start, 13), stop=round(self.stop, 13))

    @property
    def area(self) -> float:
        """½ ∫ r × dr."""
        (x0, y0), (x1, y1) = self.at(np.array([0.0, 1.0])) - np.array(self[:2])
        about = self.cx * (y1 - y0) - self.cy * (x1 - x0)
        return 0.5 * float(about + (self.ux * self.vy - self.uy * self.vx) * (self.stop - self.start))


Piece = Line | Arc


def rounded(corners: Array, radius: float) -> tuple[Piece, ...]:
    """The rim of a counter-clockwise polygon, each corner an arc that touches both edges."""
    if not radius:
        return tuple(Line(*ends) for ends in np.hstack([corners, np.roll(corners, -1, axis=0)]).tolist())
    into, out, turn, taken = bends(corners)
    starts, stops = corners + radius * taken[:, None] * out, corners - radius * taken[:, None] * into
    pieces: list[Piece] = []
    for k, (start, stop) in enumerate(zip(starts, np.roll(stops, -1, axis=0), strict=True)):
        if abs(turn[k]) > 1e-12:
            (x, y), side = into[k].tolist(), math.copysign(1.0, turn[k])
            cx, cy = (stops[k] + side * radius * np.array([-y, x])).tolist()
            u, v = (side * radius * y, -side * radius * x), (radius * x, radius * y)
            pieces.append(Arc(cx, cy, *u, *v, 0.0, abs(float(turn[k]))))
        if np.hypot(*(stop - start)) > 1e-9 * radius:
            pieces.append(Line(*start.tolist(), *stop.tolist()))
    return tuple(pieces)


def largest_radius(corners: Array) -> float:
    """Of arcs at the corners of a polygon that do not meet on any edge."""
    taken = bends(corners)[3]
    lengths = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
    return float(np.min(lengths / np.maximum(taken + np.roll(taken, -1), 1e-300)))


def moved_edges(corners: Array, by: float) -> Array:
    """Each edge of a counter-clockwise polygon moved along its outward normal, neighbours cut: mitred corners."""
    into, out, turn, _ = bends(corners)
    if (np.cos(turn) < -0.9).any():  # a tip sharper than 26° would grow a spike longer than 4 times as much
        raise RuleBroken("moves the edges of a polygon with too sharp a corner", key="vertices_nm")
    normals = np.stack([out[:, 1], -out[:, 0]], axis=1)
    before = np.stack([into[:, 1], -into[:, 0]], axis=1)
    moved = corners + by * (normals + before) / (1.0 + np.cos(turn))[:, None]
    if (np.sum((np.roll(moved, -1, axis=0) - moved) * out, axis=1) <= 0.0).any():
        raise RuleBroken("leaves nothing of an edge of a polygon", key="vertices_nm")
    return moved


def bends(corners: Array) -> tuple[Array, Array, Array, Array]:
    """At each corner: unit directions in and out, the turn to the left, and what an arc of 1 takes of an edge."""
    out = np.roll(corners, -1, axis=0) - corners
    out = out / np.hypot(out[:, 0], out[:, 1])[:, None]
    into = np.roll(out, 1, axis=0)
    turn = np.arctan2(into[:, 0] * out[:, 1] - into[:, 1] * out[:, 0], np.sum(into * out, axis=1))
    return into, out, turn, np.abs(np.tan(0.5 * turn))


def area(pieces: Iterable[Piece]) -> float:
    """What a closed rim encloses, by Green's theorem."""
    return sum(piece.area for piece in pieces)


def polyline(pieces: Sequence[Piece], points: int, *, of_same_area: bool = False) -> Array:
    """Points of a rim whose pieces follow each other, shape (n, 2): its corners, and on arcs ``points`` a full turn.

    These lie on the rim, and a circle is off by the sagitta, ``r (1 - cos(π/points))`` at most, 0.12 % of r for 64;
    or, ``of_same_area``, half-way between those, and out from the centre until the polygon has the area of the shape.
    """
    found = []
    for piece in pieces:
        if isinstance(piece, Line):
            found.append(piece.at(np.zeros(1)))
            continue
        parts = _parts(piece, points)
        if of_same_area:
            center = np.array(piece[:2])
            beyond = _stretch(piece, parts) * (piece.at((np.arange(parts) + 0.5) / parts) - center)
            found += [center + beyond] if _is_whole(piece) else [piece.at(np.zeros(1)), center + beyond]
        else:
            found.append(piece.at(np.arange(parts) / parts))
    return np.concatenate(found)


def off_rim(pieces: Iterable[Piece], points: int) -> float:
    """Largest distance between a rim and its polygon of the same area; of an ellipse a bound."""
    worst = 0.0
    for arc in pieces:
        if isinstance(arc, Arc):
            parts = _parts(arc, points)
            out, half = _stretch(arc, parts), 0.5 * abs(arc.stop - arc.start) / parts
            longest = max(math.hypot(arc.ux, arc.uy), math.hypot(arc.vx, arc.vy))
            worst = max(worst, longest * max(out - 1.0, 1.0 - out * math.cos(half)))
    return worst


def _parts(arc: Arc, points: int) -> int:
    return max(1, math.ceil(points * abs(arc.stop - arc.start) / (2.0 * math.pi) - 1e-9))


def _is_whole(arc: Arc) -> bool:
    return abs(abs(arc.stop - arc.start) - 2.0 * math.pi) < 1e-9


def _stretch(arc: Arc, parts: int) -> float:
    """How far out f, in units of the rim's distance, n points of an arc must lie for their polygon to have its area.

    With s the angle of a part, the triangles about the centre have ``½ (f² (n - 1) sin(s) + 2 f sin(s/2))`` in units of
    the half axes' product, as both ends stay on the rim, and that is to be ½ n s; of a full turn ``½ f² n sin(s)``.
    """
    step = abs(arc.stop - arc.start) / parts
    whole = _is_whole(arc)
    inner, outer = (parts if whole else parts - 1) * math.sin(step), 0.0 if whole else math.sin(0.5 * step)
    return parts * step / (math.sqrt(outer**2 + inner * parts * step) + outer)


def fourier(pieces: Iterable[Piece], gx: Array, gy: Array) -> Array:
    """∫ exp(-iG·r) d²r of what a rim encloses, of the shape of ``gx``.

    With ``∇·(iG/G² e^{-iG·r}) = e^{-iG·r}`` it is ``(i/G²) ∮ (G × dr) e^{-iG·r}``: closed for lines, by Gauss-Legendre
    for arcs, whose error falls faster than exponentially once there are more nodes than half the phase along the arc.
    """
    gx, gy = np.asarray(gx, dtype=float), np.asarray(gy, dtype=float)
    total = np.zeros(np.broadcast(gx, gy).shape, dtype=complex)
    kept = tuple(pieces)
    for piece in kept:
        total += _straight(piece, gx, gy) if isinstance(piece, Line) else _curved(piece, gx, gy)
    g2 = gx**2 + gy**2
    at_zero = g2 < 1e-24
    return np.where(at_zero, area(kept), 1j * total / np.where(at_zero, 1.0, g2))


def _straight(line: Line, gx: Array, gy: Array) -> Array:
    dx, dy = line.x1 - line.x0, line.y1 - line.y0
    phase = gx * 0.5 * (line.x0 + line.x1) + gy * 0.5 * (line.y0 + line.y1)
    half = 0.5 * (gx * dx + gy * dy)
    return (gx * dy - gy * dx) * np.exp(-1j * phase) * np.sinc(half / math.pi)


def _curved(arc: Arc, gx: Array, gy: Array) -> Array:
    reach = max(math.hypot(arc.ux, arc.uy), math.hypot(arc.vx, arc.vy))
    most = float(np.max(np.hypot(gx, gy), initial=0.0)) * reach
    sweep = abs(arc.stop - arc.start)
    nodes, weights = np.polynomial.legendre.leggauss(24 + int(0.75 * sweep * (1.0 + most)))
    t = 0.5 * (1.0 + nodes)
    (x, y), (dx, dy) = arc.at(t).T, 0.5 * weights * arc.slope(t).T
    gx, gy = gx[..., None], gy[..., None]
    return np.sum((gx * dy - gy * dx) * np.exp(-1j * (gx * x + gy * y)), axis=-1)
