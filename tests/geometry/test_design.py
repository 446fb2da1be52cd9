"""Designs as values: identity, round trip, change of numbers, and where each number comes from."""

import json
import subprocess
import sys
import time
from typing import Annotated

import numpy as np
import pytest

from cavitydesign.errors import InputError
from cavitydesign.geometry import SquareLattice, design_from_dict
from cavitydesign.geometry.base import DefaultSource, Positive, Value, default_sources, validated


def shuffled(content):
    if isinstance(content, dict):
        return {key: shuffled(content[key]) for key in reversed(content)}
    return [shuffled(item) for item in content] if isinstance(content, list) else content


def test_round_trip_through_json(content):
    design = design_from_dict(content)
    again = design_from_dict(json.loads(json.dumps(design.model_dump(mode="json"))))
    assert again == design
    assert again.id == design.id
    assert again.to_stack() == design.to_stack()


def test_round_trip_without_defaults_keeps_what_was_assumed(content):
    design = design_from_dict(content)
    again = design_from_dict(json.loads(json.dumps(design.model_dump(mode="json", exclude_unset=True))))
    assert again == design
    assert again.all_sources() == design.all_sources()


def test_stack_is_a_round_trip_too(content):
    stack = design_from_dict(content).to_stack()
    assert validated(type(stack), stack.model_dump(mode="json")) == stack


def test_id_does_not_depend_on_the_order_of_keys(content):
    assert design_from_dict(shuffled(content)).id == design_from_dict(content).id


def test_id_is_the_same_in_another_process(content):
    code = (
        "import json, sys; from cavitydesign.geometry import design_from_dict;"
        "sys.stdout.write(design_from_dict(json.load(sys.stdin)).id)"
    )
    environment = {"PYTHONHASHSEED": "17", "PYTHONPATH": ":".join(filter(None, sys.path))}
    there = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(content),
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    assert there.stdout == design_from_dict(content).id


@pytest.mark.parametrize(("a", "b"), [(203.4, 203.0), (203.0, 203.0 + 3e-14)])
def test_floats_are_not_rounded_in_the_id(a, b):
    assert SquareLattice(period_nm=a).id != SquareLattice(period_nm=b).id


def test_equal_content_of_another_kind_has_another_id():
    class Other(Value):
        kind: str
        period_nm: float

    assert (
        Other(kind="square", period_nm=3.0).canonical_bytes()
        == SquareLattice(period_nm=3.0).canonical_bytes()
    )
    assert Other(kind="square", period_nm=3.0).id != SquareLattice(period_nm=3.0).id


def test_whole_numbers_are_floats():
    assert SquareLattice(period_nm=360).id == SquareLattice(period_nm=360.0).id


def test_designs_are_frozen_hashable_and_equal_by_value(content):
    design = design_from_dict(content)
    assert len({design, design_from_dict(content)}) == 1
    with pytest.raises(ValueError, match="frozen"):
        design.name = "other"
    assert design.replace(name="other").name == "other"
    assert design.replace(name="other") != design


PATHS = [
    ("nanopillar_array", "lattice.period_nm", 350.0),
    ("nanopillar_array", "materials.film.n", 1.9),
    ("nanopillar_array", "device.periods.1", 21),
    ("nanopillar_array", "device.periods.1", 21.0),
    ("nanopillar_array", "superstrate.n", 1.33),  # left to its default
    ("nanopillar_array", "emitter.biexciton_shift_mev", 70.0),
    ("nanopillar_array", "window_nm.1", 720.0),  # left to its default, and a pair
    ("pcsel", "grating.duty_cycle", 0.6),
    ("pcsel", "grating.etch_depth_nm", 100.0),  # not given so far
    ("pcsel", "substrate.sellmeier.b.0", 1.2),
    ("pcsel", "infill.material.n", 1.7),
    ("two_mirror", "film.material.film.fraction", 0.6),
    ("two_mirror", "back_mirror.layers.0.thickness_nm", 30.0),
    ("two_mirror", "front_mirror.pairs", 4),
    ("stack", "layers.1.inclusions.0.radius_nm", 100.0),
    ("stack", "layers.1.inclusions.1.size_nm.0", 50.0),
    ("stack", "layers.1.inclusions.1.center_nm.1", 5.0),  # left to its default
    ("stack", "layers.1.inclusions.0.material.n", 1.7),
    ("stack", "layers.2.quarter_wave_nm", 640.0),
    ("stack", "layers.2.material.k", 0.01),
]


@pytest.mark.parametrize(("family", "path", "value"), PATHS)
def test_with_value_changes_that_number_alone(content_of, family, path, value):
    design = design_from_dict(content_of(family))
    changed = design.with_value(path, value)
    assert changed.value_at(path) == value
    assert changed.id != design.id
    *parents, last = path.split(".")
    before, after = design.model_dump(), changed.model_dump()
    place = after
    for step in parents:
        place = place[int(step) if step.isdecimal() else step]
        if isinstance(place, tuple):
            break
    if isinstance(place, dict) and isinstance(place.get(last), int | float):
        place[last] = reach(before, parents)[last]
        after["sources"] = before["sources"]
        assert after == before


def reach(content, steps):
    for step in steps:
        content = content[int(step) if step.isdecimal() else step]
    return content


def test_with_value_back_and_forth_gives_the_same_id(content_of):
    design = design_from_dict(content_of("stack"))
    there = design.with_value("layers.1.inclusions.0.radius_nm", 100.0)
    assert there.with_value("layers.1.inclusions.0.radius_nm", 111.25).id == design.id


def test_with_values_validates_once(content_of):
    design = design_from_dict(content_of("nanopillar_array"))
    # either change alone makes a pillar that is wider than its cell, or is one
    both = design.with_values({"pillar.diameter_nm": 400.0, "lattice.period_nm": 450.0})
    assert both.value_at("pillar.diameter_nm") == 400.0


def test_designs_built_in_python_change_as_those_from_files(content_of):
    read = design_from_dict(content_of("stack"))
    built = type(read)(name="free", lattice=read.lattice, layers=read.layers)  # family left to its default
    assert built == read
    assert (
        built.with_value("layers.1.inclusions.0.radius_nm", 90.0).value_at("layers.1.inclusions.0.radius_nm")
        == 90.0
    )


@pytest.mark.parametrize("value", [np.float64(350.0), np.int64(350), np.float32(350.0), 350])
def test_with_value_takes_scalars_of_numpy(content_of, value):
    design = design_from_dict(content_of("pcsel"))
    assert (
        design.with_value("lattice.period_nm", value).id == design.with_value("lattice.period_nm", 350.0).id
    )


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("lattice.perod_nm", 3.0, "it has kind, period_nm"),
        ("film.material.n", 1.8, "the numbers of a material stand at materials.film"),
        ("name", 3.0, "is not a number"),
        ("lattice", 3.0, "it has the keys kind"),
        ("lattice.kind", 3.0, "is not a number"),
        ("pump.wavelength_nm", 400.0, "nothing is given here"),
        ("device.periods.2", 3.0, "it has 2 entries, from 0"),
        ("device.periods.-1", 3.0, "it has 2 entries, from 0"),
        ("device.periods.0", 3.5, "whole number"),
        ("", 3.0, "no such number"),
        ("..", 3.0, "no such number"),
        ("lattice.period_nm", float("nan"), "finite"),
        ("lattice.period_nm", "wide", "must be a number"),
        ("pillar.height_nm", -1.0, "must be > 0"),
    ],
)
def test_with_value_says_what_is_wrong(content_of, path, value, told):
    design = design_from_dict(content_of("nanopillar_array"))
    with pytest.raises(InputError) as caught:
        design.with_value(path, value)
    assert told in str(caught.value)
    assert caught.value.key == path


@pytest.mark.parametrize("path", ["pump", "lattice.kind", "grating.etch_depth_nm", "nothing"])
def test_value_at_is_a_number_or_an_error(content_of, path):
    with pytest.raises(InputError):
        design_from_dict(content_of("pcsel")).value_at(path)


def origins(records):
    return {record.path: record.source for record in records}


def test_sources_are_kept_and_the_number_is_plain(content_of):
    design = design_from_dict(content_of("nanopillar_array"))
    assert design.lattice.period_nm == 365.0
    assert origins(design.sources) == {"lattice.period_nm": "published", "materials.film.n": "assumed"}
    film = next(record for record in design.assumed() if record.path == "materials.film.n")
    assert (film.value, film.plus_minus) == (1.85, 0.15)
    assert "lattice.period_nm" not in origins(design.assumed())


def test_a_default_left_out_is_assumed_and_a_changed_one_is_given(content_of):
    design = design_from_dict(content_of("nanopillar_array"))
    path = "emitter.further_shift_mev"
    assert origins(design.all_sources())[path] == "assumed"
    assert "emitter.temperature_k" not in origins(design.all_sources())  # the file gives it
    assert path not in origins(design.with_value(path, 12.0).all_sources())
    assert path not in origins(
        design.with_value(path, design.value_at(path)).all_sources()
    )  # given, if not new
    elsewhere = design.with_value("lattice.period_nm", 350.0)
    assert origins(elsewhere.all_sources())[path] == "assumed"  # untouched by a change elsewhere
    assert origins(elsewhere.sources) == {"materials.film.n": "assumed"}  # 365 was published, 350 was not


def test_replace_keeps_defaults_assumed_and_drops_stale_sources(content_of):
    design = design_from_dict(content_of("nanopillar_array"))
    warmer = design.replace(emitter=design.emitter.replace(temperature_k=293.0))
    assert origins(warmer.assumed())["emitter.further_shift_mev"] == "assumed"
    other = design.replace(lattice=SquareLattice(period_nm=350.0))
    assert origins(other.sources) == {"materials.film.n": "assumed"}


def test_default_sources_of_nested_values():
    class Inner(Value):
        a: Annotated[Positive, DefaultSource(plus_minus=2.0, note="guess")] = 10.0
        b: Annotated[Positive, DefaultSource("published")] = 3.0
        c: Positive = 1.0

    class Outer(Value):
        inner: Inner
        d: Annotated[Positive | None, DefaultSource()] = None

    records = default_sources(validated(Outer, {"inner": {"b": 3.0}}))
    assert [(r.path, r.value, r.source, r.plus_minus, r.note) for r in records] == [
        ("inner.a", 10.0, "assumed", 2.0, "guess")
    ]


def test_sources_that_speak_of_another_number_are_refused(content_of):
    dumped = design_from_dict(content_of("nanopillar_array")).model_dump(mode="json")
    dumped["lattice"]["period_nm"] = 335.0
    with pytest.raises(InputError, match=r"sources speak of 365, got 335.0") as caught:
        design_from_dict(dumped)
    assert caught.value.key == "lattice.period_nm"


def test_replace_validates_again():
    with pytest.raises(InputError, match=r"period_nm: must be > 0, got -1.0"):
        SquareLattice(period_nm=300.0).replace(period_nm=-1.0)


@pytest.mark.parametrize(
    ("family", "path"), [("nanopillar_array", "lattice.period_nm"), ("pcsel", "lattice.period_nm")]
)
def test_a_changed_design_costs_about_a_millisecond(content_of, family, path):
    design = design_from_dict(content_of(family))
    design.with_value(path, 370.0)
    costs = []
    for index in range(30):
        start = time.process_time()
        design.with_value(path, 370.0 + index).to_stack()
        costs.append(time.process_time() - start)
    assert (
        min(costs) < 3e-3
    )  # measured 0.3 ms; a sweep makes thousands, and validation must not be what it waits for
