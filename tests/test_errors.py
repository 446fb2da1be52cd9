"""Errors are one line that names file, key, rule and value, and carry an exit code."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cavitydesign.errors import CavityError, InputError, SolverError, Status, Unavailable, told_together


def test_the_line_of_the_specification():
    error = InputError("must be > 0", file="pcsel.toml", key="layers.2.thickness_nm", value=-3.0)
    assert str(error) == "pcsel.toml: layers.2.thickness_nm: must be > 0, got -3.0"


def test_parts_that_are_not_known_are_left_out():
    assert str(InputError("is empty")) == "is empty"
    assert str(InputError("is empty", key="a.b")) == "a.b: is empty"
    assert str(InputError("is empty", file="x.csv")) == "x.csv: is empty"
    assert str(InputError("must be text", value=None)) == "must be text, got None"  # None is a value, too


def test_in_file_keeps_the_first_file():
    error = InputError("must be > 0", key="n", value=0.0)
    assert str(error.in_file("a.toml")) == "a.toml: n: must be > 0, got 0.0"
    assert error.in_file("a.toml").in_file("b.toml").file == "a.toml"
    assert str(InputError("is empty").in_file("a.toml")) == "a.toml: is empty"  # still no value


@given(
    st.text(),
    st.text(),
    st.text(),
    st.one_of(st.text(), st.lists(st.text()), st.dictionaries(st.text(), st.floats())),
)
def test_always_one_line(message, file, key, value):
    text = str(InputError(message, file=file, key=key, value=value))
    assert len(text.splitlines()) <= 1


@pytest.mark.parametrize(
    "value",
    [10**5000, "x" * 10_000, list(range(10_000)), {"a": [10**5000]}],
    ids=["whole", "text", "list", "nested"],
)
def test_large_values_are_cut(value):
    assert len(str(InputError("must be small", value=value))) < 100


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (np.float64(40.0), "40.0"),
        (np.int64(3), "3"),
        (np.bool_(True), "True"),
        (np.str_("a"), "'a'"),
        (np.array([1.5, 2.0]), "[1.5, 2.0]"),
        ([np.float64(700.0), 600.0], "[700.0, 600.0]"),
        ((1, (np.float32(0.5),)), "(1, (0.5,))"),
        (np.float64, "<class 'numpy.float64'>"),
    ],
)
def test_numbers_of_numpy_are_shown_as_numbers(value, shown):
    error = InputError("must be less", value=value)
    assert str(error) == f"must be less, got {shown}"
    assert error.value is value


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CavityError("x"), 1),
        (InputError("x"), 2),
        (SolverError("x\ny"), 3),
        (Unavailable("meep", why="no interpreter\nimports it", install="apt-get install x"), 4),
    ],
)
def test_exit_codes(error, code):
    assert error.exit_code == code
    assert isinstance(error, CavityError)
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    "error",
    [
        InputError("must be > 0", file="a.toml", key="n", value=0.0),
        InputError("is empty"),
        told_together([InputError("is empty", key="a"), InputError("is empty", key="b")]),
        SolverError("gave up", status=Status.INCOMPLETE),
        Unavailable("meep", why="no interpreter", install="apt-get install x"),
    ],
    ids=str,
)
def test_an_error_comes_whole_out_of_another_process(error):
    back = pickle.loads(pickle.dumps(error))  # noqa: S301 (our own)
    assert (type(back), str(back), back.lines) == (type(error), str(error), error.lines)
    assert getattr(back, "status", None) is getattr(error, "status", None)
    if isinstance(error, InputError):
        assert str(back.in_file("b.toml")) == str(error.in_file("b.toml"))


def test_unavailable_gives_the_way_out():
    text = str(
        Unavailable(
            "Meep", why="no interpreter imports it", install="apt-get install python3-meep-mpi-default"
        )
    )
    assert text == (
        "Meep is not available: no interpreter imports it; install it with: apt-get install python3-meep-mpi-default"
    )
