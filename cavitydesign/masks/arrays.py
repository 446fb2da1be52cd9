"""Arrays on the database grid: what is drawn in a unit cell, and where its copies stand.

An array reference repeats whole database units. Where a lattice vector is not a whole number of them, one array would
drift: after 555 periods of 311.769 nm on a 0.1 nm grid by 17 nm. Such an array is written as several, each short
enough to drift by half a unit at most, and each put where it should be; the largest distance of any copy from its
true place is computed and stated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby, product

import numpy as np

from cavitydesign.errors import InputError
from cavitydesign.geometry import Design, Rectangle, rims
from cavitydesign.geometry.complaint import RuleBroken
from cavitydesign.geometry.pattern import Bar, Pattern
from cavitydesign.kinds import Array
from cavitydesign.masks.layout import Point, Reference, area
from cavitydesign.masks.spec import MAX_COORDINATE

MAX_REPEATS = 32767
"""GDSII keeps columns and rows as signed 16-bit numbers."""
MAX_BLOCKS = 4096
"""More array references than this for one device would be no array any more."""
IDEAL_VERTICES = 720


def features(design: Design, *, layer: int | None = None, key: str = "") -> tuple[Pattern, ...]:
    """What lithography writes in one cell: what the design says, or the inclusions of one of its layers."""
    if layer is not None:
        layers = design.to_stack().layers
        if layer >= len(layers) or not layers[layer].inclusions:
            rule = "must be the number of a layer with inclusions"
            raise InputError(rule, key=f"{key}.design_layer", value=layer)
        return tuple(inclusion.pattern for inclusion in layers[layer].inclusions)
    try:
        return design.written()
    except RuleBroken as broken:
        raise InputError(broken.rule, key=f"{key}.design", value=design.name) from None


def of_length(pattern: Pattern, length_nm: float) -> Pattern:
    """A bar as the stripe of this length that is drawn of it."""
    if not isinstance(pattern, Bar):
        return pattern
    return Rectangle(center_nm=(pattern.center_nm[0], 0.0), size_nm=(pattern.width_nm, length_nm))


def biased(pattern: Pattern, bias_nm: float, *, key: str) -> Pattern:
    """The pattern with every edge moved outwards by ``bias_nm`` (inwards when negative)."""
    if bias_nm == 0.0:
        return pattern
    try:
        return pattern.grown(bias_nm)
    except RuleBroken as broken:
        raise InputError(broken.rule, key=f"{key}.bias_nm", value=bias_nm) from None


def drawn_outline_nm(pattern: Pattern, *, vertices: int) -> Array:
    """The polygon that is drawn, before snapping, (n, 2) in nm: of the shape's own area, so that the fill is kept.

    Arcs have ``vertices`` corners a full turn. Of a circle an edge, not a corner, lies on each axis: the extent is then
    nearest to the diameter.
    """
    return pattern.outline(vertices, of_same_area=True)


def chord_error_nm(pattern: Pattern, *, vertices: int) -> float:
    """Largest distance between the rim of a shape and the polygon that is drawn; 0 for those with sharp corners."""
    return rims.off_rim(pattern.rim(), vertices)


def snapped(points_nm: Array, unit_nm: float, *, key: str) -> tuple[tuple[Point, ...], float]:
    """Vertices as whole database units, counter-clockwise, without repeats; and the largest distance moved, nm."""
    exact = np.asarray(points_nm, dtype=float) / unit_nm
    check_reach(float(np.abs(exact).max()), key=key)
    whole = np.rint(exact).astype(np.int64)
    moved = float(np.hypot(*(whole - exact).T).max()) * unit_nm
    points = tuple((x, y) for (x, y), _ in groupby(whole.tolist()))
    if len(points) > 1 and points[0] == points[-1]:
        points = points[:-1]
    turned = area(points)
    if len(points) < 3 or turned == 0.0:
        rule = f"a feature vanishes on the grid of {unit_nm:g} nm; use a finer database_unit_nm"
        raise InputError(rule, key=key)
    return (points if turned > 0.0 else points[::-1]), moved


def check_reach(largest: float, *, key: str | None) -> None:
    """Refuse coordinates (in database units) that GDSII's 32-bit numbers cannot hold."""
    if largest > MAX_COORDINATE:
        rule = f"the layout reaches {largest:.3g} database units from its middle, GDSII holds {MAX_COORDINATE:.3g}"
        raise InputError(rule, key=key)


@dataclass(frozen=True, slots=True)
class Placed:
    """References of one array, the grid error of its vectors and the position error of its worst copy, both in nm."""

    references: tuple[Reference, ...]
    grid_error_nm: float
    position_error_nm: float


def place(
    cell: str, first_nm: tuple[float, float], counts: tuple[int, int], vectors_nm: Array, unit_nm: float, *,
    key: str,
) -> Placed:  # fmt: skip
    """``counts[0]`` x ``counts[1]`` copies of a cell at ``first + i a1 + j a2``, in as few arrays as the grid allows.

    With e = a - round(a) the drift of one array of B copies is (B - 1) e; B is the largest for which it stays
    within one unit, and each array is put where its middle is right, so that drift adds at most half a unit.
    """
    exact = np.asarray(vectors_nm, dtype=float) / unit_nm
    check_reach(float((np.abs(exact).max(axis=1) * counts).max()), key=key)
    whole = np.rint(exact)
    rest = np.where(np.abs(exact - whole) < 1e-6, 0.0, exact - whole)
    sizes = [_block(count, float(np.abs(e).max())) for count, e in zip(counts, rest, strict=True)]
    blocks = math.ceil(counts[0] / sizes[0]) * math.ceil(counts[1] / sizes[1])
    if blocks > MAX_BLOCKS:
        rule = f"a period that is no whole number of database units ({unit_nm:g} nm) would need {blocks} arrays to "
        rule += "stay in place; use a finer database_unit_nm"
        raise InputError(rule, key=key, value=np.hypot(*np.asarray(vectors_nm, dtype=float).T).tolist())
    first = np.array(first_nm) / unit_nm
    (v1, v2), worst, references = map(tuple, whole.astype(int).tolist()), 0.0, []
    for i, j in product(range(0, counts[0], sizes[0]), range(0, counts[1], sizes[1])):
        n1, n2 = min(sizes[0], counts[0] - i), min(sizes[1], counts[1] - j)
        true = first + i * exact[0] + j * exact[1]
        origin = np.rint(true + 0.5 * (n1 - 1) * rest[0] + 0.5 * (n2 - 1) * rest[1])
        for a, b in product((0, n1 - 1), (0, n2 - 1)):
            worst = max(worst, float(np.hypot(*(origin - true - a * rest[0] - b * rest[1]))))
        references.append(Reference(cell, (int(origin[0]), int(origin[1])), n1, n2, v1, v2))
    return Placed(tuple(references), float(np.hypot(*rest.T).max()) * unit_nm, worst * unit_nm)


def _block(count: int, error: float) -> int:
    longest = MAX_REPEATS if error == 0.0 else min(MAX_REPEATS, 1 + int(1.0 / error))
    return min(count, longest)
