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


def ellipse(a, b, center=(0.0, 0.0), turn=0.0):
    return {
        "shape": "ellipse", "semi_axes_nm": [a, b], "rotation_deg": turn, "center_nm": center, "material": N1
    }  # fmt: skip


def rectangle(x, y, angle=0.0, center=(0.0, 0.0), corner=0.0):
    return {
        "corner_radius_nm": corner,
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
        (
            SQUARE,
            [ellipse(150.0, 60.0), ellipse(150.0, 60.0, (0.0, 150.0))],
        ),  # its own copies touch at the ends
        (SQUARE, [circle(50.0), circle(50.0)]),  # the later one wins
        (SQUARE, [ellipse(150.0, 150.0), circle(50.0)]),
        (SQUARE, [ellipse(170.0, 60.0, turn=45.0)]),  # longer than the cell, along the diagonal
        (SQUARE, [ellipse(100.0, 60.0, turn=30.0), ellipse(99.0, 59.0, turn=30.0)]),
        (SQUARE, [rectangle(100.0, 100.0), circle(50.0)]),  # touches all four sides from inside
        (SQUARE, [rectangle(200.0, 200.0, corner=100.0), circle(100.0)]),  # the same disc, said otherwise
        (SQUARE, [rectangle(300.0, 60.0), circle(30.0)]),  # in a bar that runs through
        (SQUARE, [rectangle(300.0, 60.0), circle(100.0, (0.0, 130.0))]),  # it lies upon the bar
        (
            SQUARE,
            [rectangle(300.0, 300.0, corner=80.0), circle(30.0, (150.0, 150.0))],
        ),  # where four corners leave room
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
        (SQUARE, [bar(50.0)], "0.shape", "is a circle, ellipse, rectangle or polygon"),
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
        (SQUARE, [ellipse(151.0, 60.0)], "0.semi_axes_nm", "wider than its cell"),
        (SQUARE, [ellipse(250.0, 150.0, turn=45.0)], "0.semi_axes_nm", "wider than its cell"),
        (SQUARE, [ellipse(140.0, 60.0), ellipse(60.0, 140.0)], "1", "crosses inclusion 0"),  # a cross
        (SQUARE, [ellipse(100.0, 60.0), circle(61.0)], "1", "crosses inclusion 0"),
        (SQUARE, [ellipse(100.0, 60.0), circle(100.5)], "1", "hides inclusion 0"),
        (SQUARE, [ellipse(140.0, 40.0), ellipse(140.0, 40.0, (0.0, 75.0))], "1", "crosses inclusion 0"),
        (
            SQUARE,
            [rectangle(300.0, 60.0), circle(100.0)],
            "1",
            "crosses inclusion 0",
        ),  # through the cell, cut by a disc
        (
            SQUARE,
            [rectangle(300.0, 60.0), rectangle(60.0, 300.0)],
            "1",
            "crosses inclusion 0",
        ),  # lines both ways
        (SQUARE, [circle(50.0), rectangle(300.0, 300.0)], "1", "hides inclusion 0"),
        (
            SQUARE,
            [rectangle(300.0, 300.0, corner=80.0), circle(60.0, (150.0, 150.0))],
            "1",
            "crosses inclusion 0",
        ),
        (SQUARE, [circle(50.0), circle(20.0), circle(45.0, (20.0, 0.0))], "2", "crosses inclusion 0"),
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
