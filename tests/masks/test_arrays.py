"""Arrays on the grid: positions, areas, biases."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cavitydesign.errors import InputError
from cavitydesign.geometry import Circle, Polygon, Rectangle
from cavitydesign.masks import arrays


def copies(placed):
    found = []
    for item in placed.references:
        i, j = np.meshgrid(np.arange(item.columns), np.arange(item.rows), indexing="ij")
        steps = i.reshape(-1, 1) * np.array(item.v1) + j.reshape(-1, 1) * np.array(item.v2)
        found.append(np.array(item.origin) + steps)
    return np.concatenate(found)


def lattice_sites(first, counts, vectors):
    i, j = np.meshgrid(np.arange(counts[0]), np.arange(counts[1]), indexing="ij")
    return np.array(first) + i.reshape(-1, 1) * vectors[0] + j.reshape(-1, 1) * vectors[1]


@given(
    period=st.floats(min_value=100.0, max_value=500.0),
    unit=st.sampled_from([1.0, 0.5, 0.1, 0.001]),
    counts=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    kind=st.sampled_from(["square", "hexagonal"]),
)
def test_every_copy_is_within_the_stated_error(period, unit, counts, kind):
    height = math.sqrt(0.75) if kind == "hexagonal" else 1.0
    vectors = period * np.array([[1.0, 0.0], [0.5 if kind == "hexagonal" else 0.0, height]])
    first = (-0.5 * counts[0] * period, 3.7)
    placed = arrays.place("cell", first, counts, vectors, unit, key="k")
    found, wanted = copies(placed) * unit, lattice_sites(first, counts, vectors)
    assert len(found) == len(wanted) == counts[0] * counts[1]
    away = np.hypot(*(found[:, None, :] - wanted[None, :, :]).transpose(2, 0, 1))
    assert (np.sort(away.argmin(axis=1)) == np.arange(len(wanted))).all()  # one copy for each site
    worst = away.min(axis=1).max()
    assert worst <= placed.position_error_nm + 1e-6
    # Stated, not merely bounded: the worst copy is where it is said to be. 2e-6 units per copy is what counts as exact.
    assert worst >= placed.position_error_nm - 1e-4 * unit
    assert placed.position_error_nm <= 1.5 * math.sqrt(2.0) * unit


def test_a_period_on_the_grid_is_one_exact_array():
    placed = arrays.place("cell", (0.0, 0.0), (555, 555), np.diag([360.0, 360.0]), 1.0, key="k")
    assert len(placed.references) == 1
    assert (placed.grid_error_nm, placed.position_error_nm) == (0.0, 0.0)


def test_a_hexagonal_array_does_not_drift():
    """555 rows of 311.769 nm on a 0.1 nm grid: one array would end 17 nm away."""
    vectors = np.array([[360.0, 0.0], [180.0, 180.0 * math.sqrt(3.0)]])
    placed = arrays.place("cell", (0.0, 0.0), (555, 555), vectors, 0.1, key="k")
    assert placed.grid_error_nm == pytest.approx(311.8 - 180.0 * math.sqrt(3.0), abs=1e-6)
    assert 554 * placed.grid_error_nm > 17.0
    assert placed.position_error_nm <= 0.1
    assert all(item.v1 == (3600, 0) and item.v2 == (1800, 3118) for item in placed.references)


def test_a_period_that_the_grid_cannot_hold_is_refused():
    with pytest.raises(InputError, match=r"finer database_unit_nm.*333\.33"):
        arrays.place("cell", (0.0, 0.0), (600, 600), np.diag([333.33, 333.33]), 1.0, key="k")


def test_more_copies_than_gdsii_can_count_become_several_arrays():
    placed = arrays.place("cell", (0.0, 0.0), (70_000, 2), np.diag([100.0, 100.0]), 1.0, key="k")
    assert sum(item.count for item in placed.references) == 140_000
    assert max(item.columns for item in placed.references) <= 32767


@given(radius=st.floats(min_value=5.0, max_value=5e5), vertices=st.sampled_from([8, 32, 64, 196]))
def test_a_drawn_circle_has_the_circles_area_and_the_stated_chord_error(radius, vertices):
    circle = Circle(radius_nm=radius)
    points = arrays.drawn_outline_nm(circle, vertices=vertices)
    x, y = points.T
    area = 0.5 * np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)
    assert area == pytest.approx(circle.area_nm2, rel=1e-12)
    middles = 0.5 * (points + np.roll(points, -1, axis=0))
    away = max(np.abs(np.hypot(x, y) - radius).max(), np.abs(np.hypot(*middles.T) - radius).max())
    assert arrays.chord_error_nm(circle, vertices=vertices) == pytest.approx(away, rel=1e-9)


@pytest.mark.parametrize("bias", [-20.0, 15.0])
def test_a_bias_moves_every_edge(bias):
    circle = arrays.biased(Circle(radius_nm=100.0), bias, key="k")
    assert circle.area_nm2 == pytest.approx(math.pi * (100.0 + bias) ** 2)
    square = ((-50.0, -60.0), (50.0, -60.0), (50.0, 60.0), (-50.0, 60.0))
    for shape in (Rectangle(size_nm=(100.0, 120.0), rotation_deg=30.0), Polygon(vertices_nm=square)):
        moved = arrays.biased(shape, bias, key="k")
        assert moved.area_nm2 == pytest.approx((100.0 + 2.0 * bias) * (120.0 + 2.0 * bias))


@given(
    angles=st.lists(st.floats(0.0, 6.28), min_size=3, max_size=9, unique_by=lambda a: round(a, 1)),
    bias=st.floats(0.5, 10.0),
)
def test_the_bias_of_a_convex_polygon_follows_steiner(angles, bias):
    """Mitred offset of a convex polygon: area grows by perimeter x bias and by Σ tan(θ/2) bias² at its corners."""
    corners = [(200.0 * math.cos(a), 200.0 * math.sin(a)) for a in sorted(angles)]
    shape = Polygon(vertices_nm=tuple(corners))
    points = shape.outline()
    edges = np.roll(points, -1, axis=0) - points
    directions = np.arctan2(edges[:, 1], edges[:, 0])
    turns = (np.roll(directions, -1) - directions) % (2.0 * math.pi)
    if np.cos(turns).min() < -0.89:
        return
    expected = shape.area_nm2 + bias * np.hypot(*edges.T).sum() + bias**2 * np.tan(0.5 * turns).sum()
    assert arrays.biased(shape, bias, key="k").area_nm2 == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    "shape",
    [
        Circle(radius_nm=10.0),
        Rectangle(size_nm=(20.0, 90.0)),
        Polygon(vertices_nm=((0.0, 0.0), (20.0, 0.0), (10.0, 17.0))),
    ],
)
def test_a_bias_that_leaves_nothing_is_refused(shape):
    with pytest.raises(InputError, match=r"k\.bias_nm"):
        arrays.biased(shape, -12.0, key="k")


def test_snapping_states_how_far_vertices_moved():
    points, moved = arrays.snapped(np.array([[0.2, 0.0], [10.0, 0.0], [10.0, 10.4]]), 1.0, key="k")
    assert points == ((0, 0), (10, 0), (10, 10))
    assert moved == pytest.approx(0.4)
    with pytest.raises(InputError, match="vanishes"):
        arrays.snapped(np.array([[0.0, 0.0], [0.3, 0.0], [0.3, 0.3]]), 1.0, key="k")
