"""Closed-form Fourier integrals against quadrature, against each other and against limits; how outlines lie."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cavitydesign.errors import InputError
from cavitydesign.geometry.base import validated
from cavitydesign.geometry.complaint import RuleBroken
from cavitydesign.geometry.pattern import Bar, Circle, Ellipse, Polygon, Rectangle, _bessel_j1, relation

TRIANGLE = Polygon(vertices_nm=((-60.0, -40.0), (90.0, -30.0), (10.0, 80.0)))
L_SHAPE = Polygon(
    vertices_nm=((0.0, 0.0), (100.0, 0.0), (100.0, 40.0), (40.0, 40.0), (40.0, 90.0), (0.0, 90.0)),
    center_nm=(-30.0, 12.0),
)
SHAPES = [
    Ellipse(semi_axes_nm=(90.0, 40.0), rotation_deg=25.0, center_nm=(-8.0, 11.0)),
    Rectangle(size_nm=(150.0, 70.0), rotation_deg=31.0, center_nm=(5.0, 40.0), corner_radius_nm=20.0),
    TRIANGLE.replace(corner_radius_nm=15.0),
    L_SHAPE.replace(corner_radius_nm=12.5),
    Circle(radius_nm=80.0),
    Circle(radius_nm=55.5, center_nm=(13.0, -21.0)),
    Rectangle(size_nm=(150.0, 70.0)),
    Rectangle(size_nm=(150.0, 70.0), rotation_deg=31.0, center_nm=(5.0, 40.0)),
    TRIANGLE,
    L_SHAPE,
]
IDS = [
    "ellipse",
    "round rectangle",
    "round triangle",
    "round L",
    "circle",
    "circle off centre",
    "rectangle",
    "turned rectangle",
    "triangle",
    "L",
]


def vectors(highest: int = 4, period: float = 360.0):
    m, n = np.meshgrid(np.arange(-highest, highest + 1), np.arange(-highest, highest + 1))
    return 2.0 * np.pi / period * m.ravel(), 2.0 * np.pi / period * n.ravel()


def integrated(shape, gx, gy, *, rows: int = 24):
    """∫ exp(-iG·r) d²r: Gauss-Legendre over y in each strip between corners, exactly over x in each strip."""
    nodes, weights = np.polynomial.legendre.leggauss(rows)
    if isinstance(shape, Ellipse):
        (a, b), turn = shape.semi_axes_nm, math.radians(shape.rotation_deg)
        axes = np.array([[a * math.cos(turn), a * math.sin(turn)], [-b * math.sin(turn), b * math.cos(turn)]])
        return sector(shape.center_nm, axes, 0.0, 2.0 * math.pi, gx, gy)
    if radius := getattr(shape, "corner_radius_nm", 0.0):
        sharp = shape.replace(corner_radius_nm=0.0)
        return integrated(sharp, gx, gy) - cut_off(sharp.outline(), radius, gx, gy)
    outline = shape.outline(4)
    if isinstance(shape, Circle):  # y = r sin t takes the square root out of the half-chord r cos t
        t, r = 0.5 * np.pi * nodes, shape.radius_nm
        y, half, weight = r * np.sin(t), r * np.cos(t), 0.5 * np.pi * weights * r * np.cos(t)
        cx, cy = shape.center_nm
        stretches = [(cx - h, cx + h, cy + y0, w) for y0, h, w in zip(y, half, weight, strict=True)]
    else:
        stretches = list(strips(outline, nodes, weights))
    total = np.zeros(np.shape(gx), dtype=complex)
    for left, right, y0, w in stretches:
        middle, width = 0.5 * (left + right), right - left
        total += w * width * np.exp(-1j * (gx * middle + gy * y0)) * np.sinc(gx * width / (2.0 * np.pi))
    return total


def sector(center, axes, start, stop, gx, gy):
    """∫ exp(-iG·r) d²r over part of an ellipse about its centre, over both polar coordinates."""
    (rho, radial), (phi, along) = (np.polynomial.legendre.leggauss(n) for n in (24, 64))
    rho, radial = 0.5 * (rho + 1.0), 0.5 * radial
    phi, along = start + 0.5 * (stop - start) * (phi + 1.0), 0.5 * (stop - start) * along
    unit = np.stack([np.cos(phi), np.sin(phi)], axis=1) @ axes
    x, y = (rho[:, None, None] * unit + np.array(center)).reshape(-1, 2).T
    weight = (rho * radial)[:, None] * along * np.linalg.det(axes)
    return np.exp(-1j * (np.outer(gx, x) + np.outer(gy, y))) @ weight.ravel()


def cut_off(corners, radius, gx, gy):
    """The integral over what round corners take away: at each the kite to the centre of its arc, less the sector."""
    total = np.zeros(np.shape(gx), dtype=complex)
    for before, corner, after in zip(
        np.roll(corners, 1, axis=0), corners, np.roll(corners, -1, axis=0), strict=True
    ):
        a, b = ((end - corner) / np.hypot(*(end - corner)) for end in (before, after))
        half = 0.5 * math.acos(float(a @ b))
        center = corner + radius / math.sin(half) * (a + b) / np.hypot(*(a + b))
        touch = corner + radius / math.tan(half) * a, corner + radius / math.tan(half) * b
        sense = np.sign(b[0] * a[1] - b[1] * a[0])  # -1 where the corner points inwards
        kite = Polygon(vertices_nm=tuple(map(tuple, (touch[0], corner, touch[1], center))))
        first, last = (math.atan2(*(point - center)[::-1]) for point in touch)
        swept = (last - first + math.pi) % (2.0 * math.pi) - math.pi
        pie = sector(center, radius * np.eye(2), first, first + swept, gx, gy) * np.sign(swept)
        total += sense * (integrated(kite, gx, gy) - pie)
    return total


def strips(outline, nodes, weights):
    corners = np.unique(outline[:, 1])
    a, b = outline, np.roll(outline, -1, axis=0)
    for low, high in pairwise(corners):
        for node, weight in zip(nodes, weights, strict=True):
            y = 0.5 * (low + high) + 0.5 * (high - low) * node
            cut = (a[:, 1] > y) != (b[:, 1] > y)
            x = np.sort(a[cut, 0] + (y - a[cut, 1]) * (b[cut, 0] - a[cut, 0]) / (b[cut, 1] - a[cut, 1]))
            for left, right in zip(x[0::2], x[1::2], strict=True):
                yield left, right, y, 0.5 * (high - low) * weight


@pytest.mark.parametrize("shape", SHAPES, ids=IDS)
def test_fourier_is_the_integral(shape):
    gx, gy = vectors()
    # Gauss-Legendre with 24 nodes is exact to rounding for the few oscillations of these G across 160 nm
    assert np.abs(shape.fourier(gx, gy) - integrated(shape, gx, gy)).max() < 1e-12 * shape.area_nm2


side = st.floats(20.0, 200.0)
turn = st.floats(-180.0, 180.0)


def same(first, second, *, highest=20):
    """Whether two shapes have the same coefficients, to 1e-12 of the area, up to G = 40 half periods away."""
    gx, gy = vectors(highest)
    return np.abs(first.fourier(gx, gy) - second.fourier(gx, gy)).max() < 1e-12 * first.area_nm2


@given(side, turn)
def test_an_ellipse_of_equal_axes_is_the_circle(radius, angle):
    assert same(Ellipse(semi_axes_nm=(radius, radius), rotation_deg=angle), Circle(radius_nm=radius))


@given(side, side, turn)
def test_turned_by_a_quarter_the_axes_change_places(a, b, angle):
    first, second = Ellipse(semi_axes_nm=(a, b)), Ellipse(semi_axes_nm=(b, a), rotation_deg=90.0)
    assert same(first, second, highest=4)
    turned = first.replace(rotation_deg=angle), second.replace(rotation_deg=90.0 + angle)
    assert same(*turned, highest=4)
    assert same(*(Rectangle(size_nm=s, rotation_deg=r) for s, r in (((a, b), angle), ((b, a), angle - 90.0))))


@given(side, turn)
def test_a_square_of_corner_radius_half_its_side_is_the_circle(radius, angle):
    square = Rectangle(size_nm=(2.0 * radius,) * 2, rotation_deg=angle, corner_radius_nm=radius)
    assert same(square, Circle(radius_nm=radius), highest=6)
    np.testing.assert_allclose(square.area_nm2, math.pi * radius**2, rtol=1e-13)


@pytest.mark.parametrize("shape", [Rectangle(size_nm=(150.0, 70.0), rotation_deg=20.0), TRIANGLE, L_SHAPE])
def test_corners_sharpen_as_their_radius_falls(shape):
    assert same(shape.replace(corner_radius_nm=0.0), shape)
    assert (
        shape.replace(corner_radius_nm=0.0).id == shape.id
    )  # what a design of before says is the same design
    gx, gy = vectors()
    off = [
        np.abs(shape.replace(corner_radius_nm=r).fourier(gx, gy) - shape.fourier(gx, gy)).max()
        for r in (4.0, 2.0, 1e-3)
    ]
    assert off[0] / off[1] == pytest.approx(4.0, rel=0.1)  # what is cut off grows as r²
    assert off[2] < 1e-5


@given(side, side, turn, st.floats(0.0, 1.0))
def test_round_rectangles_are_round_polygons(a, b, angle, share):
    radius = share * 0.5 * min(a, b)
    rectangle = Rectangle(size_nm=(a, b), rotation_deg=angle, corner_radius_nm=radius)
    corners = tuple(map(tuple, rectangle.replace(corner_radius_nm=0.0).outline().tolist()))
    assert same(rectangle, Polygon(vertices_nm=corners, corner_radius_nm=radius * (1.0 - 1e-13)), highest=4)


@pytest.mark.parametrize(
    ("kind", "content", "largest"),
    [
        (Rectangle, {"size_nm": (100.0, 60.0), "corner_radius_nm": 30.1}, "30"),
        (Polygon, {"vertices_nm": L_SHAPE.vertices_nm, "corner_radius_nm": 20.1}, "20"),
        (Polygon, {"vertices_nm": ((0.0, 0.0), (3.0, 0.0), (0.0, 4.0)), "corner_radius_nm": 1.01}, "1,"),
    ],
)
def test_corners_cannot_be_rounder_than_the_shape(kind, content, largest):
    with pytest.raises(InputError) as caught:
        validated(kind, content)
    assert caught.value.key == "corner_radius_nm"
    assert f"must not exceed {largest}" in str(caught.value)


@pytest.mark.parametrize("shape", SHAPES, ids=IDS)
@pytest.mark.parametrize("points", [8, 64, 196])
def test_an_outline_of_the_same_area_has_it(shape, points):
    x, y = shape.outline(points, of_same_area=True).T
    area = 0.5 * np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)
    assert area == pytest.approx(shape.area_nm2, rel=1e-12)


@pytest.mark.parametrize("shape", SHAPES, ids=IDS)
@pytest.mark.parametrize("by", [7.0, -7.0])
def test_growing_moves_the_rim_by_as_much(shape, by):
    """Rims are as far apart as was asked: to less between an ellipse's axes and where an L's corners are round."""
    grown = shape.grown(by)
    first, second = (item.outline(1440) for item in (shape, grown))
    inner, outer = (first, second) if by > 0.0 else (second, first)
    middles, edges = 0.5 * (inner + np.roll(inner, -1, axis=0)), np.roll(outer, -1, axis=0) - outer
    rel = middles[:, None] - outer
    along = np.clip(np.sum(rel * edges, axis=-1) / np.sum(edges**2, axis=-1), 0.0, 1.0)
    away = np.hypot(*np.moveaxis(rel - along[..., None] * edges, -1, 0)).min(axis=1)
    slack = {0: 1.0, 3: 3.0}.get(SHAPES.index(shape), 2e-3)  # the sagittae of chords
    assert np.abs(away - 7.0).max() < slack
    gained = (grown.area_nm2 - shape.area_nm2) / by
    length = np.hypot(*(np.roll(first, -1, axis=0) - first).T).sum()
    assert gained == pytest.approx(length, rel=0.2)  # the rest grows as the square
    assert same(grown.grown(-by), shape, highest=2) or getattr(shape, "corner_radius_nm", 0.0)


@pytest.mark.parametrize("shape", [*SHAPES, Bar(width_nm=80.0)], ids=[*IDS, "bar"])
def test_nothing_is_left_of_a_shape_that_shrinks_too_far(shape):
    with pytest.raises(RuleBroken, match="leaves nothing"):
        shape.grown(-90.0)
    assert shape.grown(0.0) is shape


@pytest.mark.parametrize("shape", SHAPES, ids=IDS)
def test_area_is_the_zeroth_coefficient_and_the_limit(shape):
    assert shape.fourier(np.zeros(1), np.zeros(1))[0] == pytest.approx(shape.area_nm2, rel=1e-14)
    near = shape.fourier(np.array([1e-9]), np.array([-2e-9]))[0]
    assert near.real == pytest.approx(
        shape.area_nm2, rel=1e-9
    )  # (|G| r)² ~ 1e-14: the limit, if 1/G² does not cancel


@pytest.mark.parametrize("shape", SHAPES, ids=IDS)
def test_real_shapes_have_hermitian_coefficients(shape):
    gx, gy = vectors()
    assert np.allclose(
        shape.fourier(-gx, -gy), np.conj(shape.fourier(gx, gy)), rtol=0, atol=1e-10 * shape.area_nm2
    )


@pytest.mark.parametrize("shape", SHAPES, ids=IDS)
def test_moving_a_shape_is_a_phase(shape):
    gx, gy = vectors()
    cx, cy = shape.center_nm
    moved = shape.replace(center_nm=(cx + 17.0, cy - 9.0))
    expected = shape.fourier(gx, gy) * np.exp(-1j * (17.0 * gx - 9.0 * gy))
    assert np.allclose(moved.fourier(gx, gy), expected, rtol=0, atol=1e-10 * shape.area_nm2)


@pytest.mark.parametrize("shape", SHAPES, ids=IDS)
def test_outline_is_counter_clockwise_and_encloses_the_area(shape):
    x, y = shape.outline(4096).T
    area = 0.5 * np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)
    assert area == pytest.approx(
        shape.area_nm2, rel=1e-6
    )  # the 4096-gon misses (2π/4096)²/6 = 4e-7 of a disc


@pytest.mark.parametrize("angle", [0.0, 90.0, 180.0, -90.0, 31.0, 45.0])
def test_rectangle_is_the_polygon_of_its_corners(angle):
    gx, gy = vectors()
    shape = Rectangle(size_nm=(150.0, 70.0), rotation_deg=angle, center_nm=(5.0, 40.0))
    same = Polygon(vertices_nm=tuple(map(tuple, shape.outline().tolist())))
    assert np.allclose(shape.fourier(gx, gy), same.fourier(gx, gy), rtol=0, atol=1e-10 * shape.area_nm2)


@pytest.mark.parametrize("turns", [1, 2, 3, -1, 4])
def test_quarter_turns_are_exact(turns):
    square = Rectangle(size_nm=(100.0, 100.0))
    corners = square.replace(rotation_deg=90.0 * turns).outline()
    assert {tuple(c) for c in corners.tolist()} == {
        tuple(c) for c in square.outline().tolist()
    }  # to the last bit


def test_polygon_does_not_mind_the_sense_of_its_vertices():
    gx, gy = vectors()
    back = Polygon(vertices_nm=TRIANGLE.vertices_nm[::-1])
    assert np.allclose(back.fourier(gx, gy), TRIANGLE.fourier(gx, gy), rtol=0, atol=1e-12 * TRIANGLE.area_nm2)
    assert back.area_nm2 == TRIANGLE.area_nm2


@pytest.mark.parametrize("corners", [64, 256])
def test_regular_polygon_tends_to_the_circle(corners):
    gx, gy = vectors()
    circle = Circle(radius_nm=80.0)
    gon = Polygon(vertices_nm=tuple(map(tuple, circle.outline(corners).tolist())))
    missing = 1.0 - math.sin(2.0 * math.pi / corners) / (2.0 * math.pi / corners)  # of the area, exactly
    assert gon.area_nm2 == pytest.approx(circle.area_nm2 * (1.0 - missing), rel=1e-12)
    # the missing rim is a ring as wide as the sagitta; its integral is no larger than its area
    assert np.abs(gon.fourier(gx, gy) - circle.fourier(gx, gy)).max() <= 1.0001 * missing * circle.area_nm2


def test_bessel_j1_is_scipys():
    from scipy.special import j1

    x = np.concatenate([[0.0], np.logspace(-12, 3, 400)])
    assert np.abs(_bessel_j1(x) - j1(x)).max() < 2e-14  # |J1| ≤ 0.58; both sum rounding errors
    circle, small = Circle(radius_nm=1.0), x[1:]
    ratio = circle.fourier(small, np.zeros_like(small)) / circle.area_nm2
    assert (
        np.abs(ratio - 2.0 * j1(small) / small).max() < 1e-13
    )  # also across the change to the series at 0.01
    assert _bessel_j1(np.array([])).shape == (0,)


@given(st.floats(1.0, 200.0), st.floats(-0.2, 0.2), st.floats(-0.2, 0.2))
def test_no_coefficient_exceeds_the_area(radius, gx, gy):
    value = Circle(radius_nm=radius).fourier(np.array([gx]), np.array([gy]))[0]
    assert abs(value) <= math.pi * radius**2 * (1.0 + 1e-12)


BOX = Rectangle(size_nm=(100.0, 100.0)).outline()


def moved(outline, x, y):
    return outline + np.array([x, y])


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (0.5 * BOX, BOX, "inside"),
        (BOX, 0.5 * BOX, "around"),
        (BOX, BOX, "inside"),
        (moved(BOX, 100.0, 0.0), BOX, "disjoint"),  # touching along a side
        (moved(BOX, 100.0, 100.0), BOX, "disjoint"),  # touching in a corner
        (moved(BOX, 99.0, 0.0), BOX, "crossing"),
        (moved(BOX, 0.0, 50.0), BOX, "crossing"),  # sides on one line, no two edges cross in their insides
        (moved(0.5 * BOX, 25.0, 25.0), BOX, "inside"),  # flush with two sides
        (Rectangle(size_nm=(200.0, 20.0)).outline(), BOX, "crossing"),  # a cross; no corner inside the other
        (Rectangle(size_nm=(70.0, 70.0), rotation_deg=45.0).outline(), BOX, "inside"),
        (Rectangle(size_nm=(75.0, 75.0), rotation_deg=45.0).outline(), BOX, "crossing"),
        (
            moved(0.2 * BOX, 75.0, 75.0),
            moved(L_SHAPE.outline(), 30.0, -12.0),
            "disjoint",
        ),  # in the crook of the L
    ],
)
def test_relation(first, second, expected):
    assert relation(first, second) == expected


@given(st.floats(10.0, 200.0), st.floats(10.0, 200.0), st.floats(0.0, 450.0), st.floats(0.0, 6.3))
def test_relation_of_circles_follows_from_their_distance(a, b, distance, angle):
    first, second = (
        Circle(radius_nm=a),
        Circle(radius_nm=b, center_nm=(distance * math.cos(angle), distance * math.sin(angle))),
    )
    slack = 0.003 * max(a, b)  # sagitta of the outlines' 64 chords, twice
    assume(abs(distance - (a + b)) > slack and abs(distance - abs(a - b)) > slack)
    if distance > a + b:
        expected = "disjoint"
    elif distance > abs(a - b):
        expected = "crossing"
    else:
        expected = "inside" if a < b else "around"
    assert relation(first.outline(), second.outline()) == expected


@pytest.mark.parametrize(
    ("vertices", "rule"),
    [
        ([(0.0, 0.0), (100.0, 0.0), (50.0, 0.0)], "enclose an area"),
        (
            [(0.0, 0.0), (100.0, 100.0), (100.0, 0.0), (0.0, 50.0)],
            "cross themselves",
        ),  # a bow-tie, unequal wings
        ([(0.0, 0.0), (0.0, 0.0), (0.0, 0.0)], "enclose an area"),
        (
            [(math.cos(2.4 * math.pi * i / 3) * 50, math.sin(2.4 * math.pi * i / 3) * 50) for i in range(5)],
            "cross themselves",
        ),
        ([(0.0, 0.0), (1.0, 0.0)], "at least 3"),
    ],
)
def test_polygons_that_are_none(vertices, rule):
    with pytest.raises(InputError) as caught:
        validated(Polygon, {"vertices_nm": vertices})
    assert rule in str(caught.value)
    assert caught.value.key == "vertices_nm"


def test_a_bar_is_a_rectangle_of_one_nanometre_seen_by_the_orders_of_a_line_lattice():
    bar, piece = (
        Bar(width_nm=130.0, center_nm=(17.0, 0.0)),
        Rectangle(size_nm=(130.0, 1.0), center_nm=(17.0, 0.0)),
    )
    gx, gy = 2.0 * np.pi / 400.0 * np.arange(-6, 7), np.zeros(13)
    np.testing.assert_allclose(bar.fourier(gx, gy), piece.fourier(gx, gy), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(bar.fourier(gx, gy + 2.0 * np.pi), 0.0)
    np.testing.assert_allclose(bar.outline(), piece.outline())
    assert bar.area_nm2 == piece.area_nm2
