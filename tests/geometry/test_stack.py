"""Lattices, layers and inclusions: what fits a cell and what does not."""

import pytest

from cavitydesign.errors import InputError
from cavitydesign.geometry import Constant, Inclusion, Layer, Stack
from cavitydesign.geometry.base import validated

SQUARE = {"kind": "square", "period_nm": 300.0}
HEXAGONAL = {"kind": "hexagonal", "period_nm": 300.0}
RECTANGULAR = {"kind": "rectangular", "period_x_nm": 300.0, "period_y_nm": 200.0}
LINE = {"kind": "line", "period_nm": 300.0}
SKEW = {"kind": "oblique", "period_1_nm": 300.0, "period_2_nm": 300.0 * 2**0.5, "angle_deg": 45.0}
N1, N2 = {"n": 1.0}, {"n": 2.0}


def circle(radius, center=(0.0, 0.0)):
    return {"shape": "circle", "radius_nm": radius, "center_nm": center, "material": N1}


def rectangle(x, y, angle=0.0, center=(0.0, 0.0)):
    return {
        "shape": "rectangle",
        "size_nm": [x, y],
        "rotation_deg": angle,
        "center_nm": center,
        "material": N1,
    }


def bar(width, x=0.0):
    return {"shape": "bar", "width_nm": width, "center_nm": (x, 0.0), "material": N1}


def stack(lattice, *inclusions, **layer):
    middle = {"material": N2, "thickness_nm": 100.0, "inclusions": list(inclusions), **layer}
    return validated(Stack, {"lattice": lattice, "layers": [{"material": N1}, middle, {"material": N1}]})


@pytest.mark.parametrize(
    ("lattice", "inclusions"),
    [
        (SQUARE, [circle(150.0)]),  # touching the copies next door
        (HEXAGONAL, [circle(150.0)]),
        (RECTANGULAR, [circle(100.0)]),
        (SQUARE, [rectangle(300.0, 100.0)]),  # a line grating
        (SQUARE, [rectangle(212.0, 212.0, 45.0)]),  # diamonds almost corner to corner
        (SQUARE, [circle(100.0), circle(60.0)]),  # nested
        (SQUARE, [circle(70.0, (-75.0, 0.0)), circle(70.0, (75.0, 0.0))]),  # side by side
        (SQUARE, [circle(100.0), circle(30.0, (300.0, 0.0))]),  # inside the copy next door
        (SQUARE, [circle(100.0), circle(60.0), circle(20.0)]),
        (SQUARE, [circle(40.0, (150.0, 150.0)), circle(150.0)]),  # in the gap between four
        (HEXAGONAL, [circle(100.0, (0.0, 0.0)), circle(60.0, (150.0, 86.6))]),
        (SKEW, [circle(150.0)]),  # a square lattice, told otherwise
        (LINE, [bar(300.0)]),
        (LINE, [bar(200.0), bar(100.0)]),
        (LINE, [bar(100.0, -80.0), bar(100.0, 80.0)]),
        (SQUARE, [rectangle(900.0, 20.0, 18.434948822922010)]),  # through three cells, between its copies
    ],
)
def test_inclusions_that_fit(lattice, inclusions):
    assert len(stack(lattice, *inclusions).layers[1].inclusions) == len(inclusions)


@pytest.mark.parametrize(
    ("lattice", "inclusions", "key", "rule"),
    [
        (SQUARE, [circle(150.001)], "0.radius_nm", "wider than its cell"),
        (HEXAGONAL, [circle(150.001)], "0.radius_nm", "wider than its cell"),
        (RECTANGULAR, [circle(100.001)], "0.radius_nm", "wider than its cell"),
        (SQUARE, [rectangle(301.0, 100.0)], "0.size_nm", "wider than its cell"),
        (SQUARE, [rectangle(260.0, 260.0, 45.0)], "0.size_nm", "wider than its cell"),
        (
            SQUARE,
            [rectangle(1200.0, 20.0, 0.0)],
            "0.size_nm",
            "wider than its cell",
        ),  # its copy three cells on, too
        (SKEW, [circle(150.001)], "0.radius_nm", "wider than its cell"),
        (LINE, [bar(301.0)], "0.width_nm", "wider than its cell"),
        (LINE, [bar(100.0), bar(100.0, 250.0)], "1", "crosses inclusion 0"),  # the bar next door
        (LINE, [circle(50.0)], "0.shape", "of a line lattice is a bar"),
        (SQUARE, [bar(50.0)], "0.shape", "is a circle, rectangle or polygon"),
        (SQUARE, [circle(60.0), circle(100.0)], "1", "hides inclusion 0"),
        (SQUARE, [circle(100.0), circle(50.0, (80.0, 0.0))], "1", "crosses inclusion 0"),
        (SQUARE, [circle(100.0, (0.0, 0.0)), circle(100.0, (150.0, 0.0))], "1", "crosses inclusion 0"),
        (
            SQUARE,
            [circle(100.0), circle(50.0, (3080.0, 600.0))],
            "1",
            "crosses inclusion 0",
        ),  # ten cells away
        (SQUARE, [circle(60.0), circle(100.0, (-300.0, 0.0))], "1", "hides inclusion 0"),
        (HEXAGONAL, [circle(100.0), circle(100.0, (150.0, 86.6))], "1", "crosses inclusion 0"),
    ],
)
def test_inclusions_that_do_not_fit(lattice, inclusions, key, rule):
    with pytest.raises(InputError) as caught:
        stack(lattice, *inclusions)
    assert caught.value.key == f"layers.1.inclusions.{key}"
    assert rule in str(caught.value)


@pytest.mark.parametrize(
    ("layer", "lattice", "key"),
    [
        ({"thickness_nm": None}, SQUARE, "layers.1.thickness_nm"),
        ({"quarter_wave_nm": 650.0}, SQUARE, "layers.1.quarter_wave_nm"),
        (
            {"thickness_nm": None, "quarter_wave_nm": 650.0, "inclusions": [circle(50.0)]},
            SQUARE,
            "layers.1.inclusions",
        ),
        ({"inclusions": [circle(50.0)]}, {"kind": "none"}, "layers.1.inclusions"),
        ({"material": "film"}, SQUARE, "layers.1.material"),
    ],
)
def test_layers_that_make_no_stack(layer, lattice, key):
    with pytest.raises(InputError) as caught:
        stack(lattice, **layer)
    assert caught.value.key == key


def test_ends_are_uniform_half_spaces():
    for end, change, key in [
        (0, {"thickness_nm": 3.0}, "layers.0.thickness_nm"),
        (2, {"quarter_wave_nm": 3.0}, "layers.2.quarter_wave_nm"),
        (2, {"inclusions": [circle(3.0)]}, "layers.2.inclusions"),
    ]:
        layers = [{"material": N1}, {"material": N2, "thickness_nm": 9.0}, {"material": N1}]
        layers[end].update(change)
        with pytest.raises(InputError) as caught:
            validated(Stack, {"lattice": SQUARE, "layers": layers})
        assert caught.value.key == key


def test_flat_and_gathered_inclusions_are_one_value():
    flat = validated(Inclusion, circle(40.0))
    gathered = validated(Inclusion, {"pattern": {"shape": "circle", "radius_nm": 40.0}, "material": N1})
    assert flat == gathered
    assert validated(Inclusion, flat.model_dump(mode="json", exclude_unset=True)) == flat


def test_stack_says_what_it_is_made_of():
    patterned = stack(SQUARE, circle(50.0))
    assert not patterned.is_uniform
    assert stack({"kind": "none"}).is_uniform
    assert patterned.materials == (Constant(n=1.0), Constant(n=2.0))
    assert Layer(material=Constant(n=1.0)).is_half_space
    assert validated(Layer, {"material": N1, "inclusions": [{**circle(9.0), "gain": True}]}).has_gain
