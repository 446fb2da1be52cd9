"""Walls that lean, shapes of any kind and several holes per cell, in the families that have them."""

import math
import tomllib

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cavitydesign.errors import InputError
from cavitydesign.geometry import design_from_dict, templates
from cavitydesign.geometry.complaint import RuleBroken
from cavitydesign.geometry.schema import design_schema
from tests.geometry.contents import CONTENT
from tests.geometry.test_families import gain_volume, shown

KEYS = {"nanopillar_array": "pillar", "pcsel": "grating", "grating": "grating"}


def changed(family, key="", **changes):
    """A small design of a family with some keys of one of its tables changed; None takes one away."""
    content = dict(CONTENT[family])
    table = key or KEYS[family]
    part = {**content[table], **changes}
    content[table] = {name: item for name, item in part.items() if item is not None}
    return design_from_dict({name: item for name, item in content.items() if name != "device"})


@pytest.mark.parametrize("family", KEYS)
@pytest.mark.parametrize("steps", [1, 5])
def test_upright_walls_are_the_design_that_says_nothing_of_them(family, steps):
    plain = changed(family)
    told = changed(family, sidewall_deg=0.0, sidewall_steps=steps)
    assert told.to_stack() == plain.to_stack()
    assert changed(family, sidewall_deg=0.0).id == plain.id
    assert told.told_of_written() == {}


@pytest.mark.parametrize("family", KEYS)
@pytest.mark.parametrize("lean", [12.0, -5.0])
def test_steps_are_as_wide_as_the_wall_at_their_middle(family, lean):
    stack = changed(family, sidewall_deg=lean, sidewall_steps=4).to_stack()
    upright = changed(family).to_stack()
    (whole,) = [layer for layer in upright.layers if layer.inclusions]
    parts = [layer for layer in stack.layers if layer.inclusions]
    assert {layer.name for layer in parts} == {whole.name}
    height = whole.thickness_nm
    np.testing.assert_allclose([layer.thickness_nm for layer in parts], height / 4)
    widths = [np.ptp(layer.inclusions[-1].pattern.outline(4)[:, 0]) for layer in parts]
    top = np.ptp(whole.inclusions[-1].pattern.outline(4)[:, 0])
    sense = -2.0 if family == "pcsel" else 2.0
    depths = height * (np.arange(4) + 0.5) / 4
    np.testing.assert_allclose(widths, top + sense * depths * math.tan(math.radians(lean)), rtol=1e-12)
    assert changed(family, sidewall_deg=lean).written() == tuple(i.pattern for i in whole.inclusions)


@pytest.mark.parametrize("steps", [4, 8])
def test_the_staircase_holds_the_frustum_up_to_the_square_of_a_step(steps):
    stack = changed("nanopillar_array", sidewall_deg=10.0, sidewall_steps=steps).to_stack()
    top, foot = 80.0, 80.0 + 150.0 * math.tan(math.radians(10.0))
    frustum = math.pi * 150.0 / 3.0 * (top**2 + top * foot + foot**2)
    missing = math.pi * 150.0 * (foot - top) ** 2 / (12.0 * steps**2)  # of the midpoint rule, exactly
    drawn = sum(layer.thickness_nm * i.pattern.area_nm2 for layer in stack.layers for i in layer.inclusions)
    assert frustum - drawn == pytest.approx(missing, rel=1e-9)


@pytest.mark.parametrize(("film", "names"), [
    (350.0, ["film", *["pillars in film"] * 6]),
    (150.0, ["pillars in film"] * 6),
    (100.0, [*["bare pillars"] * 2, *["pillars in film"] * 4]),
    (80.0, [*["bare pillars"] * 3, *["pillars in film"] * 4]),
])  # fmt: skip
def test_a_film_that_planarises_leaning_pillars(film, names):
    content = dict(CONTENT["nanopillar_array"])
    content["pillar"] = {**content["pillar"], "sidewall_deg": 8.0, "sidewall_steps": 6}
    content["film"] = {**content["film"], "thickness_nm": film}
    stack = design_from_dict(content).to_stack()
    assert [layer.name for layer in stack.layers[1:-2]] == names
    thick = [layer.thickness_nm for layer in stack.layers[1:-2]]
    assert sum(thick) == pytest.approx(max(film, 150.0))
    # the film's volume is its slab less the frustum within it
    low = min(film, 150.0)
    lean = math.tan(math.radians(8.0))
    foot, cut = 80.0 + 150.0 * lean, 80.0 + (150.0 - low) * lean
    frustum = math.pi * low / 3.0 * (foot**2 + foot * cut + cut**2)
    assert gain_volume(stack) == pytest.approx(365.0**2 * film - frustum, rel=1e-4)


def test_a_conformal_coat_is_as_thick_as_it_says_across_leaning_walls():
    content = dict(CONTENT["nanopillar_array"])
    content["pillar"] = {**content["pillar"], "sidewall_deg": 15.0, "sidewall_steps": 40}
    content["film"] = {**content["film"], "thickness_nm": 30.0, "coating": "conformal"}
    layers = design_from_dict(content).to_stack().layers
    for name in ("caps", "coated pillars"):
        depth = -30.0 if name == "caps" else 0.0
        for layer in (layer for layer in layers if layer.name == name):
            middle = depth + 0.5 * layer.thickness_nm
            depth += layer.thickness_nm
            wall = 80.0 + middle * math.tan(math.radians(15.0))
            across = (layer.inclusions[0].pattern.radius_nm - wall) * math.cos(math.radians(15.0))
            assert across == pytest.approx(30.0)
    assert [layer.thickness_nm for layer in layers if layer.name == "floor film"] == pytest.approx([3.75] * 8)
    assert sum(layer.thickness_nm for layer in layers[1:-2]) == pytest.approx(180.0)


SHAPES = {
    "ellipse": {"shape": "ellipse", "semi_axes_nm": [90.0, 60.0], "rotation_deg": 30.0},
    "square": {"shape": "rectangle", "size_nm": [150.0, 150.0], "corner_radius_nm": 25.0},
    "triangle": {
        "shape": "polygon", "vertices_nm": [[-90, -60], [90, -60], [0, 100]], "corner_radius_nm": 20.0
    },
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("coating", ["planarising", "conformal"])
def test_pillars_of_any_cross_section(shape, coating):
    content = dict(CONTENT["nanopillar_array"])
    content["pillar"] = {**content["pillar"], "sidewall_deg": 5.0, "cross_section": SHAPES[shape]}
    del content["pillar"]["diameter_nm"]
    content["film"] = {**content["film"], "thickness_nm": 30.0, "coating": coating}
    design = design_from_dict(content)
    (written,) = design.written()
    assert written.shape == SHAPES[shape]["shape"]
    areas = [layer.inclusions[-1].pattern.area_nm2 for layer in design.to_stack().layers if layer.inclusions]
    assert areas[-1] > areas[-2] > written.area_nm2
    assert design.told_of_written() == {"pillar.sidewall_deg": 5.0}


DOUBLE = [
    {"shape": "circle", "radius_nm": 60.0, "center_nm": [-90.0, -90.0]},
    {"shape": "ellipse", "semi_axes_nm": [70.0, 50.0], "center_nm": [90.0, 90.0]},
]


def double(holes=DOUBLE, **more):
    return changed("pcsel", duty_cycle=None, duty_cycle_of=None, holes=holes, **more)


def test_several_holes_in_a_cell():
    design = double(sidewall_deg=6.0, sidewall_steps=3, etch_depth_nm=120.0)
    assert [hole.center_nm for hole in design.written()] == [(-90.0, -90.0), (90.0, 90.0)]
    layers = [layer for layer in design.to_stack().layers if layer.inclusions]
    assert [len(layer.inclusions) for layer in layers] == [2, 2, 2]
    assert shown(design.to_stack())[2:6] == [("grating", 40.0, True)] * 3 + [("unetched", 50.0, False)]
    moved = design.with_values({"grating.holes.1.center_nm.0": 80.0, "grating.holes.0.radius_nm": 55.0})
    assert moved.written()[1].center_nm == (80.0, 90.0)
    assert moved.written()[0].radius_nm == 55.0


def test_one_hole_in_the_middle_is_the_old_design():
    single = changed("pcsel", duty_cycle=None, duty_cycle_of=None, hole_nm=120.0)
    listed = double([{"shape": "circle", "radius_nm": 60.0}])
    assert listed.to_stack() == single.to_stack()


@given(st.floats(0.0, 1.0))
def test_a_square_hole_of_a_duty_cycle_has_its_area_however_round_its_corners(share):
    radius = share * 80.0
    design = changed("pcsel", hole="square", corner_radius_nm=radius, duty_cycle=0.8)
    (hole,) = design.written()
    assert hole.area_nm2 == pytest.approx(0.2 * 360.0**2, rel=1e-12)


@pytest.mark.parametrize(
    ("family", "changes", "key", "rule"),
    [
        ("nanopillar_array", {"sidewall_deg": 60.1}, "pillar.sidewall_deg", "must be ≤ 60"),
        ("nanopillar_array", {"sidewall_steps": 0}, "pillar.sidewall_steps", "must be ≥ 1"),
        ("nanopillar_array", {"sidewall_steps": 2.5}, "pillar.sidewall_steps", "whole number"),
        ("nanopillar_array", {"sidewall_deg": 40.0}, "pillar.sidewall_deg", "at the foot, 150 nm below the top one of"),
        ("nanopillar_array", {"sidewall_deg": -30.0}, "pillar.sidewall_deg", "leaves nothing of a circle at the foot"),
        ("nanopillar_array", {"diameter_nm": None}, "pillar.diameter_nm", "missing (or cross_section)"),
        ("nanopillar_array", {"cross_section": SHAPES["ellipse"]}, "pillar.diameter_nm", "not both"),
        (
            "nanopillar_array",
            {"diameter_nm": None, "cross_section": {"shape": "ellipse", "semi_axes_nm": [200.0, 50.0]}},
            "pillar.cross_section.semi_axes_nm",
            "wider than its cell",
        ),
        ("nanopillar_array", {"cross_section": {"shape": "bar"}}, "pillar.cross_section.shape", "one of"),
        (
            "nanopillar_array",
            {"diameter_nm": None, "cross_section": {**SHAPES["square"], "corner_radius_nm": 80.0}},
            "pillar.cross_section.corner_radius_nm",
            "must not exceed 75",
        ),
        ("grating", {"sidewall_deg": 59.0, "duty_cycle": 0.9}, "grating.sidewall_deg", "wider than its cell"),
        ("grating", {"sidewall_deg": -59.0}, "grating.sidewall_deg", "leaves nothing of a bar at the foot"),
        ("pcsel", {"sidewall_deg": 40.0}, "grating.sidewall_deg", "leaves nothing of a circle at the foot, 170 nm"),
        ("pcsel", {"sidewall_deg": -30.0}, "grating.sidewall_deg", "wider than its cell"),
        ("pcsel", {"holes": DOUBLE}, "grating.duty_cycle", "each of holes says its own"),
        ("pcsel", {"corner_radius_nm": 10.0}, "grating.corner_radius_nm", "hole = square"),
        ("pcsel", {"corner_radius_nm": 130.0, "hole": "square"}, "grating.corner_radius_nm", "half the hole"),
        ("pcsel", {"duty_cycle": None, "duty_cycle_of": None}, "grating.duty_cycle", "missing (or hole_nm, or holes)"),
    ],
)  # fmt: skip
def test_what_cannot_be_etched_is_said_by_key(family, changes, key, rule):
    with pytest.raises(InputError) as caught:
        changed(family, **changes)
    assert key in str(caught.value)
    assert rule in str(caught.value)
    assert len(caught.value.lines) == 1


@pytest.mark.parametrize(
    ("holes", "more", "key", "rule"),
    [
        ([DOUBLE[0], {**DOUBLE[1], "center_nm": [-10.0, -10.0]}], {}, "grating.holes.1", "crosses hole 0"),
        ([DOUBLE[0], {**DOUBLE[1], "center_nm": [240.0, 240.0]}], {}, "grating.holes.1", "in the next cell"),
        ([DOUBLE[0], {"shape": "circle", "radius_nm": 190.0}], {}, "grating.holes.1.radius_nm", "wider than its cell"),
        (
            [DOUBLE[0], {**DOUBLE[1], "center_nm": [40.0, 40.0]}],
            {"sidewall_deg": -20.0},
            "grating.sidewall_deg",
            "one of the holes crosses hole 0",
        ),
        (DOUBLE, {"hole_nm": 100.0}, "grating.hole_nm", "each of holes says its own"),
        ([{"shape": "circle", "radius": 60.0}], {}, "grating.holes.0.radius", "did you mean radius_nm?"),
        ([{"shape": "disc", "radius_nm": 60.0}], {}, "grating.holes.0.shape", "must be one of"),
        ([{"radius_nm": 60.0}], {}, "grating.holes.0.shape", "missing"),
        ([{"shape": "ellipse", "semi_axes_nm": [60.0, -1.0]}], {}, "grating.holes.0.semi_axes_nm.1", "must be > 0"),
        ([{"shape": "ellipse", "semi_axes_nm": [60.0]}], {}, "grating.holes.0.semi_axes_nm.1", "missing"),
    ],
)  # fmt: skip
def test_holes_that_do_not_fit_are_said_by_key(holes, more, key, rule):
    with pytest.raises(InputError) as caught:
        double(holes, **more)
    assert f"{key}:" in str(caught.value)
    assert rule in str(caught.value)
    assert len(caught.value.lines) == 1


@pytest.mark.parametrize("family", KEYS)
def test_a_schema_takes_what_is_said_of_walls_and_shapes(family):
    more = {
        "nanopillar_array": {
            "cross_section": {**SHAPES["ellipse"], "rotation_deg": {"value": 3.0, "source": "measured"}}
        },
        "pcsel": {"holes": DOUBLE, "corner_radius_nm": 0.0},
        "grating": {},
    }[family]
    content = {name: item for name, item in CONTENT[family].items() if name != "device"}
    left_out = ("diameter_nm", "duty_cycle", "duty_cycle_of") if more else ()
    table = {name: item for name, item in content[KEYS[family]].items() if name not in left_out}
    lean = {"value": 7.0, "source": "assumed", "plus_minus": 2.0}
    content[KEYS[family]] = {**table, **more, "sidewall_deg": lean, "sidewall_steps": 4}
    jsonschema.validate(content, design_schema(family))
    design = design_from_dict(content)
    assert design.value_at(f"{KEYS[family]}.sidewall_deg") == 7.0
    assert f"{KEYS[family]}.sidewall_deg" in {record.path for record in design.assumed()}
    content[KEYS[family]]["sidewall_deg"] = 61.0
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, design_schema(family))


def uncommented(text, *keys):
    """A template with some of its commented keys said."""
    for key in keys:
        assert f"\n# {key} = " in text
        text = text.replace(f"\n# {key} = ", f"\n{key} = ")
    return text


@pytest.mark.parametrize("family", KEYS)
def test_what_a_template_leaves_out_may_be_said(family):
    text = uncommented(templates.text(family), "sidewall_deg", "sidewall_steps")
    design = design_from_dict(tomllib.loads(text))
    assert design.value_at(f"{KEYS[family]}.sidewall_deg") == 8.0
    assert design.value_at(f"{KEYS[family]}.sidewall_steps") == 8


def test_the_holes_and_the_cross_section_of_a_template_may_be_said():
    text = templates.text("pcsel").replace("\n# [[grating.holes]]", "\n[[grating.holes]]")
    text = uncommented(text, "shape", "radius_nm", "center_nm")
    text = "\n".join(line for line in text.splitlines() if not line.startswith(("hole =", "duty_cycle")))
    assert design_from_dict(tomllib.loads(text)).written()[0].radius_nm == 60.0
    text = uncommented(templates.text("nanopillar_array"), "cross_section")
    text = "\n".join(line for line in text.splitlines() if not line.startswith("diameter_nm"))
    assert design_from_dict(tomllib.loads(text)).written()[0].corner_radius_nm == 20.0


def test_a_sharp_tip_that_would_grow_a_spike_is_refused():
    tip = [{"shape": "polygon", "vertices_nm": [[-90, -10], [90, 0], [-90, 10]]}]
    with pytest.raises(RuleBroken, match="too sharp a corner"):
        double(tip).written()[0].grown(5.0)
    with pytest.raises(
        InputError, match="sidewall_deg: moves the edges of a polygon with too sharp a corner"
    ):
        double(tip, sidewall_deg=2.0)
