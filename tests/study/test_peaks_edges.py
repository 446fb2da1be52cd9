"""Files of peaks and what is made of them: whole complaints, spellings, and edges of what is allowed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cavitydesign.errors import InputError
from cavitydesign.solvers.solution import Mode
from cavitydesign.study.compare import compare, root_mean_square_nm
from cavitydesign.study.peaks import NUMBERS, TEXTS, UNITS, Peak, devices, may_match, read_peaks
from cavitydesign.study.predict import lasing_lines, predict
from tests.study.toy import Rule, Toy, film, peak

PERIOD = "lattice.period_nm"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "peaks.csv"


@pytest.fixture
def read(file):
    def reading(text):
        file.write_text(text, encoding="utf-8")
        return read_peaks(file)

    return reading


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("wavelength_nm\n0\n", "line 2, column wavelength_nm: must be > 0, got '0'"),
        ("wavelength_nm\n-3.5\n", "line 2, column wavelength_nm: must be > 0, got '-3.5'"),
        ("wavelength_nm\n640,3\n", "line 2: has 2 cells for 1 columns"),
        (
            "wavelength_nm,wavelength_nm\n640,3\n",
            "line 1: names a column twice, got 'wavelength_nm,wavelength_nm'",
        ),
        ("colour\n640\n", "line 1: unknown column; name it note… to have it ignored, got 'colour'"),
        ("perid_nm\n640\n", "line 1: unknown column; did you mean period_nm?, got 'perid_nm'"),
        ("transitoin\n640\n", "line 1: unknown column; did you mean transition?, got 'transitoin'"),
        (
            "threshold,unit\n1,J/m2\n",
            "line 2, column unit: must be uJ/cm2, mJ/cm2 or kW/cm2, got 'J/m2'",
        ),
        (
            "threshold,unit\n1,\n",
            "line 2, column unit: a threshold needs its unit: uJ/cm2, mJ/cm2 or kW/cm2, got ''",
        ),
        (
            "wavelength_from_nm,wavelength_to_nm\n641,640\n",
            "line 2: a range needs wavelength_from_nm ≤ wavelength_to_nm, both, got [641.0, 640.0]",
        ),
        ("wavelength_nm,symmetry\n,E\n", "line 2: has neither a wavelength nor a threshold"),
        ("wavelength_nm\n", "has a header row but no peaks"),
    ],
)
def test_the_whole_complaint(read, file, text, said):
    with pytest.raises(InputError) as caught:
        read(text)
    assert str(caught.value) == f"{file}: {said}"


def test_every_column_is_read_as_what_it_is(read):
    numbers = {name: 640.0 + row for row, name in enumerate(NUMBERS)}
    chosen = {"unit": "mJ/cm²", "transition": "XX", "symmetry": "A''", "polarization": "TE-like"}
    texts = {name: chosen.get(name, f"some {name}") for name in TEXTS}
    header = ",".join([*numbers, *texts, "note", "notes of mine", "layers.1.thickness_nm"])
    cells = ",".join([*map(str, numbers.values()), *texts.values(), "a", "b", "200.5"])
    (row,) = read(f"{header}\n{cells}\n")
    assert row.numbers == numbers
    assert row.texts == {**texts, "unit": "mJ/cm2"}
    assert (row.device, row.unstated, row.line) == ({"layers.1.thickness_nm": 200.5}, (), 2)
    assert UNITS == ("uJ/cm2", "mJ/cm2", "kW/cm2")


def test_a_row_may_be_shorter_than_the_header(read):
    (row,) = read("wavelength_nm,linewidth_nm,period_nm\n640\n")
    assert (row.wavelength_nm, row.device) == (640.0, {})
    assert math.isnan(row["linewidth_nm"])


def test_blank_device_columns_are_named(read):
    first, second = read("period_nm,layers.1.thickness_nm,wavelength_nm\n,,640\n400,,641\n")
    assert first.unstated == (PERIOD, "layers.1.thickness_nm")
    assert second.unstated == ("layers.1.thickness_nm",)
    assert second.device == {PERIOD: 400.0}


def test_any_one_number_makes_a_row(read):
    for name in ("wavelength_nm", "threshold_pairs", "linewidth_nm", "temperature_k"):
        (row,) = read(f"{name},symmetry\n5,E\n")
        assert row[name] == 5.0
        assert row.has_wavelength == (name == "wavelength_nm")


def test_a_bare_peak_knows_nothing():
    row = Peak({}, {}, {}, 7)
    assert (row.unstated, row.has_wavelength, row.line) == ((), False, 7)
    assert math.isnan(row.wavelength_nm)
    assert math.isnan(row["anything"])


def test_a_device_is_the_same_whatever_the_order_of_its_numbers():
    one = {PERIOD: 410.0, "layers.1.thickness_nm": 190.0}
    other = dict(reversed(one.items()))
    ((device, variant, rows),) = devices(film(), [peak(640.0, device=one), peak(641.0, device=other)])
    assert (device, rows) == (one, [0, 1])
    assert (variant.value_at(PERIOD), variant.value_at("layers.1.thickness_nm")) == (410.0, 190.0)


def test_only_a_number_that_differs_changes_the_design():
    """A number that the design has already keeps its source, its ± and its identity."""
    design = film()
    ((_, same, _),) = devices(design, [peak(640.0, device={"layers.1.thickness_nm": 200.0})])
    assert same is design
    ((_, other, _),) = devices(design, [peak(640.0, device={"layers.1.thickness_nm": 200.0, PERIOD: 410.0})])
    assert [item.path for item in other.sources] == ["layers.1.thickness_nm"]


def test_a_name_may_be_the_beginning_of_a_modes_and_not_the_other_way_round():
    modes = [Mode(640.0, symmetry="A", polarization="TE"), Mode(640.0, symmetry="A1", polarization="TE-like")]
    assert may_match([peak(1.0, symmetry="A1")], modes).tolist() == [[False, True]]
    assert may_match([peak(1.0, polarization="TE")], modes).tolist() == [[True, True]]
    assert may_match([peak(1.0, symmetry="A1", polarization="TM")], modes).tolist() == [[False, False]]
    assert may_match([], modes).shape == (0, 2)


# -- beside predicted lines --------------------------------------------------------------------------------------


def compared(peaks, *rules):
    def predicted(variant, here):
        return list(lasing_lines(variant, predict(variant, Toy(rules), tolerances=False).solution.modes))

    return compare(film(), peaks, predicted)


def test_the_record_of_a_comparison_has_every_key():
    (item,) = compared([peak(646.0, period_is="assigned", q=math.nan)], Rule(645.0, gain_per_cm=50.0))
    assert item.record() == {
        "device": {},
        "device_is": "assigned",
        "measured": {"wavelength_nm": 646.0, "q": None, "period_is": "assigned"},
        "predicted": item.line.record(),
        "residual_nm": -1.0,
        "lowest_threshold": item.strongest.record(),
        "lowest_threshold_residual_nm": -1.0,
    }


def test_the_strongest_is_the_first_that_lases():
    rules = (Rule(655.0, gain_per_cm=150.0), Rule(645.0, gain_per_cm=50.0, symmetry="A1"))
    (item,) = compared([peak(656.0)], *rules)
    assert (item.line.wavelength_nm, item.strongest.wavelength_nm) == (655.0, 645.0)
    assert (item.residual_nm, item.strongest_residual_nm) == (-1.0, -11.0)


def test_rows_of_a_device_without_wavelength_ask_nothing():
    asked = []

    def predicted(variant, here):
        asked.append([row.wavelength_nm for row in here])
        return []

    peaks = [
        peak(threshold=1.0, unit="uJ/cm2", device={PERIOD: 410.0}),
        peak(640.0),
        peak(threshold=1.0, unit="uJ/cm2"),
    ]
    (item,) = compare(film(), peaks, predicted)
    assert asked == [[640.0]]
    assert (item.line, item.strongest) == (None, None)
    assert item.peak is peaks[1]


def test_the_root_mean_square_leaves_out_what_has_no_residual():
    items = compared([peak(648.0), peak(641.0), peak(660.0)], Rule(645.0), Rule(640.0, symmetry="A1"))
    residuals = [item.residual_nm for item in items]
    assert np.isfinite(residuals).sum() == 2
    known = np.array(residuals)[np.isfinite(residuals)]
    assert root_mean_square_nm(items) == pytest.approx(math.sqrt((known**2).mean()))
