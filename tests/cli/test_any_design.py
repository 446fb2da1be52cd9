"""Property tests: any design file, however mangled, gives a result or one line; never a traceback."""

from __future__ import annotations

import copy
import json
import tomllib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tomlkit import dumps

from tests.cli.running import CAVITY, LAYOUTS, command, complaints

BASES = [
    tomllib.loads(CAVITY),
    *(
        tomllib.loads((LAYOUTS / f"{name}.toml").read_text())
        for name in ("grating", "nanopillar", "pcsel", "two_mirror")
    ),
]

odd_numbers = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(-10.0, 1e4),
    st.integers(-3, 10**6),
    st.just(0.0),
    st.just(1e-12),
)
odd_values = st.one_of(
    odd_numbers,
    st.text(max_size=12),
    st.booleans(),
    st.lists(odd_numbers, max_size=3),
    st.dictionaries(
        st.sampled_from(["n", "k", "value", "source", "library", "film", "table", "sellmeier"]),
        odd_numbers,
        max_size=3,
    ),
)


def leaves(content, path=()):
    """Paths of every value of a document."""
    items = (
        content.items()
        if isinstance(content, dict)
        else enumerate(content)
        if isinstance(content, list)
        else ()
    )
    for key, item in items:
        yield (*path, key)
        yield from leaves(item, (*path, key))


@st.composite
def mangled(draw):
    """A published design with one to three values replaced, removed, or keys misspelt."""
    content = copy.deepcopy(draw(st.sampled_from(BASES)))
    for _ in range(draw(st.integers(1, 3))):
        *parents, last = draw(st.sampled_from(sorted(leaves(content), key=repr)))
        place = content
        for step in parents:
            place = place[step]
        action = draw(st.sampled_from(["replace", "remove", "misspell"]))
        if action == "replace":
            place[last] = draw(odd_values)
        elif action == "remove":
            del place[last]
        elif isinstance(place, dict):
            place[f"{last}_"] = place.pop(last)
    return content


def answers(path, *arguments):
    """Run a command on a design; it must answer as the contract says."""
    ran = command(*arguments[:1], path, *arguments[1:])
    assert ran.code in (0, 2, 3), ran.err
    if ran.code == 0:
        assert ran.json["status"]
    else:
        assert "Traceback" not in ran.err
        assert ran.code == 2 or len(complaints(ran.err)) == 1, ran.err
    if ran.code == 2:
        told = complaints(ran.err)
        assert told
        assert all(str(path.parent) in line for line in told), "the design, or a table that it names"
        assert len(set(told)) == len(told)
    return ran


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("designs") / "any.toml"


@given(content=mangled())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_a_mangled_design_gives_a_result_or_a_line_for_each_complaint(path, content):
    path.write_text(dumps(content), encoding="utf-8")
    answers(path, "modes", "--json", "--solver", "bragg")


@given(text=st.text(max_size=60))
def test_any_text_is_one_line(path, text):
    path.write_text(text, encoding="utf-8")
    assert answers(path, "modes", "--json").code == 2


@st.composite
def films(draw):
    """A random stack of one to five films, some absorbing, some with gain, in a random window."""

    def material():
        k = draw(st.one_of(st.just(0.0), st.floats(-0.005, 0.3)))
        return {"n": draw(st.floats(1.0, 4.0)), "k": k}

    layers = [
        {"material": material(), "thickness_nm": draw(st.floats(1.0, 900.0)), "gain": draw(st.booleans())}
        for _ in range(draw(st.integers(1, 5)))
    ]
    ends = [
        {"material": {"n": draw(st.floats(1.0, 2.5))}},
        {"material": {"n": draw(st.floats(1.0, 4.0)), "k": draw(st.floats(0.0, 0.5))}},
    ]
    low = draw(st.floats(300.0, 1200.0))
    return {
        "name": "films",
        "family": "stack",
        "window_nm": [low, low * draw(st.floats(1.01, 1.6))],
        "layers": [ends[0], *layers, ends[1]],
    }


@given(content=films())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_stack_of_films_is_solved_or_says_why_not(path, content):
    path.write_text(dumps(content), encoding="utf-8")
    ran = answers(path, "modes", "--json")
    assert ran.code in (0, 3), "a valid design is not the user's fault"
    for mode in json.loads(ran.out)["modes"]:
        assert content["window_nm"][0] <= mode["wavelength_nm"] <= content["window_nm"][1]


@given(text=st.one_of(st.text(max_size=20), st.from_regex(r"\A-?[0-9]{1,4}(\.[0-9])?:-?[0-9]{1,4}\Z")))
def test_any_window_gives_a_result_or_one_line(path, text):
    path.write_text(CAVITY)
    ran = command("modes", path, "--json", f"--window={text}")
    assert ran.code in (0, 2)
    if ran.code == 2:
        assert "--window" in ran.one_line()
