"""Widths and distances of polygons, vertices as rows of (n, 2) arrays, counter-clockwise."""

from __future__ import annotations

import math

import numpy as np

from cavitydesign.kinds import Array


def polygon_width(outline: Array) -> float:
    """Smallest width: for a convex polygon exactly (rotating calipers), else between edges that face each other."""
    edges = np.roll(outline, -1, axis=0) - outline
    length = np.hypot(edges[:, 0], edges[:, 1])
    along = edges / length[:, None]
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)  # inwards, the outline being counter-clockwise
    turn = edges[:, 0] * np.roll(edges[:, 1], -1) - edges[:, 1] * np.roll(edges[:, 0], -1)
    if (turn >= -1e-9 * length**2).all():
        heights = (outline[None, :, :] - outline[:, None, :]) @ across[:, :, None]
        return float(heights[..., 0].max(axis=1).min())
    return _facing(outline, edges, along, across)


def _facing(outline: Array, edges: Array, along: Array, across: Array) -> float:
    """Smallest distance across the inside between edges of opposite direction (within 45°) that overlap along it."""
    ends = outline + edges
    best = math.inf
    for i in range(len(outline)):
        opposite = np.flatnonzero(along @ along[i] < -math.sqrt(0.5))
        both = np.stack([outline[opposite], ends[opposite]]) - outline[i]
        low, high = (both @ along[i]).min(axis=0), (both @ along[i]).max(axis=0)
        overlap = np.minimum(high, float(np.hypot(*edges[i]))) - np.maximum(low, 0.0)
        near = (both @ across[i]).min(axis=0)
        facing = (overlap > 1e-9) & (near > 1e-9)
        best = min(best, float(near[facing].min(initial=math.inf)))
    return best


def polygon_distance(first: Array, second: Array) -> float:
    """Smallest distance of two polygons; 0 when they touch, cross or lie within each other."""
    if _crossing(first, second) or _holds(first, second[0]) or _holds(second, first[0]):
        return 0.0
    return min(_to_edges(first, second), _to_edges(second, first))


def _to_edges(points: Array, polygon: Array) -> float:
    start = polygon[None, :, :]
    edge = (np.roll(polygon, -1, axis=0) - polygon)[None, :, :]
    away = points[:, None, :] - start
    part = np.clip((away * edge).sum(axis=2) / (edge * edge).sum(axis=2), 0.0, 1.0)
    return float(np.sqrt(((away - part[..., None] * edge) ** 2).sum(axis=2)).min())


def _crossing(first: Array, second: Array) -> bool:
    a, b = first[:, None, :], np.roll(first, -1, axis=0)[:, None, :]
    c, d = second[None, :, :], np.roll(second, -1, axis=0)[None, :, :]

    def side(p: Array, q: Array, r: Array) -> Array:
        (ux, uy), (vx, vy) = np.moveaxis(q - p, -1, 0), np.moveaxis(r - p, -1, 0)
        return ux * vy - uy * vx

    return bool(((side(a, b, c) * side(a, b, d) < 0) & (side(c, d, a) * side(c, d, b) < 0)).any())


def _holds(polygon: Array, point: Array) -> bool:
    a, b = polygon, np.roll(polygon, -1, axis=0)
    cut = (a[:, 1] > point[1]) != (b[:, 1] > point[1])
    height = np.where(cut, b[:, 1] - a[:, 1], 1.0)
    x = a[:, 0] + (point[1] - a[:, 1]) * (b[:, 0] - a[:, 0]) / height
    return bool(np.count_nonzero(cut & (x > point[0])) % 2)
