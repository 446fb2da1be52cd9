"""Modes and solutions: the table, what JSON says of the unknown, and notebooks' tables."""

from __future__ import annotations

import contextlib
import json
import math

import numpy as np
import pytest

from cavitydesign import load_design, solve
from cavitydesign.errors import InputError, Status
from cavitydesign.solvers.poles import Poles
from cavitydesign.solvers.solution import DARK, MODE_COLUMNS, Mode, Modes, Solution


class Live:
    """What a mode hands its questions on to."""

    def __init__(self, name):
        self.k0 = name

    def fields(self, *, z_nm, x_nm=0.0, y_nm=0.0):
        return ("fields", self.k0, z_nm, x_nm, y_nm)

    def far_field(self, **asked):
        return ("far", self.k0, asked)

    def derivative(self, below, above, *, step):
        return ("derivative", self.k0, below, above, step)


A, B = Live("a"), Live("b")


def table():
    return Modes.of(
        [Mode(630.0, 10.0, "A1", live=A), Mode(650.0, 30.0, "E", 2), Mode(640.0, 20.0, "B2", live=B)]
    )


def test_rows_are_sorted_with_what_is_alive():
    modes = table()
    assert modes["wavelength_nm"].tolist() == [650.0, 640.0, 630.0]
    assert [mode.symmetry for mode in modes] == ["E", "B2", "A1"]
    assert [mode.live for mode in modes] == [None, B, A]
    assert (len(modes), modes[-1].q, modes[0].degeneracy) == (3, 10.0, 2)
    with pytest.raises(IndexError):
        modes[3]
    with pytest.raises(ValueError, match="read-only"):
        modes["q"][0] = 1.0


def test_some_rows_keep_what_is_alive():
    taken = table().take([2, 0])
    assert [(mode.wavelength_nm, mode.live) for mode in taken] == [(650.0, None), (630.0, A)]
    assert [mode.live for mode in table()[1:]] == [B, A]
    assert len(table().take([])) == 0


def test_changed_columns_keep_the_order_of_the_rows():
    modes = table().with_columns(wavelength_nm=np.array([1.0, 2.0, 3.0]))
    assert modes["wavelength_nm"].tolist() == [1.0, 2.0, 3.0]
    assert modes["q"].tolist() == [30.0, 20.0, 10.0]
    assert [mode.live for mode in modes] == [None, B, A]


def test_columns_that_are_not_given_are_blank():
    (mode,) = Modes.from_columns(wavelength_nm=[640.0])
    assert (mode.symmetry, mode.polarization, mode.degeneracy, mode.order, mode.live) == ("", "", 0, 0, None)
    assert math.isnan(mode.q)
    assert math.isnan(mode.k0_per_nm.real)
    assert len(Modes.empty()) == 0
    with pytest.raises(InputError, match="no such column") as caught:
        Modes.from_columns(wavelength_nm=[640.0], colour=["red"])
    assert caught.value.key == "colour"


@pytest.mark.parametrize(
    ("q", "written", "lossless"),
    [(math.nan, None, False), (math.inf, None, True), (-5e6, -5e6, False), (800.0, 800.0, False)],
)
def test_unknown_unlimited_and_negative_are_told_apart(q, written, lossless):
    record = Mode(640.0, q).record()
    assert (record["q"], record["lossless"]) == (written, lossless)


@pytest.mark.parametrize(
    ("share", "dark"), [(math.nan, None), (0.0, True), (0.99 * DARK, True), (DARK, False), (0.9, False)]
)
def test_dark_is_known_unknown_or_not(share, dark):
    mode = Mode(640.0, math.inf, outward_share=share)
    assert mode.dark is dark
    assert mode.record()["dark"] is dark
    assert Modes.of([mode]).dark.tolist() == [dark is True]


def test_losses():
    assert Mode(q=200.0, q_err=4.0).loss == 1.0 / 200.0
    assert Mode(q=200.0, q_err=4.0).loss_err == pytest.approx(4.0 / 200.0**2)
    assert (Mode(q=math.inf).loss, Mode(q=math.inf).loss_err) == (0.0, 0.0)
    assert math.isnan(Mode().loss)


def test_kind_in_words():
    assert Mode(symmetry="E", polarization="TE").kind == "E TE"
    assert (Mode(polarization="TE").kind, Mode().kind) == ("TE", "")


def test_a_record_has_every_column_and_is_json():
    (record,) = Modes.of([Mode(640.0, 800.0, "E", 2, k0_per_nm=0.0098 - 6e-6j, live=A)]).records()
    assert set(record) == {*MODE_COLUMNS, "dark", "lossless"}
    assert record["k0_per_nm"] == [0.0098, -6e-6]
    assert record["confinement"] is None
    assert (record["degeneracy"], record["symmetry"]) == (2, "E")
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert Mode(640.0).record()["k0_per_nm"] is None


def test_a_mode_hands_its_questions_to_the_live_resonance():
    mode = table()[1]
    assert mode.fields(z_nm=1.0, x_nm=2.0, y_nm=3.0) == ("fields", "b", 1.0, 2.0, 3.0)
    assert mode.far_field(waves=5) == ("far", "b", {"waves": 5})
    assert mode.derivative("below", "above", step=0.5) == ("derivative", "b", "below", "above", 0.5)
    for question in (
        lambda m: m.fields(z_nm=0.0),
        lambda m: m.far_field(),
        lambda m: m.derivative(0, 1, step=1),
    ):
        with pytest.raises(InputError, match="no fields") as caught:
            question(table()[0])
        assert caught.value.value == "650.00 nm E"


def test_a_notebook_shows_numbers_and_escapes_text():
    modes = Modes.of(
        [Mode(640.0, math.inf, "<b>E", outward_share=0.0), Mode(630.0, outward_share=0.9), Mode(620.0)]
    )
    text = Solution(modes, Status.OK, warnings=("a < b",), solver="x&y")._repr_html_()
    assert "&lt;b&gt;E" in text
    assert "<b>E" not in text
    assert "a &lt; b" in text
    assert "x&amp;y" in text
    rows = [row.split("</td>")[:-1] for row in text.split("<tr>")[2:]]
    assert [row[0] for row in rows] == ["<td>640", "<td>630", "<td>620"]
    assert rows[0][2] == "<td>∞"
    assert [row[-1] for row in rows] == ["<td>yes", "<td>no", "<td>-"]
    assert rows[2][2] == "<td>-"


def test_a_dataset_has_units():
    found = table().to_dataset()
    assert found["wavelength_nm"].attrs["units"] == "nm"
    assert found["wavelength_nm"].values.tolist() == [650.0, 640.0, 630.0]
    assert "k0_per_nm_imag" in found
    assert found["symmetry"].values.tolist() == ["E", "B2", "A1"]


@pytest.mark.parametrize(
    ("asked", "key"), [({"z_nm": [math.nan]}, "z_nm"), ({"z_nm": 0.0, "x_nm": math.inf}, "x_nm")]
)
def test_places_of_a_field_are_finite(asked, key):
    with pytest.raises(InputError, match="must be finite numbers") as caught:
        Mode(640.0, 100.0, live=A).fields(**asked)
    assert caught.value.key == key
    with pytest.raises(InputError, match="must be finite numbers"):
        Mode(640.0, 100.0, live=A).far_field(angles_deg=[0.0, math.nan], waves=5)


@pytest.mark.parametrize("layout", ["two_mirror", "nanopillar"])
def test_a_field_is_numbers_or_an_error(layout, recwarn):
    design = load_design(f"layouts/{layout}.toml")
    modes = solve(design, Poles(q_min=5.0, waves=25), window_nm=(600.0, 740.0)).modes
    for mode in (modes[0], min(modes, key=lambda one: one.q)):
        for z in (1e9, -1e9):
            with contextlib.suppress(InputError):
                assert np.isfinite(mode.fields(z_nm=[z]).e2).all()
    assert not recwarn.list
