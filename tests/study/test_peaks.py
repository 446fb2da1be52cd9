"""Files of peaks: what is read, what is refused and where, and which mode a peak may belong to."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cavitydesign.errors import InputError
from cavitydesign.solvers.solution import Mode
from cavitydesign.study.peaks import assign, devices, may_match, published_beside, read_peaks
from tests.study.toy import film, peak

PERIOD = "lattice.period_nm"


@pytest.fixture
def read(tmp_path):
    def reading(text):
        file = tmp_path / "peaks.csv"
        file.write_text(text, encoding="utf-8")
        return read_peaks(file)

    return reading


def test_columns_comments_and_blank_cells(read):
    first, second = read(
        "# of a bench\n"
        "period_nm, wavelength_nm ,linewidth_nm,symmetry,notes\n"
        "\n"
        "420, 631.5 ,,E,by hand\n"
        "  # another\n"
        ",640,0.4\n"
    )
    assert (first.line, second.line) == (4, 6)
    assert first.device == {PERIOD: 420.0}
    assert (first.wavelength_nm, first.texts, first.unstated) == (631.5, {"symmetry": "E"}, ())
    assert math.isnan(first["linewidth_nm"])
    assert math.isnan(first["threshold"])
    assert (second.device, second.unstated, second.texts) == ({}, (PERIOD,), {})
    assert second["linewidth_nm"] == 0.4
    assert second.has_wavelength


def test_a_row_without_wavelength_may_name_a_threshold(read):
    (row,) = read("threshold,unit\n3.5,µJ/cm²\n")
    assert not row.has_wavelength
    assert (row["threshold"], row.texts["unit"]) == (3.5, "uJ/cm2")


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        ("uJ/cm2", "uJ/cm2"), ("µJ/cm2", "uJ/cm2"), ("µJ/cm²", "uJ/cm2"), ("mJ/cm2", "mJ/cm2"),
        ("mJ/cm²", "mJ/cm2"), ("kW/cm2", "kW/cm2"), ("kW/cm²", "kW/cm2"),
    ],
)  # fmt: skip
def test_units_are_read_however_they_are_spelt(read, written, unit):
    assert read(f"threshold,unit\n1,{written}\n")[0].texts["unit"] == unit


@pytest.mark.parametrize(
    ("text", "rule", "key"),
    [
        ("wavelength_nm\n640\nabc\n", "must be a number", "line 3, column wavelength_nm"),
        ("wavelength_nm\n\n0\n", "must be > 0", "line 3, column wavelength_nm"),
        ("wavelength_nm,linewidth_nm\n640,-1\n", "must be > 0", "line 2, column linewidth_nm"),
        ("wavelength_nm\ninf\n", "finite", "line 2, column wavelength_nm"),
        ("wavelength_nm\n640,3\n", "has 2 cells for 1 columns", "line 2"),
        ("wavelength_nm,wavelength_nm\n640,3\n", "names a column twice", "line 1"),
        ("period_nm,lattice.period_nm,wavelength_nm\n1,2,3\n", "names a column twice", "line 1"),
        ("wavelenght_nm\n640\n", "did you mean wavelength_nm?", "line 1"),
        ("colour\n640\n", "name it note… to have it ignored", "line 1"),
        ("threshold,unit\n1,J/m2\n", "must be uJ/cm2, mJ/cm2 or kW/cm2", "line 2, column unit"),
        ("threshold,unit\n1,\n", "needs its unit", "line 2, column unit"),
        ("wavelength_from_nm,wavelength_to_nm\n640,\n", "both", "line 2"),
        ("wavelength_from_nm,wavelength_to_nm\n,640\n", "both", "line 2"),
        ("wavelength_from_nm,wavelength_to_nm\n641,640\n", "≤", "line 2"),
        ("wavelength_nm,symmetry\n,E\n", "neither a wavelength nor a threshold", "line 2"),
        ("wavelength_nm\n", "no peaks", None),
    ],
)
def test_what_is_wrong_is_named_with_its_place(read, text, rule, key):
    with pytest.raises(InputError) as caught:
        read(text)
    assert rule in str(caught.value)
    assert caught.value.key == key
    assert "peaks.csv" in str(caught.value)


def test_a_range_may_be_a_point_and_a_device_may_be_at_zero(read):
    (row,) = read("wavelength_from_nm,wavelength_to_nm,layers.1.twist_deg\n640,640,-3\n")
    assert (row["wavelength_from_nm"], row["wavelength_to_nm"]) == (640.0, 640.0)
    assert row.device == {"layers.1.twist_deg": -3.0}


def test_published_values_stand_beside_the_design_file(tmp_path):
    design = tmp_path / "a.toml"
    assert published_beside(design) is None
    (tmp_path / "measured").mkdir()
    (tmp_path / "measured" / "a.csv").touch()
    assert published_beside(design) == tmp_path / "measured" / "a.csv"


def test_peaks_are_grouped_by_their_device():
    design = film()
    peaks = [
        peak(640.0, device={PERIOD: 410.0}),
        peak(641.0),
        peak(642.0, device={PERIOD: 410.0}),
        peak(643.0, device={PERIOD: 400.0}),
    ]
    found = devices(design, peaks)
    assert [(device, rows) for device, _, rows in found] == [
        ({PERIOD: 410.0}, [0, 2]),
        ({}, [1]),
        ({PERIOD: 400.0}, [3]),
    ]
    assert [variant.value_at(PERIOD) for _, variant, _ in found] == [410.0, 400.0, 400.0]
    assert found[1][1] is design
    assert found[2][1] is design, "the design's own numbers make no other device"


def test_a_temperature_makes_a_device_where_there_is_an_emitter():
    peaks = [peak(640.0, temperature_k=80.0), peak(640.0)]
    without = devices(film(), peaks)
    assert [rows for _, _, rows in without] == [[0, 1]]
    found = devices(film(emitter={"temperature_k": 293.0}), peaks)
    assert [device for device, _, _ in found] == [{"emitter.temperature_k": 80.0}, {}]
    assert [variant.emitter.temperature_k for _, variant, _ in found] == [80.0, 293.0]


def test_assignment_has_the_smallest_sum_of_squares():
    peaks = [peak(648.0), peak(646.0)]
    # each for itself: both at 645 (3² or 1²); 648 → 655 and 646 → 645 make 50, the other way round 90
    assert assign(peaks, [655.0, 645.0]) == [0, 1]
    assert assign(peaks, [645.0]) == [None, 0]
    assert assign(peaks, []) == [None, None]
    assert assign([], [640.0]) == []
    allowed = np.array([[False, True], [True, True]])
    assert assign(peaks, [655.0, 645.0], allowed) == [1, 0]
    assert assign(peaks, [655.0, 645.0], np.array([[False, False], [True, True]])) == [None, 1]


def test_squares_rather_than_distances():
    # distances: 0 + 6 = 6 either way round; squares: 36 against 9 + 9
    assert assign([peak(640.0), peak(643.0)], [643.0, 646.0]) == [0, 1]


def test_a_peak_may_only_belong_to_modes_that_it_does_not_contradict():
    modes = [
        Mode(640.0, symmetry="E", polarization="TE-like"),
        Mode(640.0, symmetry="A1", polarization="TM-like"),
        Mode(640.0, symmetry="A2", polarization="TE-like"),
    ]
    peaks = [
        peak(1.0),
        peak(1.0, symmetry="A"),
        peak(1.0, polarization="TE"),
        peak(1.0, symmetry="A2", polarization="TM"),
    ]
    assert may_match(peaks, modes).tolist() == [
        [True, True, True],
        [False, True, True],
        [True, False, True],
        [False, False, False],
    ]


def test_all_that_is_wrong_is_told_at_once(read):
    with pytest.raises(InputError) as caught:
        read("wavelength_nm,threshold,unit\nabc,-1,J\n640,3\n650,1,uJ/cm2,4\n\n,,\n")
    assert [(part.key, part.message) for part in caught.value.complaints] == [
        ("line 2, column wavelength_nm", "must be a number"),
        ("line 2, column threshold", "must be > 0"),
        ("line 2, column unit", "must be uJ/cm2, mJ/cm2 or kW/cm2"),
        ("line 3, column unit", "a threshold needs its unit: uJ/cm2, mJ/cm2 or kW/cm2"),
        ("line 4", "has 4 cells for 3 columns"),
        ("line 6", "has neither a wavelength nor a threshold"),
    ]
    assert all(line.startswith(str(caught.value.file)) for line in caught.value.lines)


def test_all_columns_that_are_not_known_are_told_at_once(read):
    with pytest.raises(InputError) as caught:
        read("wavelenght_nm,colour,colour\nabc,1,2\n")
    assert [part.message.partition(";")[0] for part in caught.value.complaints] == [
        *["unknown column"] * 3, "names a column twice",
    ]  # fmt: skip
