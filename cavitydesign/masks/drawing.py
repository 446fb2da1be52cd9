"""The parts of a chip that are not arrays: letters, crosses, bars, frames, arcs. Whole database units in and out."""

from __future__ import annotations

import math
from functools import lru_cache

from cavitydesign.errors import Unavailable
from cavitydesign.masks.layout import Layer, Lettering, Point, Polygon

_GRID = 16
"""The letters' corners lie on sixteenths of their height, so a height of a multiple of 16 units is exact."""


def rectangle(layer: Layer, x0: int, y0: int, x1: int, y1: int) -> Polygon:
    """An upright rectangle."""
    return Polygon(layer, ((x0, y0), (x1, y0), (x1, y1), (x0, y1)))


def cross(layer: Layer, center: Point, size: int, width: int) -> Polygon:
    """A plus sign as one polygon of twelve corners."""
    (x, y), s, w = center, size // 2, width // 2
    corners = (
        (-w, -s),
        (w, -s),
        (w, -w),
        (s, -w),
        (s, w),
        (w, w),
        (w, s),
        (-w, s),
        (-w, w),
        (-s, w),
        (-s, -w),
        (-w, -w),
    )
    return Polygon(layer, tuple((x + dx, y + dy) for dx, dy in corners))


def frame(layer: Layer, half_x: int, half_y: int, width: int, ticks: bool) -> tuple[Polygon, ...]:
    """The edge of the die as four abutting bars, with triangles that point at the middle of each edge from inside."""
    if width == 0:
        return ()
    x, y, w = half_x, half_y, width
    bars = (
        rectangle(layer, -x, -y, x, -y + w), rectangle(layer, -x, y - w, x, y),
        rectangle(layer, -x, -y + w, -x + w, y - w), rectangle(layer, x - w, -y + w, x, y - w),
    )  # fmt: skip
    if not ticks:
        return bars
    t, near_x, near_y = 2 * w, x - w - w // 2, y - w - w // 2
    triangles = (
        ((-t, -near_y + t), (0, -near_y), (t, -near_y + t)),
        ((t, near_y - t), (0, near_y), (-t, near_y - t)),
        ((-near_x + t, t), (-near_x, 0), (-near_x + t, -t)),
        ((near_x - t, -t), (near_x, 0), (near_x - t, t)),
    )
    return (*bars, *(Polygon(layer, points) for points in triangles))


def scale_bar(layer: Layer, length: int, height: int) -> tuple[Polygon, ...]:
    """A bar from (0, 0) to (length, 0) with end ticks and nine shorter ones between, as one comb."""
    bar = max(height // 5, 1)
    tick = max(bar // 2, 1)
    points: list[Point] = [(0, 0), (length, 0)]
    for index in range(10, -1, -1):
        x = length * index // 10
        top = height if index in (0, 10) else (7 * height) // 10 if index == 5 else height // 2
        left, right = max(x - tick // 2, 0), min(x - tick // 2 + tick, length)
        if index == 0:
            left, right = 0, tick
        if index == 10:
            left, right = length - tick, length
        points += [(right, bar), (right, top), (left, top), (left, bar)]
    cleaned = [p for i, p in enumerate(points) if p != points[i - 1]]
    return (Polygon(layer, tuple(cleaned)),)


def disc(layer: Layer, radius: int) -> Polygon:
    """A disc of 196 vertices about (0, 0), of the circle's own area."""
    turn = 2.0 * math.pi / 196
    grown = radius * math.sqrt(turn / math.sin(turn))
    return Polygon(layer, tuple(_polar(grown, turn * (k + 0.5)) for k in range(196)))


def ring(layer: Layer, inner: int, outer: int, vents: int, vent: int) -> tuple[Polygon, ...]:
    """A ring about (0, 0) in ``vents`` arcs; the gaps are parallel-sided, ``vent`` wide."""
    arcs = []
    for index in range(vents):
        start, stop = 2.0 * math.pi * index / vents, 2.0 * math.pi * (index + 1) / vents
        points: list[Point] = []
        for radius, forward in ((outer, True), (inner, False)):
            half = math.asin(min(0.5 * vent / radius, 1.0))
            first, last = start + half, stop - half
            steps = max(4, math.ceil(90 * (last - first) / math.pi / 2))
            angles = [first + (last - first) * k / steps for k in range(steps + 1)]
            points += [_polar(radius, angle) for angle in (angles if forward else reversed(angles))]
        arcs.append(Polygon(layer, tuple(points)))
    return tuple(arcs)


def _polar(radius: float, angle: float) -> Point:
    return round(radius * math.cos(angle)), round(radius * math.sin(angle))


def letters(
    layer: Layer, text: str, height: int, center: Point
) -> tuple[tuple[Polygon, ...], Lettering | None]:
    """A line of text, its box centred on ``center``. Blank text draws nothing."""
    step = max(height // _GRID, 1)
    shapes = _glyphs(text)
    if not shapes:
        return (), None
    xs = [x for points in shapes for x, _ in points]
    ys = [y for points in shapes for _, y in points]
    dx = center[0] - (min(xs) + max(xs)) * step // 2
    dy = center[1] - (min(ys) + max(ys)) * step // 2
    placed = tuple(
        Polygon(layer, tuple((x * step + dx, y * step + dy) for x, y in points)) for points in shapes
    )
    box = (min(xs) * step + dx, min(ys) * step + dy, max(xs) * step + dx, max(ys) * step + dy)
    return placed, Lettering(text, step * _GRID, box)


def letters_width(text: str, height: int) -> int:
    """Width of a line of text."""
    xs = [x for points in _glyphs(text) for x, _ in points]
    return (max(xs) - min(xs)) * max(height // _GRID, 1) if xs else 0


@lru_cache(maxsize=4096)
def _glyphs(text: str) -> tuple[tuple[Point, ...], ...]:
    """The polygons of a line of text in sixteenths of its height, counter-clockwise."""
    try:
        import gdstk
    except ImportError as error:
        raise Unavailable("gdstk", why=str(error), install="pip install gdstk") from None
    found = []
    for polygon in gdstk.text(text, _GRID, (0.0, 0.0)):
        points = [(round(float(x)), round(float(y))) for x, y in polygon.points]
        twice = sum(a[0] * b[1] - a[1] * b[0] for a, b in zip(points, points[1:] + points[:1], strict=True))
        found.append(tuple(points if twice > 0 else points[::-1]))
    return tuple(found)


def subtract(tile: tuple[Point, ...], holes: list[tuple[Point, ...]]) -> list[tuple[Point, ...]]:
    """``tile`` without ``holes``, as polygons without islands (a hole is joined to the rim by a cut of no width)."""
    import gdstk

    found = []
    for polygon in gdstk.boolean(
        [gdstk.Polygon(tile)], [gdstk.Polygon(hole) for hole in holes], "not", precision=0.5
    ):
        points = [(round(float(x)), round(float(y))) for x, y in polygon.points]
        twice = sum(a[0] * b[1] - a[1] * b[0] for a, b in zip(points, points[1:] + points[:1], strict=True))
        found.append(tuple(points if twice > 0 else points[::-1]))
    return sorted(found)
