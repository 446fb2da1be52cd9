"""Families become the layers that their docstrings draw; duty cycles in each reading; what cannot be is said by key."""

import math

import numpy as np
import pytest

from cavitydesign.errors import InputError
from cavitydesign.geometry import Constant, design_from_dict

FILM = Constant(n=1.85)


def shown(stack):
    """Layers as (name, thickness, gain anywhere)."""
    return [(layer.name, layer.thickness_nm, layer.has_gain) for layer in stack.layers]


def pillars(content_of, **film):
    content = content_of("nanopillar_array")
    content["film"].update(film)
    return design_from_dict(content)


def test_planarising_film_thicker_than_the_pillars(content_of):
    stack = pillars(content_of).to_stack()
    assert shown(stack) == [
        ("superstrate", None, False),
        ("film", 200.0, True),
        ("pillars in film", 150.0, True),
        ("spacer", 600.0, False),
        ("substrate", None, False),
    ]
    (pillar,) = stack.layers[2].inclusions
    assert pillar.pattern.radius_nm == 80.0
    assert not pillar.gain
    assert stack.layers[2].material == FILM  # spelt out, by the name "film"


def test_planarising_film_thinner_than_the_pillars(content_of):
    stack = pillars(content_of, thickness_nm=100.0).to_stack()
    assert shown(stack)[1:3] == [("bare pillars", 50.0, False), ("pillars in film", 100.0, True)]
    assert stack.layers[1].material == Constant(n=1.0)


@pytest.mark.parametrize("thickness", [150.0, 150.0 + 3e-14, 150.0 - 3e-14])
def test_flush_film_leaves_no_sliver(content_of, thickness):
    assert shown(pillars(content_of, thickness_nm=thickness).to_stack())[1:3] == [
        ("pillars in film", 150.0, True),
        ("spacer", 600.0, False),
    ]


def test_conformal_film_covers_every_face(content_of):
    stack = pillars(content_of, thickness_nm=30.0, coating="conformal").to_stack()
    assert shown(stack)[1:5] == [
        ("caps", 30.0, True),
        ("coated pillars", 120.0, True),
        ("floor film", 30.0, True),
        ("spacer", 600.0, False),
    ]
    caps, coated, floor = stack.layers[1:4]
    assert [(i.pattern.radius_nm, i.gain) for i in caps.inclusions] == [(110.0, True)]
    assert [(i.pattern.radius_nm, i.gain) for i in coated.inclusions] == [(110.0, True), (80.0, False)]
    assert [(i.pattern.radius_nm, i.gain) for i in floor.inclusions] == [(80.0, False)]
    assert floor.gain
    assert not caps.gain
    # film on every face: top disc, side ring, floor around the pillar
    volume = math.pi * (110.0**2 * 30.0 + (110.0**2 - 80.0**2) * 120.0 - 80.0**2 * 30.0) + 365.0**2 * 30.0
    assert gain_volume(stack) == pytest.approx(volume, rel=1e-12)


def gain_volume(stack):
    """Volume of the gain film in one cell, nm³, from the layers; inner inclusions displace the outer ones."""
    total = 0.0
    for layer in stack.layers[1:-1]:
        share = np.array([stack.lattice.cell_area_nm2, *(i.pattern.area_nm2 for i in layer.inclusions)])
        share[:-1] -= share[1:]  # concentric: each holds the next
        gain = np.array([layer.gain, *(i.gain for i in layer.inclusions)])
        total += layer.thickness_nm * float(share @ gain)
    return total


@pytest.mark.parametrize(
    ("film", "gain"), [(350.0, 365**2 * 350 - math.pi * 80**2 * 150), (90.0, (365**2 - math.pi * 80**2) * 90)]
)
def test_planarising_film_fills_what_the_pillars_leave(content_of, film, gain):
    assert gain_volume(pillars(content_of, thickness_nm=film).to_stack()) == pytest.approx(gain, rel=1e-12)


@pytest.mark.parametrize(
    ("hole", "of", "expected"),
    [
        ("circle", "solid_area", 2.0 * 360.0 * math.sqrt(0.3 / math.pi)),
        ("circle", "hole_area", 2.0 * 360.0 * math.sqrt(0.7 / math.pi)),
        ("circle", "solid_line", 0.3 * 360.0),
        ("circle", "hole_line", 0.7 * 360.0),
        ("square", "solid_area", 360.0 * math.sqrt(0.3)),
        ("square", "hole_area", 360.0 * math.sqrt(0.7)),
        ("square", "solid_line", 0.3 * 360.0),
        ("square", "hole_line", 0.7 * 360.0),
    ],
)
def test_duty_cycle_in_each_reading(content_of, hole, of, expected):
    content = content_of("pcsel")
    content["grating"] |= {"hole": hole, "duty_cycle_of": of}
    stack = design_from_dict(content).to_stack()
    (inclusion,) = stack.layers[2].inclusions
    width = np.ptp(inclusion.pattern.outline(4)[:, 0])
    assert width == pytest.approx(expected, rel=1e-12)
    if of.endswith("area"):
        filled = inclusion.pattern.area_nm2 / stack.lattice.cell_area_nm2
        assert filled == pytest.approx(0.3 if of.startswith("solid") else 0.7, rel=1e-12)


def test_area_duty_cycle_of_a_hexagonal_cell(content_of):
    content = content_of("pcsel")
    content["lattice"] = {"kind": "hexagonal", "period_nm": 400.0}
    stack = design_from_dict(content).to_stack()
    assert stack.layers[2].inclusions[0].pattern.area_nm2 / stack.lattice.cell_area_nm2 == pytest.approx(
        0.3, rel=1e-12
    )


def test_pcsel_layers(content_of):
    content = content_of("pcsel")
    assert shown(design_from_dict(content).to_stack()) == [
        ("superstrate", None, False),
        ("overlayer", 50.0, True),
        ("grating", 170.0, True),
        ("substrate", None, False),
    ]
    content["grating"] |= {"etch_depth_nm": 120.0}
    content |= {
        "underlayer": {"thickness_nm": 20.0, "material": {"n": 1.6}},
        "infill": {"material": {"n": 1.0}, "gain": False},
    }
    del content["overlayer"]
    assert shown(design_from_dict(content).to_stack())[1:-1] == [
        ("grating", 120.0, False),
        ("unetched", 50.0, False),
        ("underlayer", 20.0, False),
    ]
    content["grating"]["etch_depth_nm"] = 170.0
    assert "unetched" not in [layer.name for layer in design_from_dict(content).to_stack().layers]


def test_two_mirror_layers_from_the_outside_in(content_of):
    content = content_of("two_mirror")
    content["back_mirror"] = {
        "design_wavelength_nm": 680.0,
        "pairs": 2,
        "high": {"n": 2.4},
        "low": "silica",
        "closed": False,
    }
    names = [layer.name for layer in design_from_dict(content).to_stack().layers]
    front = ["front H", "front L"] * 3 + ["front H"]
    back = ["back L", "back H"] * 2  # seen from the cavity: without the closing H, L comes first
    assert names == ["superstrate", *front, "spacer", "film", *back, "substrate"]
    content["film"]["on"] = "front"
    names = [layer.name for layer in design_from_dict(content).to_stack().layers]
    assert names == ["superstrate", *front, "film", "spacer", *back, "substrate"]
    content["back_mirror"] = {"layers": [{"thickness_nm": t, "material": {"n": 2.0}} for t in (10.0, 20.0)]}
    layers = design_from_dict(content).to_stack().layers
    assert [layer.thickness_nm for layer in layers[-3:-1]] == [
        20.0,
        10.0,
    ]  # given from the outside to the cavity
    assert layers[1].quarter_wave_nm == 680.0
    assert layers[1].thickness_nm is None


@pytest.mark.parametrize(
    ("family", "path", "value", "key", "rule"),
    [
        (
            "nanopillar_array",
            "pillar.diameter_nm",
            366.0,
            "pillar.diameter_nm",
            "wider than its cell, 365 nm",
        ),
        ("nanopillar_array", "lattice.period_nm", 159.0, "pillar.diameter_nm", "wider than its cell, 159 nm"),
        (
            "pcsel",
            "grating.duty_cycle",
            0.2,
            "grating.duty_cycle",
            "the hole, 363.3 nm wide, must not be wider than its cell",
        ),
        ("pcsel", "grating.duty_cycle", 1.0, "grating.duty_cycle", "must be < 1"),
        ("pcsel", "grating.duty_cycle", 0.0, "grating.duty_cycle", "must be > 0"),
        ("pcsel", "grating.hole_nm", 100.0, "grating.hole_nm", "not both"),
        (
            "pcsel",
            "grating.etch_depth_nm",
            171.0,
            "grating.etch_depth_nm",
            "must not exceed thickness_nm, 170",
        ),
        ("two_mirror", "front_mirror.pairs", 0, "front_mirror.pairs", "must be ≥ 1"),
        ("two_mirror", "front_mirror.pairs", 2.5, "front_mirror.pairs", "whole number"),
        ("two_mirror", "back_mirror.pairs", 5, "back_mirror.pairs", "given by its layers"),
    ],
)
def test_what_cannot_be_is_said_by_key_and_value(content_of, family, path, value, key, rule):
    design = design_from_dict(content_of(family))
    with pytest.raises(InputError) as caught:
        design.with_value(path, value)
    assert caught.value.key == key
    assert rule in caught.value.message
    if path == key:
        assert caught.value.value == value


@pytest.mark.parametrize(
    ("film", "rule"),
    [
        ({"thickness_nm": 103.0}, "365 nm apart merge"),
        ({"thickness_nm": 150.0}, "merge"),
        ({"thickness_nm": 60.0}, None),
    ],
)
def test_conformal_coats_that_merge(content_of, film, rule):
    if rule is None:
        pillars(content_of, coating="conformal", **film)
        return
    with pytest.raises(InputError, match=rule) as caught:
        pillars(content_of, coating="conformal", **film)
    assert caught.value.key == "film.thickness_nm"


def test_conformal_film_as_high_as_the_pillars(content_of):
    content = content_of("nanopillar_array")
    content["pillar"]["height_nm"] = 50.0
    content["film"] |= {"thickness_nm": 50.0, "coating": "conformal"}
    with pytest.raises(InputError, match="thinner than the pillars are high, 50 nm") as caught:
        design_from_dict(content)
    assert (caught.value.key, caught.value.value) == ("film.thickness_nm", 50.0)


@pytest.mark.parametrize("key", ["design_wavelength_nm", "pairs", "high", "low"])
def test_quarter_wave_mirror_needs_all_its_keys(content_of, key):
    content = content_of("two_mirror")
    del content["front_mirror"][key]
    with pytest.raises(InputError, match="missing") as caught:
        design_from_dict(content)
    assert caught.value.key == f"front_mirror.{key}"


@pytest.mark.parametrize("key", ["duty_cycle", "duty_cycle_of"])
def test_duty_cycle_says_of_what(content_of, key):
    content = content_of("pcsel")
    del content["grating"][key]
    with pytest.raises(InputError, match="missing") as caught:
        design_from_dict(content)
    assert caught.value.key.startswith("grating.duty_cycle")


@pytest.mark.parametrize(
    ("family", "depth", "rest"),
    [
        ("pcsel", 166.0, [4.0]),
        ("pcsel", 170.0 - 1e-7, []),
        ("grating", 56.0, [4.0]),
        ("grating", 60.0 - 1e-7, []),
    ],
)
def test_what_is_left_unetched_is_a_layer_however_thin(content_of, family, depth, rest):
    content = content_of(family)
    content["grating"] |= {"thickness_nm": 170.0 if family == "pcsel" else 60.0, "etch_depth_nm": depth}
    layers = design_from_dict(content).to_stack().layers
    assert [layer.thickness_nm for layer in layers if layer.name == "unetched"] == pytest.approx(rest)
