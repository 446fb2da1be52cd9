"""Each rule, broken on purpose: place, value and limit."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cavitydesign import masks
from cavitydesign.masks.distance import polygon_distance, polygon_width


def broken(layout, rule):
    return [violation for violation in masks.check(layout) if violation.rule == rule]


def test_a_good_mask_breaks_nothing(spec):
    assert masks.check(masks.build(spec())) == []


def test_small_features(spec, circles):
    layout = masks.build(spec(circles(radius_nm=25.0)))
    (found,) = broken(layout, "min_feature")
    assert (found.severity, found.cell, found.limit, found.unit) == ("error", "F_R1C1", 60.0, "nm")
    assert found.value == pytest.approx(50.0, abs=0.3)  # vertices on a 0.1 nm grid, equal-area polygon
    x, y = layout.devices[0].origin
    assert found.where_um == pytest.approx((x * 1e-4, y * 1e-4), abs=1e-3)
    assert f"{found.value:.4g} nm wide, allowed 60 nm" in str(found)


@pytest.mark.parametrize(("kind", "period"), [("square", 360.0), ("hexagonal", 360.0)])
def test_small_gaps(spec, circles, kind, period):
    (found,) = broken(masks.build(spec(circles(kind=kind, period_nm=period, radius_nm=160.0))), "min_gap")
    assert found.value == pytest.approx(40.0, abs=0.5)


def test_gap_across_the_rows_of_a_hexagonal_rectangle(spec, circles):
    design = circles(kind="hexagonal", radius_nm=160.0)
    (found,) = broken(masks.build(spec(design, field_boundary="rectangle", field_periods=[1, 2])), "min_gap")
    assert found.value == pytest.approx(40.0, abs=0.5)


def test_a_single_row_has_no_gap_across(spec, stacks):
    design = stacks({"shape": "rectangle", "size_nm": [100.0, 330.0]}, {"period_nm": 360.0})
    assert broken(masks.build(spec(design)), "min_gap")[0].value == pytest.approx(30.0)
    assert not broken(masks.build(spec(design, field_periods=[5, 1])), "min_gap")


def test_bias_into_the_neighbour_is_an_overlap(spec, circles):
    (found,) = broken(masks.build(spec(circles(radius_nm=170.0), field_bias_nm=15.0)), "overlap")
    assert found.value == 0.0


def test_inverse_tone_swaps_features_and_gaps(spec, circles):
    layout = masks.build(spec(circles(radius_nm=160.0), field_tone="inverse"))
    assert broken(layout, "min_feature")[0].value == pytest.approx(40.0, abs=0.1)
    assert not broken(layout, "min_gap")
    layout = masks.build(spec(circles(radius_nm=25.0), field_tone="inverse"))
    assert broken(layout, "min_gap")[0].value == pytest.approx(50.0, abs=0.1)


def test_writing_field(spec):
    layout = masks.build(spec(field_periods=[400, 100], rules={"writing_field_um": 100.0}))
    (found,) = broken(layout, "writing_field")
    assert (found.severity, found.value, found.limit) == ("warning", pytest.approx(144.0), 100.0)
    assert "stitched from 2" in found.message


def test_off_grid_is_told_and_drift_beyond_the_limit_is_an_error(spec, circles):
    design = circles(kind="hexagonal")
    layout = masks.build(spec(design, database_unit_nm=1.0, rules={"max_position_error_nm": 0.1}))
    (told,) = broken(layout, "off_grid")
    assert (told.severity, told.value) == ("warning", pytest.approx(312.0 - 180.0 * math.sqrt(3.0), abs=1e-6))
    (error,) = broken(layout, "position_error")
    assert error.severity == "error"
    assert 0.1 < error.value <= 1.5
    assert not broken(masks.build(spec(design, database_unit_nm=0.1)), "position_error")


def test_outside_the_die(spec):
    layout = masks.build(spec(chip={"size_um": [1000.0, 1000.0]}, field_periods=[2500, 10]))
    found = broken(layout, "outside_die")
    assert [item.cell for item in found] == ["F_R1C1"]
    assert found[0].value == pytest.approx(100.0, abs=0.1)  # 450 µm half width; the margin is at 350


def test_devices_too_close_to_each_other_or_to_a_mark(spec):
    layout = masks.build(
        spec(field_periods_nm=[350.0, 360.0], field_side_um=100.0, field_periods=None, field_gap_um=1.0)
    )
    (found,) = broken(layout, "clearance")
    assert found.value == pytest.approx(1.0, abs=0.5)  # within a period, and half a gap of the array's rim
    layout = masks.build(spec(chip={"size_um": [700.0, 700.0]}, field_periods=[1000, 1000]))
    assert any(item.rule == "overlap" and "DIE" in (item.cell + item.message) for item in masks.check(layout))


def test_a_label_on_the_pattern(spec):
    layout = masks.build(spec(labels={"distance_um": 0.0, "size_um": 1.0}, field_periods=[100, 100]))
    assert not broken(layout, "label_on_pattern")
    cell = layout.cell("F_R1C1")
    x0, y0, x1, y1 = cell.letters[0].box
    moved = masks.layout.Lettering(
        cell.letters[0].text, cell.letters[0].size, (x0, y0 + 10_0000, x1, y1 + 10_0000)
    )
    cells = tuple(
        masks.layout.Cell(c.name, c.polygons, c.references, c.texts, (moved,)) if c.name == cell.name else c
        for c in layout.cells
    )
    tampered = masks.Layout(layout.spec, cells, layout.top, layout.devices, layout.snap)
    (found,) = broken(tampered, "label_on_pattern")
    assert found.cell == "F_R1C1"


def test_letters_count_as_features(spec):
    layout = masks.build(spec(rules={"min_feature_nm": 200.0, "min_gap_nm": 130.0}, labels={"size_um": 1.0}))
    values = {item.rule: item.value for item in masks.check(layout) if "360 nm" in item.message}
    assert values == {"min_feature": pytest.approx(125.0, rel=0.01), "min_gap": pytest.approx(62.5, rel=0.01)}


def test_witness_lines_are_checked(spec):
    layout = masks.build(spec(witness={"widths_nm": [40.0, 100.0]}))
    assert [item.cell for item in broken(layout, "min_feature")] == ["WITNESS_L1"]
    assert [item.value for item in broken(layout, "min_gap")] == [pytest.approx(40.0)]


def test_width_of_convex_and_notched_shapes():
    triangle = np.array([[0.0, 0.0], [40.0, 0.0], [0.0, 30.0]])
    assert polygon_width(triangle) == pytest.approx(24.0)  # the height on the longest side
    cross = np.array(
        [
            (-1, -5),
            (1, -5),
            (1, -1),
            (5, -1),
            (5, 1),
            (1, 1),
            (1, 5),
            (-1, 5),
            (-1, 1),
            (-5, 1),
            (-5, -1),
            (-1, -1),
        ]
    )
    assert polygon_width(cross.astype(float)) == pytest.approx(2.0)
    angle = 2.0 * np.pi * np.arange(720) / 720
    assert polygon_width(np.stack([np.cos(angle), np.sin(angle)], axis=1)) == pytest.approx(2.0, rel=1e-4)


square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


@given(dx=st.floats(-4.0, 4.0), dy=st.floats(-4.0, 4.0), side=st.floats(0.1, 3.0))
def test_distance_of_upright_squares(dx, dy, side):
    other = side * square + (dx, dy)
    gaps = np.maximum([dx - 1.0, dy - 1.0], [-dx - side, -dy - side])
    expected = float(np.hypot(*np.maximum(gaps, 0.0)))
    assert polygon_distance(square, other) == pytest.approx(expected, abs=1e-12)


def test_one_polygon_within_another_is_no_distance():
    assert polygon_distance(10.0 * square, square + 3.0) == 0.0
    assert polygon_distance(square + 3.0, 10.0 * square) == 0.0
