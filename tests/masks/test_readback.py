"""Reading back: a good file passes, and each way of being wrong is found."""

import gdstk
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cavitydesign import masks
from cavitydesign.errors import InputError


@given(
    kind=st.sampled_from(["square", "hexagonal"]),
    period=st.floats(min_value=200.0, max_value=600.0),
    fill=st.floats(min_value=0.2, max_value=0.95),
    unit=st.sampled_from([1.0, 0.5, 0.1]),
    counts=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    boundary=st.sampled_from(["parallelogram", "rectangle"]),
    suffix=st.sampled_from([".gds", ".oas"]),
)
def test_what_is_written_is_read(
    spec, circles, tmp_path_factory, kind, period, fill, unit, counts, boundary, suffix
):
    design = circles(kind=kind, period_nm=period, radius_nm=0.5 * fill * period)
    layout = masks.build(spec(design, database_unit_nm=unit, field_periods=counts, field_boundary=boundary))
    path = tmp_path_factory.mktemp("masks") / f"m{suffix}"
    found = masks.read_back(masks.write(layout, path).path, layout)
    assert found.problems == ()
    assert found.ok
    assert found.xor_um2 == 0.0
    assert found.copies == counts[0] * counts[1]
    assert found.position_nm <= layout.snap.position_nm + 1e-6
    ((name, pitch),) = found.pitch_nm
    assert name == "F_R1C1"
    if counts[0] > 1:  # two ends, each off by the position error at most
        assert pitch == pytest.approx(period, abs=(2.0 * layout.snap.position_nm + 1e-6) / (counts[0] - 1))


@pytest.fixture
def written(spec, tmp_path):
    layout = masks.build(spec(field_periods=[30, 20]))
    return layout, masks.write(layout, tmp_path / "m.gds").path


def change(path, edit):
    library = gdstk.read_gds(str(path))
    edit({cell.name: cell for cell in library.cells}, library)
    library.write_gds(str(path))


def move_a_vertex(cells, library):
    (polygon,) = cells["F_R1C1_UNIT"].polygons
    points = polygon.points.copy()
    points[0] += (0.02, 0.0)
    cells["F_R1C1_UNIT"].remove(polygon)
    cells["F_R1C1_UNIT"].add(gdstk.Polygon(points, layer=1))


def change_the_layer(cells, library):
    (polygon,) = cells["F_R1C1_UNIT"].polygons
    polygon.layer = 9


def lose_a_row(cells, library):
    (reference,) = cells["F_R1C1"].references
    reference.repetition = gdstk.Repetition(columns=30, rows=19, spacing=(0.36, 0.36))


def stretch_the_pitch(cells, library):
    (reference,) = cells["F_R1C1"].references
    reference.repetition = gdstk.Repetition(columns=30, rows=20, spacing=(0.3601, 0.36))


def add_a_copy(cells, library):
    cells["F_R1C1"].add(gdstk.Reference(cells["F_R1C1_UNIT"], (0.1, 0.1)))


def turn_a_device(cells, library):
    for reference in cells["CHIP"].references:
        if reference.cell.name == "F_R1C1":
            reference.rotation = 1.5707963267948966


def rename_a_cell(cells, library):
    library.rename_cell("DIE", "DYE")


def scale_everything(cells, library):
    library.precision = 1e-9


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (move_a_vertex, "F_R1C1_UNIT: polygons differ"),
        (change_the_layer, "F_R1C1_UNIT: polygons differ"),
        (lose_a_row, "570 copies, not 600"),
        (stretch_the_pitch, "from its place"),
        (add_a_copy, "do not belong to the lattice"),
        (turn_a_device, "CHIP: 2 references differ"),
        (rename_a_cell, "cell DIE is missing"),
        (scale_everything, "database unit"),
    ],
)
def test_a_wrong_file_is_found_out(written, edit, says):
    layout, path = written
    assert masks.read_back(path, layout).ok
    change(path, edit)
    found = masks.read_back(path, layout)
    assert not found.ok
    assert any(says in problem for problem in found.problems), found.problems


def test_a_layout_that_is_not_the_design_is_found_out(spec, circles, tmp_path):
    """The second comparison does not trust build: a file equal to its layout still fails when the layout is wrong."""
    good, small = masks.build(spec()), masks.build(spec(circles(radius_nm=108.0)))
    cells = tuple(small.cell(cell.name) for cell in good.cells)
    wrong = masks.Layout(good.spec, cells, good.top, good.devices, good.snap)
    found = masks.read_back(masks.write(wrong, tmp_path / "m.gds").path, wrong)
    assert found.xor_um2 == 0.0
    assert found.shape_xor == pytest.approx(1.0 - (108.0 / 110.0) ** 2, abs=2e-3)
    assert any("differs from the design" in problem for problem in found.problems)


def test_what_is_no_mask_is_an_input_error(spec, tmp_path):
    layout = masks.build(spec())
    with pytest.raises(InputError, match="no such file"):
        masks.read_back(tmp_path / "none.gds", layout)
    with pytest.raises(InputError, match=r"\.gds or \.oas"):
        masks.read_back(tmp_path / "none.txt", layout)
