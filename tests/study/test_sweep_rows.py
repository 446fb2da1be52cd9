"""What a finished sweep hands out: rows, CSV and Dataset, with modes, blanks and failures in their places."""

from __future__ import annotations

import csv
import io
import math

import numpy as np
import pytest

from cavitydesign.errors import InputError
from cavitydesign.solvers.solution import MODE_COLUMNS
from cavitydesign.study.store import Failure
from cavitydesign.study.sweep import Axis, sweep
from tests.study.toy import FILM_INDEX, THICKNESS, Rule, Toy, film

PERIOD = "lattice.period_nm"
TOY = Toy(
    (
        Rule(640.0, by_thickness=0.5, by_index=10.0),
        Rule(690.0, by_thickness=1.0, q=math.inf, symmetry="A1", outward_share=0.0),
    ),
    breaks_at_nm=215.0,
)
THICKNESSES, INDICES = (195.0, 205.0, 220.0), (2.0, 2.1)
# the second mode leaves the window at 210 nm; above 215 nm the toy gives up
AXES = [Axis(THICKNESS, THICKNESSES), Axis(FILM_INDEX, INDICES)]


@pytest.fixture(scope="module")
def swept():
    """Six points: four of two modes each, and two that break."""
    return sweep(film(), AXES, TOY)


@pytest.fixture(scope="module")
def uneven():
    """One axis: two modes, then one (the other left the window), then none (both have left it)."""
    return sweep(film(), [Axis(THICKNESS, (200.0, 212.0, 340.0))], Toy(TOY.rules))


def test_rows_come_in_grid_order_and_longest_wave_first(swept):
    found = [
        (p.values[THICKNESS], p.values[FILM_INDEX], m.wavelength_nm, m.symmetry) for p, m in swept.rows()
    ]
    expected = []
    for d in THICKNESSES[:2]:
        for n in INDICES:
            expected.append((d, n, 690.0 + d - 200.0, "A1"))
            expected.append((d, n, 640.0 + 0.5 * (d - 200.0) + 10.0 * (n - 2.0), "E"))
    assert [row[:2] + row[3:] for row in found] == [row[:2] + row[3:] for row in expected]
    assert [row[2] for row in found] == pytest.approx([row[2] for row in expected])


def test_failures_are_named_and_keep_their_points(swept):
    assert [(p.values[THICKNESS], p.values[FILM_INDEX]) for p, _ in swept.failed] == [
        (220.0, 2.0),
        (220.0, 2.1),
    ]
    assert all(isinstance(outcome, Failure) for _, outcome in swept.failed)
    assert len(swept.outcomes) == len(swept.points) == 6


def test_the_csv_has_a_line_for_each_mode_and_blanks_for_the_unknown(swept):
    lines = list(csv.DictReader(io.StringIO(swept.csv())))
    names = [name for name in MODE_COLUMNS if name != "k0_per_nm"]
    assert list(lines[0]) == [THICKNESS, FILM_INDEX, *names, "k0_real_per_nm", "k0_imag_per_nm"]
    assert len(lines) == 8
    for line, (point, mode) in zip(lines, swept.rows(), strict=True):
        assert float(line[THICKNESS]) == point.values[THICKNESS]
        assert float(line["wavelength_nm"]) == mode.wavelength_nm
        assert float(line["q"]) == mode.q
        assert (line["symmetry"], line["polarization"], line["degeneracy"]) == (mode.symmetry, "TE", "1")
        assert (line["q_up"], line["wavelength_err_nm"], line["n_eff"]) == ("", "", "")
        assert (line["k0_real_per_nm"], line["k0_imag_per_nm"]) == ("", "")
    assert {line["q"] for line in lines} == {"inf", "1000.0"}
    assert "\r" not in swept.csv()


def test_the_dataset_has_a_dimension_for_each_axis(swept):
    data = swept.to_dataset()
    assert data["wavelength_nm"].dims == (THICKNESS, FILM_INDEX, "mode")
    assert data["wavelength_nm"].shape == (3, 2, 2)
    assert data[THICKNESS].values.tolist() == list(THICKNESSES)
    assert data[FILM_INDEX].values.tolist() == list(INDICES)
    at = data.sel({THICKNESS: 205.0, FILM_INDEX: 2.1})
    assert at["wavelength_nm"].values == pytest.approx([695.0, 643.5])
    assert at["symmetry"].values.tolist() == ["A1", "E"]
    assert at["q"].values.tolist() == [math.inf, 1000.0]
    assert "k0_per_nm" not in data
    assert np.isnan(data["k0_per_nm_real"]).all()


def test_every_variable_has_the_unit_and_meaning_of_its_column(swept):
    data = swept.to_dataset()
    for name, column in MODE_COLUMNS.items():
        variable = data["k0_per_nm_imag" if column.kind is complex else name]
        assert variable.attrs == {"units": column.unit, "long_name": column.meaning}
    assert data["wavelength_nm"].attrs["units"] == "nm"
    assert data["threshold_gain_per_cm"].attrs["units"] == "1/cm"


def test_status_and_message_say_how_each_point_went(swept):
    data = swept.to_dataset()
    assert data["status"].values.tolist() == [["OK", "OK"], ["OK", "OK"], ["FAILED", "FAILED"]]
    messages = data["message"].values
    assert messages[:2].tolist() == [["", ""], ["", ""]]
    assert all("too thick for a toy" in text for text in messages[2])
    assert data["modes_found"].values.tolist() == [[2, 2], [2, 2], [0, 0]]
    assert np.isnan(data["wavelength_nm"].values[2]).all()


def test_points_with_fewer_modes_are_filled_with_blanks(uneven):
    data = uneven.to_dataset()
    assert data["modes_found"].values.tolist() == [2, 1, 0]
    assert data["status"].values.tolist() == ["OK", "OK", "NO_MODES"]
    assert data["wavelength_nm"].values[1, 0] == pytest.approx(646.0)
    assert np.isnan(data["wavelength_nm"].values[1, 1])
    assert data["symmetry"].values.tolist() == [["A1", "E"], ["E", ""], ["", ""]]
    assert data["degeneracy"].values.tolist() == [[1, 1], [1, 0], [0, 0]]


def test_the_dataset_says_where_it_comes_from(swept):
    attrs = swept.to_dataset().attrs
    assert (attrs["design"], attrs["solver"], attrs["window_nm"]) == ("toy film", "toy", "600:700")
    assert attrs["design_id"] == swept.design.id
    assert attrs["assumed"] == f"{THICKNESS} = 200"


def test_both_files_hold_the_same_and_come_back(swept, tmp_path):
    import xarray

    netcdf, table = swept.write(tmp_path / "new" / "folder")
    assert table.read_text(encoding="utf-8") == swept.csv()
    with xarray.open_dataset(netcdf, engine="h5netcdf") as kept:
        assert kept["wavelength_nm"].dims == (THICKNESS, FILM_INDEX, "mode")
        assert kept["q"].values[0, 0].tolist() == [math.inf, 1000.0]
        assert kept["symmetry"].values[0, 0].tolist() == ["A1", "E"]
    assert sorted(path.name for path in netcdf.parent.iterdir()) == ["sweep.csv", "sweep.nc"]


def test_a_broken_rule_stays_with_its_point_and_a_grid_of_them_is_refused():
    done = sweep(film(), [Axis(PERIOD, (-1.0, 400.0))], Toy(TOY.rules))
    assert done.to_dataset()["status"].values.tolist() == ["FAILED", "OK"]
    assert {point.values[PERIOD] for point, _ in done.rows()} == {400.0}
    with pytest.raises(InputError, match="no point of the grid"):
        sweep(film(), [Axis(PERIOD, (-1.0, -2.0))], Toy(TOY.rules))
