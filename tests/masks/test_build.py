"""What is drawn: counts, areas, fill factors in closed form; rows, columns, doses, tones, labels."""

import math

import numpy as np
import pytest

from cavitydesign import masks
from cavitydesign.errors import InputError
from cavitydesign.masks.layout import area, bounds


def unit_cell(layout, number=0):
    return layout.cell(layout.devices[number].array.unit_cell)


def drawn_nm2(layout, number=0):
    unit = layout.spec.database_unit_nm
    return sum(area(polygon.points) for polygon in unit_cell(layout, number).polygons) * unit**2


def test_square_array_of_circles_in_closed_form(spec, circles):
    layout = masks.build(spec(circles(radius_nm=110.0), field_periods=None, field_side_um=200.0))
    record = layout.devices[0].array
    assert record.count == 555**2  # 200 µm / 360 nm
    # 64 vertices, each moved at most 0.071 nm: the area errs by less than rim x 0.071 nm
    assert drawn_nm2(layout) == pytest.approx(math.pi * 110.0**2, abs=2.0 * math.pi * 110.0 * 0.071)
    total = layout.areas_um2()[layout.spec.layers.pattern]
    assert total == pytest.approx(555**2 * drawn_nm2(layout) * 1e-6, rel=1e-12)
    assert layout.polygon_counts()[layout.spec.layers.pattern] == 555**2
    assert layout.devices[0].size_um == pytest.approx((199.8, 199.8))


@pytest.mark.parametrize("kind", ["square", "hexagonal"])
@pytest.mark.parametrize(
    "shape",
    [
        {"shape": "rectangle", "size_nm": [100.0, 140.0]},
        {"shape": "polygon", "vertices_nm": [[0.0, 0.0], [150.0, 0.0], [0.0, 90.0]]},
    ],
)
def test_shapes_with_corners_on_the_grid_are_exact(spec, stacks, kind, shape):
    layout = masks.build(spec(stacks(shape, {"kind": kind, "period_nm": 400.0})))
    exact = 14000.0 if shape["shape"] == "rectangle" else 6750.0
    assert drawn_nm2(layout) == pytest.approx(exact, rel=1e-12)
    assert layout.snap.vertex_nm == pytest.approx(0.0, abs=1e-9)
    assert layout.snap.chord_nm == 0.0


def test_inclusions_off_centre_and_several(spec, stacks):
    design = stacks(
        {"shape": "rectangle", "size_nm": [80.0, 80.0], "center_nm": [-90.0, 40.0]}, {"period_nm": 400.0}
    )
    design["layers"][1]["inclusions"].append(
        {"shape": "rectangle", "size_nm": [60.0, 50.0], "center_nm": [90.0, -40.0], "material": {"n": 1.0}}
    )
    layout = masks.build(spec(design))
    assert bounds(layout.by_name, layout.devices[0].array.unit_cell) == (-1300, -650, 1200, 800)
    assert drawn_nm2(layout) == pytest.approx(6400.0 + 3000.0)


def test_pillars_are_written_and_their_coat_is_not(spec):
    design = {
        "name": "pillars", "family": "nanopillar_array", "lattice": {"period_nm": 365.0},
        "pillar": {"height_nm": 200.0, "diameter_nm": 150.0, "material": {"n": 1.46}},
        "film": {"thickness_nm": 40.0, "material": {"n": 1.85}, "coating": "conformal"},
        "substrate": {"n": 3.8, "k": 0.02},
    }  # fmt: skip
    layout = masks.build(spec(design))
    assert layout.devices[0].array.drawn == "pillars"
    assert drawn_nm2(layout) == pytest.approx(math.pi * 75.0**2, rel=1e-3)


ROUND = [
    {"shape": "ellipse", "semi_axes_nm": [90.0, 50.0], "rotation_deg": 30.0},
    {"shape": "rectangle", "size_nm": [200.0, 120.0], "corner_radius_nm": 40.0},
    {
        "shape": "polygon",
        "vertices_nm": [[-90.0, -60.0], [90.0, -60.0], [0.0, 95.0]],
        "corner_radius_nm": 20.0,
    },
]


@pytest.mark.parametrize("shape", ROUND, ids=[shape["shape"] for shape in ROUND])
@pytest.mark.parametrize("bias", [0.0, 8.0, -8.0])
def test_round_shapes_are_drawn_at_their_own_area(spec, stacks, shape, bias):
    layout = masks.build(spec(stacks(shape, {"period_nm": 400.0}), field_bias_nm=bias))
    record = layout.devices[0].array
    # every vertex moves by 0.071 nm at most when it is snapped; perimeters are below 600 nm
    assert drawn_nm2(layout) == pytest.approx(record.feature_area_nm2, abs=600.0 * 0.071)
    assert 0.0 < layout.snap.chord_nm < 0.2


@pytest.mark.parametrize("lattice", [
    {"period_nm": 400.0},
    {"kind": "oblique", "period_1_nm": 420.0, "period_2_nm": 400.0, "angle_deg": 75.0},
])  # fmt: skip
def test_leaning_walls_and_several_holes_are_drawn_as_they_are_at_the_top_and_told(spec, lattice):
    holes = [
        {"shape": "circle", "radius_nm": 60.0, "center_nm": [-80.0, -80.0]},
        {"shape": "rectangle", "size_nm": [120.0, 100.0], "center_nm": [80.0, 80.0]},
    ]
    design = {
        "name": "pcsel", "family": "pcsel", "lattice": lattice,
        "grating": {"thickness_nm": 170.0, "material": {"n": 2.01}, "sidewall_deg": 8.0, "holes": holes},
        "infill": {"material": {"n": 1.8}}, "substrate": {"n": 1.46},
    }  # fmt: skip
    layout = masks.build(spec(design))
    assert bounds(layout.by_name, layout.devices[0].array.unit_cell) == (-1400, -1400, 1400, 1300)
    assert drawn_nm2(layout) == pytest.approx(math.pi * 60.0**2 + 12_000.0, abs=30.0)
    assert dict(layout.devices[0].parameters)["grating.sidewall_deg"] == 8.0


def test_holes_of_a_pcsel_keep_the_duty_cycle_at_every_period(spec):
    design = {
        "name": "pcsel", "family": "pcsel", "lattice": {"period_nm": 360.0},
        "grating": {"thickness_nm": 170.0, "material": {"n": 2.01}, "duty_cycle": 0.7, "duty_cycle_of": "solid_area"},
        "infill": {"material": {"n": 1.8}}, "substrate": {"n": 1.46},
    }  # fmt: skip
    vary = {"key": "grating.duty_cycle", "values": [0.6, 0.8]}
    layout = masks.build(spec(design, field_periods_nm="320:460:70", field_vary=vary))
    assert len(layout.devices) == 6
    for number, device in enumerate(layout.devices):
        values = dict(device.parameters)
        fill = drawn_nm2(layout, number) / values["period_nm"] ** 2
        assert fill == pytest.approx(1.0 - values["grating.duty_cycle"], abs=2e-3)
        assert device.array.drawn == "holes"


def test_layers_with_different_patterns_need_a_choice(spec, circles):
    design = circles()
    second = {
        **design["layers"][1],
        "inclusions": [{"shape": "circle", "radius_nm": 60.0, "material": {"n": 1.8}}],
    }
    design["layers"].insert(2, second)
    with pytest.raises(InputError, match="design_layer"):
        masks.build(spec(design))
    assert drawn_nm2(masks.build(spec(design, field_design_layer=2))) == pytest.approx(
        math.pi * 3600.0, rel=2e-3
    )
    with pytest.raises(InputError, match="number of a layer"):
        masks.build(spec(design, field_design_layer=0))


def test_hexagonal_field_is_one_array_with_a1_and_a2(spec, circles):
    """√3/2 = 0.866025403784: at 500 nm and 0.001 nm units a2 is 433012.7 units, and 4 rows drift by less than one."""
    layout = masks.build(
        spec(circles(kind="hexagonal", period_nm=500.0), database_unit_nm=0.001, field_periods=[7, 4])
    )
    (reference,) = layout.cell("F_R1C1").references
    assert (reference.columns, reference.rows) == (7, 4)
    assert (reference.v1, reference.v2) == ((500_000, 0), (250_000, 433_013))


@pytest.mark.parametrize(("rows", "references"), [(1, 1), (2, 2), (5, 2)])
def test_hexagonal_rectangle_has_even_and_odd_rows(spec, circles, rows, references):
    layout = masks.build(
        spec(
            circles(kind="hexagonal", period_nm=400.0),
            field_boundary="rectangle",
            field_periods=[6, rows],
            database_unit_nm=0.001,
        )
    )
    found = layout.cell("F_R1C1").references
    assert len(found) == references
    sites = np.array(
        [(r.origin[0] + i * r.v1[0] + j * r.v2[0], r.origin[1] + i * r.v1[1] + j * r.v2[1])
         for r in found for i in range(r.columns) for j in range(r.rows)]
    )  # fmt: skip
    assert len(sites) == 6 * rows
    if rows > 1:  # every site has its nearest neighbours one period away
        away = np.hypot(*(sites[:, None] - sites[None]).transpose(2, 0, 1)) * 0.001
        np.fill_diagonal(away, np.inf)
        assert away.min(axis=1) == pytest.approx(400.0, abs=0.002)
        assert np.ptp(sites[:, 0]) == pytest.approx(
            5.5 * 400_000, abs=2
        )  # a rectangle, but for half a period
    assert abs(sites.min(axis=0) + sites.max(axis=0)).max() <= 4  # about the cell's middle


@pytest.mark.parametrize("kind", ["square", "rectangular", "hexagonal"])
def test_inverse_tone_draws_the_rest_of_the_cell(spec, stacks, kind):
    shape = {"shape": "circle", "radius_nm": 110.0, "center_nm": [10.0, -20.0]}
    if kind == "hexagonal":  # a2 is never on the grid, so its tiles cannot meet
        with pytest.raises(InputError, match="tiles would not meet"):
            masks.build(spec(stacks(shape, {"kind": kind, "period_nm": 400.0}), field_tone="inverse"))
        return
    sides = {"square": {"period_nm": 360.0}, "rectangular": {"period_x_nm": 360.0, "period_y_nm": 420.0}}[
        kind
    ]
    layout = masks.build(spec(stacks(shape, {"kind": kind, **sides}), field_tone="inverse"))
    cell_area = 360.0 * (420.0 if kind == "rectangular" else 360.0)
    assert drawn_nm2(layout) == pytest.approx(cell_area - math.pi * 110.0**2, abs=50.0)
    assert layout.devices[0].array.drawn == "all but the inclusions"


def test_inverse_tone_of_a_feature_across_the_cells_edge_is_refused(spec, stacks):
    shape = {"shape": "circle", "radius_nm": 110.0, "center_nm": [150.0, 0.0]}
    with pytest.raises(InputError, match="within their cell"):
        masks.build(spec(stacks(shape, {"period_nm": 360.0}), field_tone="inverse"))


def test_bias_changes_the_diameter_by_twice_itself(spec):
    plain, wider = masks.build(spec()), masks.build(spec(field_bias_nm=5.0))
    box = [bounds(layout.by_name, "F_R1C1_UNIT") for layout in (plain, wider)]
    assert box[1][2] - box[1][0] - (box[0][2] - box[0][0]) == pytest.approx(100, abs=2)  # 10 nm in 0.1 nm


def test_doses_are_datatypes(spec):
    layout = masks.build(spec(field_doses=[1.0, 0.8, 1.2]))
    assert [unit_cell(layout, n).polygons[0].layer for n in range(3)] == [(1, 1), (1, 0), (1, 2)]
    assert layout.layer_names[1, 2] == "pattern dose 1.2"


def test_wide_fields_go_on_in_the_next_line_and_nothing_meets(spec):
    layout = masks.build(
        spec(
            chip={"size_um": [1500.0, 1500.0]},
            field_periods_nm="300:400:5",
            field_side_um=60.0,
            field_periods=None,
        )
    )
    assert len(layout.devices) == 21
    rows = {device.origin[1] for device in layout.devices}
    assert len(rows) >= 3
    assert not masks.check(layout)


def test_labels_say_what_they_are_asked(spec):
    label = "{period}/{value}/{wavelength} x{dose} {periods}"
    vary = {"key": "layers.1.thickness_nm", "values": [150.0]}
    layout = masks.build(
        spec(
            field_label=label,
            field_vary=vary,
            field_periods_nm=[350.5, 360.0],
            field_wavelengths_nm=[612.34, 630.0],
        )
    )
    assert [device.label for device in layout.devices] == ["350.5/150/612.3 x1 5x4", "360/150/630 x1 5x4"]
    letters = layout.cell("F_R1C1").letters[0]
    assert letters.text == "350.5/150/612.3 x1 5x4"
    assert letters.size == 20_0000 // 16 * 16


def test_periods_scale_both_sides_of_a_rectangular_lattice(spec, stacks):
    lattice = {"kind": "rectangular", "period_x_nm": 300.0, "period_y_nm": 450.0}
    layout = masks.build(
        spec(stacks({"shape": "circle", "radius_nm": 80.0}, lattice), field_periods_nm=[320.0])
    )
    (reference,) = layout.cell("F_R1C1").references
    assert (reference.v1, reference.v2) == ((3200, 0), (0, 4800))


def test_an_invalid_variant_names_what_was_varied(spec):
    vary = {"key": "layers.1.inclusions.0.radius_nm", "values": [100.0, 900.0]}
    with pytest.raises(InputError, match=r"fields\.0: with .*radius_nm = 900"):
        masks.build(spec(field_vary=vary))
    with pytest.raises(InputError, match="periods are varied by periods_nm"):
        masks.build(spec(field_vary={"key": "lattice.period_nm", "values": [400.0]}))


def test_two_mirror_chip(cavity):
    item = {
        "name": "a",
        "design": cavity(),
        "diameters_um": [200.0, 500.0],
        "copies": 2,
        "label": "{diameter} {spacer} {film}",
    }
    windows = [{"label": "STEP", "size_um": [100.0, 50.0], "count": 2}]
    layout = masks.build(
        masks.mask_from_dict(
            {
                "name": "m",
                "apertures": [item],
                "windows": windows,
                "witness": {"widths_nm": [500.0], "lines": 7},
            }
        )
    )
    assert [device.kind for device in layout.devices] == ["aperture"] * 4 + ["witness", "window", "window"]
    assert layout.devices[0].label == "200 300 150"
    names = {name: layer for layer, name in layout.layer_names.items()}
    areas, counts = layout.areas_um2(), layout.polygon_counts()
    # A ring of width w with parallel-sided vents of width v loses about v w at each; arcs as chords of 2°: 2e-4.
    ring = sum(math.pi * ((d / 2 + 60.0) ** 2 - (d / 2) ** 2) - 4 * 20.0 * 60.0 for d in (200.0, 500.0))
    assert areas[names["spacer"]] == pytest.approx(2 * ring, rel=2e-3)
    discs = sum(math.pi * (d / 2 - 10.0) ** 2 for d in (200.0, 500.0))
    assert areas[names["film"]] == pytest.approx(2 * discs + 2 * 5000.0, rel=1e-6)
    assert counts[names["spacer"]] == 16
    assert counts[names["pattern"]] == 7
    assert not masks.check(layout)


def test_outlines_are_all_polygons_or_one_for_a_large_array(spec):
    layout = masks.build(spec(field_periods=[30, 30]))
    full = masks.outlines(layout, cell="F_R1C1")
    dots = [item for item in full if item.layer == "pattern"]
    assert len(dots) == 900
    assert not any(item.simplified for item in full)
    few = [
        item for item in masks.outlines(layout, cell="F_R1C1", max_polygons=100) if item.layer == "pattern"
    ]
    assert [item.simplified for item in few] == [True]
    low = np.min([item.points_um.min(axis=0) for item in dots], axis=0)
    assert low == pytest.approx(
        few[0].points_um.min(axis=0), abs=0.08
    )  # the hull ends half a gap (70 nm) outside
    assert np.ptp(few[0].points_um, axis=0) == pytest.approx((10.8, 10.8))
    assert {item.layer for item in masks.outlines(layout)} == {"pattern", "label", "marks", "frame"}


def test_equal_specs_give_equal_layouts(spec):
    assert masks.build(spec()) == masks.build(spec())


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"field_periods": [1_000_000, 1_000_000]}, "GDSII holds"),
        ({"field_gap_um": 1e29, "field_doses": [1.0, 2.0]}, "GDSII holds"),
        ({"witness": {"widths_nm": [1e29]}}, "GDSII holds"),
        ({"field_periods": None, "field_side_um": 0.1}, "shorter than one period"),
        (
            {"field_periods": None, "field_side_um": 10.0, "design": {"period_nm": 1e-3, "radius_nm": 1e-4}},
            "million",
        ),
        ({"design": {"period_nm": 1e9, "radius_nm": 100.0}}, "GDSII holds"),
        ({"design": {"period_nm": 1e9, "radius_nm": 1e8}}, "GDSII holds"),
        ({"design": {"period_nm": 1e-320, "radius_nm": 1e-322}}, "nm"),
    ],
)
def test_sizes_beyond_the_format_are_refused(spec, circles, changes, rule):
    own = {name: item for name, item in changes.items() if name != "design"}
    with pytest.raises(InputError, match=rule):
        masks.build(spec(circles(**changes.get("design", {})), **own))
