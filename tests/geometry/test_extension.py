"""A family from outside the package; templates and schemas of those within."""

import tomllib
from pathlib import Path
from typing import ClassVar, Literal

import jsonschema
import pytest

from cavitydesign.errors import InputError
from cavitydesign.geometry import Design, HexagonalLattice, design_from_dict, load_design, templates
from cavitydesign.geometry.base import Length
from cavitydesign.geometry.families import families
from cavitydesign.geometry.pattern import Circle
from cavitydesign.geometry.schema import design_schema
from cavitydesign.geometry.stack import Inclusion, Layer
from cavitydesign.masks import build, mask_from_dict
from cavitydesign.masks.load import load_mask
from cavitydesign.solvers import Bragg, solve
from tests.geometry.contents import CONTENT

ROOT = Path(__file__).parents[2]


class Membrane(Design):
    """Holes in a slab in air, on a hexagonal lattice."""

    written_name: ClassVar[str] = "holes"
    family: Literal["toy_membrane"] = "toy_membrane"
    lattice: HexagonalLattice
    radius_nm: Length
    thickness_nm: Length

    def build_layers(self):
        air = Layer(material={"n": 1.0})
        hole = Inclusion(pattern=Circle(radius_nm=self.radius_nm), material={"n": 1.0})
        return air, Layer(material={"n": 2.0}, thickness_nm=self.thickness_nm, inclusions=(hole,)), air


TOY = """
name = "toy"
family = "toy_membrane"
radius_nm = { value = 100.0, source = "assumed", plus_minus = 5.0 }
thickness_nm = 200.0
lattice = { period_nm = 400.0 }
device = { periods = [9, 9] }
"""


def test_a_family_of_ones_own_loads_solves_and_is_drawn(tmp_path):
    path = tmp_path / "toy.toml"
    path.write_text(TOY)
    design = load_design(path)
    assert isinstance(design, Membrane)
    assert [record.path for record in design.assumed()] == ["radius_nm"]
    assert len(solve(design, Bragg(), window_nm=(640.0, 900.0)).modes)
    spec = mask_from_dict({"name": "m", "fields": [{"name": "f", "design": design, "label": "{period}"}]})
    record = next(device.array for device in build(spec).devices if device.array)
    assert record.drawn == "holes"
    assert record.count == 81
    assert "toy_membrane" in families()
    assert design_schema("toy_membrane")["properties"]["family"]["const"] == "toy_membrane"


def test_a_name_is_one_family():
    with pytest.raises(TypeError, match="Pcsel is the family 'pcsel' already"):

        class Other(Design):
            family: Literal["pcsel"] = "pcsel"


def test_every_family_and_the_mask_have_a_template_that_loads(tmp_path):
    shipped = {name for name in families() if name != "toy_membrane"}
    assert set(templates.names()) == shipped | {"mask"}
    for name in templates.names():
        path = tmp_path / f"{name}.toml"
        path.write_text(templates.text(name), encoding="utf-8")
        if name == "mask":
            assert load_mask(path).fields
        else:
            assert load_design(path).family == name
    with pytest.raises(InputError, match="there are grating, mask, nanopillar_array"):
        templates.text("vcsel")


def _files():
    paths = [*(ROOT / "layouts").glob("*.toml")]
    return [
        *(pytest.param(tomllib.loads(path.read_text()), id=path.name) for path in paths),
        *(
            pytest.param(tomllib.loads(templates.text(name)), id=f"template {name}")
            for name in templates.names()
            if name != "mask"
        ),
        *(pytest.param(content, id=name) for name, content in CONTENT.items()),
    ]


@pytest.mark.parametrize("content", _files())
def test_a_schema_takes_what_loads(content):
    schema = design_schema(content["family"])
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(content, schema)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("grating", "thickness_nm"), "thick"),
        (("grating", "thickness_nm"), -1.0),
        (("grating", "thickness_nm"), {"value": 170.0}),
        (("grating", "thickness_nm"), {"value": 170.0, "source": "guess"}),
        (("grating", "thicknes_nm"), 170.0),
        (("lattice", "kind"), "line"),
        (("family",), "grating"),
    ],
)
def test_a_schema_refuses_what_does_not_load(path, value, content_of):
    content = content_of("pcsel")
    *parents, last = path
    place = content
    for step in parents:
        place = place[step]
    place[last] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, design_schema("pcsel"))
    with pytest.raises(InputError):
        design_from_dict(content)


def test_a_schema_of_no_family():
    with pytest.raises(InputError, match="family: must be one of grating"):
        design_schema("vcsel")
