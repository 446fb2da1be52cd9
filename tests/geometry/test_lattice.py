"""Lattices: vectors, areas and rows of each kind; and the device that is made of one."""

import math

import numpy as np
import pytest
from pydantic import TypeAdapter

from cavitydesign.errors import InputError
from cavitydesign.geometry import Device, Stack, design_from_dict
from cavitydesign.geometry.base import validated
from cavitydesign.geometry.lattice import AnyLattice
from tests.geometry.contents import CONTENT

KINDS = {
    "none": {},
    "line": {"period_nm": 300.0},
    "square": {"period_nm": 300.0},
    "rectangular": {"period_x_nm": 300.0, "period_y_nm": 200.0},
    "hexagonal": {"period_nm": 300.0},
    "oblique": {"period_1_nm": 300.0, "period_2_nm": 250.0, "angle_deg": 75.0},
}


def lattice(kind, **content):
    return TypeAdapter(AnyLattice).validate_python({"kind": kind, **(content or KINDS[kind])})


@pytest.mark.parametrize("kind", KINDS)
def test_reciprocal_vectors_and_area(kind):
    made = lattice(kind)
    assert np.allclose(made.vectors_nm @ made.reciprocal_per_nm.T, 2.0 * np.pi * np.eye(2), atol=1e-12)
    assert made.cell_area_nm2 == pytest.approx(np.linalg.det(made.vectors_nm), rel=1e-14)
    assert np.allclose(np.hypot(*made.vectors_nm.T), made.periods_nm, rtol=1e-15)
    assert made.vectors_nm[0, 1] == 0.0


def test_hexagonal_vectors_are_60_degrees_apart():
    a1, a2 = lattice("hexagonal").vectors_nm
    assert a1 @ a2 == pytest.approx(0.5 * 300.0**2, rel=1e-15)


@pytest.mark.parametrize(("angle", "shortest"), [(45.0, 300.0), (30.0, 150.0), (90.0, 300.0), (120.0, 300.0)])
def test_nearest_neighbour_of_an_oblique_lattice(angle, shortest):
    length = {45.0: 300.0 * math.sqrt(2.0), 30.0: 150.0 * math.sqrt(3.0)}.get(angle, 300.0)
    made = lattice("oblique", period_1_nm=300.0, period_2_nm=length, angle_deg=angle)
    n = np.arange(-4, 5)
    i, j = (part.ravel() for part in np.meshgrid(n, n))
    lengths = np.hypot(*(i[:, None] * made.vectors_nm[0] + j[:, None] * made.vectors_nm[1]).T)
    assert made.nearest_nm == pytest.approx(lengths[lengths > 0.0].min(), rel=1e-12)
    assert made.nearest_nm == pytest.approx(shortest, rel=1e-12)


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        ("none", []),
        ("line", [300.0]),
        ("square", [300.0]),
        ("rectangular", [300.0, 200.0]),
        ("hexagonal", [300.0 * math.sqrt(0.75)]),
        ("oblique", [300.0 * math.sin(math.radians(75.0)), 250.0 * math.sin(math.radians(75.0))]),
    ],
)
def test_distances_between_rows(kind, rows):
    assert list(lattice(kind).bragg_periods_nm) == pytest.approx(rows, rel=1e-14)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "none"])
def test_another_period_keeps_the_shape_of_the_cell(kind):
    made = lattice(kind)
    moved = made.replace(**made.at_period(330.0))
    assert moved.periods_nm[0] == 330.0
    if made.dimensions == 2:
        assert np.allclose(moved.vectors_nm, 1.1 * made.vectors_nm, rtol=1e-14)


@pytest.mark.parametrize(
    ("content", "key", "told"),
    [
        ({"kind": "square"}, "period_nm", "is missing"),
        ({"kind": "square", "period_nm": 1.0, "period_x_nm": 2.0}, "period_x_nm", "did you mean period_nm?"),
        ({"kind": "rectangular", "period_nm": 3.0, "period_y_nm": 3.0}, "period_nm", "mean period_"),
        ({"kind": "rectangular", "period_x_nm": 300.0}, "period_y_nm", "is missing"),
        ({"kind": "oblique", "period_1_nm": 3.0, "period_2_nm": 3.0, "angle_deg": 5.0}, "angle_deg", "≥ 20"),
        ({"kind": "cubic", "period_nm": 300.0}, "kind", "must be one of none, line, square"),
        ({"period_nm": -1.0}, "period_nm", "> 0"),
    ],
)
def test_lattice_says_which_key_is_wrong(content, key, told):
    with pytest.raises(InputError) as caught:
        validated(Stack, {"lattice": content, "layers": [{"material": {"n": 1.0}}] * 2})
    assert caught.value.key == f"lattice.{key}"
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("family", "kind"),
    [("pcsel", "line"), ("nanopillar_array", "none"), ("two_mirror", "square"), ("grating", "hexagonal")],
)
def test_a_family_says_which_lattices_it_can_have(family, kind):
    with pytest.raises(InputError) as caught:
        design_from_dict({**CONTENT[family], "lattice": {"kind": kind, **KINDS[kind]}})
    assert caught.value.key == "lattice.kind"


def test_periods_of_lines_may_stand_alone():
    grating = {**CONTENT["grating"], "device": {"periods": 200, "shift_periods": 0.25}}
    design = design_from_dict(grating)
    assert design.device is not None
    assert design.device.periods == (200,)
    assert design.device.counts == (200, 1)
    assert design_from_dict({**grating, "device": {"periods": [200], "shift_periods": 0.25}}) == design
    assert Device(periods=(17, 19)).counts == (17, 19)
    sourced = {**grating, "device": {"periods": {"value": 200, "source": "published"}}}
    assert [record.path for record in design_from_dict(sourced).sources] == ["device.periods"]


@pytest.mark.parametrize(
    ("family", "device", "key"),
    [
        ("pcsel", {"periods": 17}, "device.periods"),
        ("grating", {"periods": [17, 17]}, "device.periods"),
        ("two_mirror", {"periods": [17, 17]}, "device"),
        ("pcsel", {"periods": [17, 17], "shift_periods": 0.5}, "device.shift_periods"),
        ("grating", {"periods": 3, "shift_periods": 0.5}, "device.shift_periods"),
        ("grating", {"periods": True}, "device.periods"),
        ("grating", {"periods": 0}, "device.periods.0"),
    ],
)
def test_a_device_must_be_one_of_its_lattice(family, device, key):
    with pytest.raises(InputError) as caught:
        design_from_dict({**CONTENT[family], "device": device})
    assert caught.value.key == key
