"""The parts of a chip that are not arrays: letters, crosses, bars, frames, arcs. Whole database units in and out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from cavitydesign.masks.layout import Layer, Lettering, Point, Polygon, area, box_of
from cavitydesign.masks.stream import import_gdstk

_GRID = 16
"""The letters' corners lie on sixteenths of their height, so a height of a multiple of 16 units is exact."""


Drawn = tuple[tuple[Polygon, ...], tuple[Lettering, ...]]
"""Polygons with the record of the letters among them."""


def rectangle(layer: Layer, x0: int, y0: int, x1: int, y1: int) -> Polygon:
    """An upright rectangle."""
    return Polygon(layer, ((x0, y0), (x1, y0), (x1, y1), (x0, y1)))


def cross(layer: Layer, center: Point, size: int, width: int) -> Polygon:
    """A plus sign as one polygon of twelve corners."""
    (x, y), s, w = center, size // 2, width // 2
    arm = ((-w, -s), (w, -s), (w, -w))
    quarters = ((1, 0), (0, 1), (-1, 0), (0, -1))
    return Polygon(layer, tuple((x + c * a - d * b, y + d * a + c * b) for c, d in quarters for a, b in arm))


def corners(x: int, y: int) -> tuple[Point, Point, Point, Point]:
    """Those of a rectangle about (0, 0), counter-clockwise from the lower left one."""
    return (-x, -y), (x, -y), (x, y), (-x, y)


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


def scale_bar(layer: Layer, length: int, height: int, at: Point) -> Polygon:
    """A bar from ``at`` to the right with end ticks and nine shorter ones between, as one comb."""
    bar = max(height // 5, 1)
    tick = max(bar // 2, 1)
    points: list[Point] = [(0, 0), (length, 0)]
    for index in range(10, -1, -1):
        left = min(max(length * index // 10 - tick // 2, 0), length - tick)
        top = height if index in (0, 10) else (7 * height) // 10 if index == 5 else height // 2
        points += [(left + tick, bar), (left + tick, top), (left, top), (left, bar)]
    kept = (p for i, p in enumerate(points) if p != points[i - 1])
    return Polygon(layer, tuple((at[0] + x, at[1] + y) for x, y in kept))


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


def letters(layer: Layer, text: str, height: int, center: Point) -> Drawn:
    """A line of text, its box centred on ``center``. Blank text draws nothing."""
    step = max(height // _GRID, 1)
    shapes = _glyphs(text)
    if not shapes:
        return (), ()
    x0, y0, x1, y1 = box_of([point for points in shapes for point in points])
    dx, dy = center[0] - (x0 + x1) * step // 2, center[1] - (y0 + y1) * step // 2
    placed = (tuple((x * step + dx, y * step + dy) for x, y in points) for points in shapes)
    box = (x0 * step + dx, y0 * step + dy, x1 * step + dx, y1 * step + dy)
    return tuple(Polygon(layer, points) for points in placed), (Lettering(text, step * _GRID, box),)


def letters_width(text: str, height: int) -> int:
    """Width of a line of text."""
    xs = [x for points in _glyphs(text) for x, _ in points]
    return (max(xs) - min(xs)) * max(height // _GRID, 1) if xs else 0


@lru_cache(maxsize=4096)
def _glyphs(text: str) -> tuple[tuple[Point, ...], ...]:
    """The polygons of a line of text in sixteenths of its height, counter-clockwise."""
    return tuple(_whole(import_gdstk().text(text, _GRID, (0.0, 0.0))))


def subtract(tile: tuple[Point, ...], holes: list[tuple[Point, ...]]) -> list[tuple[Point, ...]]:
    """``tile`` without ``holes``, as polygons without islands (a hole is joined to the rim by a cut of no width)."""
    gdstk = import_gdstk()
    taken = [gdstk.Polygon(hole) for hole in holes]
    return sorted(_whole(gdstk.boolean([gdstk.Polygon(tile)], taken, "not", precision=0.5)))


def _whole(polygons: Iterable[Any]) -> Iterator[tuple[Point, ...]]:
    """gdstk's polygons in whole numbers, counter-clockwise."""
    for polygon in polygons:
        points = tuple((round(float(x)), round(float(y))) for x, y in polygon.points)
        yield points if area(points) > 0.0 else points[::-1]
