"""Predicted lines beside measured peaks: assignment, residuals, and their root mean square."""

from __future__ import annotations

import math

import pytest

from cavitydesign.study.compare import compare, root_mean_square_nm
from cavitydesign.study.predict import lasing_lines, predict
from tests.study.toy import Rule, Toy, film, peak

PERIOD = "lattice.period_nm"
TOY = Toy((Rule(655.0, 1.0, gain_per_cm=150.0), Rule(645.0, 1.0, gain_per_cm=50.0, symmetry="A1")))


def lines_of(toy):
    def predicted(variant, here):
        return list(lasing_lines(variant, predict(variant, toy, tolerances=False).solution.modes))

    return predicted


def test_each_peak_stands_beside_its_line_and_the_lowest_threshold():
    peaks = [
        peak(658.0, device={PERIOD: 404.0}, period_is="assigned"),
        peak(threshold=1.0, unit="uJ/cm2"),
        peak(654.0),
        peak(646.5),
    ]
    found = compare(film(), peaks, lines_of(TOY))
    assert [item.peak for item in found] == [peaks[0], peaks[2], peaks[3]], "in the order of the peaks"
    assert [item.line.wavelength_nm for item in found] == [659.0, 655.0, 645.0]
    assert [item.residual_nm for item in found] == pytest.approx([1.0, 1.0, -1.5])
    assert [item.strongest.wavelength_nm for item in found] == [649.0, 645.0, 645.0]
    assert [item.strongest_residual_nm for item in found] == pytest.approx([-9.0, -9.0, -1.5])
    assert root_mean_square_nm(found) == pytest.approx(math.sqrt((1.0 + 1.0 + 2.25) / 3.0))
    record = found[0].record()
    assert record["device"] == {PERIOD: 404.0}
    assert record["device_is"] == "assigned"
    assert record["measured"] == {"wavelength_nm": 658.0, "period_is": "assigned"}
    assert record["predicted"]["wavelength_nm"] == 659.0
    assert record["lowest_threshold"]["rank"] == 1
    assert record["residual_nm"] == pytest.approx(1.0)
    assert record["lowest_threshold_residual_nm"] == pytest.approx(-9.0)


def test_kinds_are_kept_apart():
    (item,) = compare(film(), [peak(654.0, symmetry="A1")], lines_of(TOY))
    assert item.line.wavelength_nm == 645.0
    (item,) = compare(film(), [peak(654.0, symmetry="B1")], lines_of(TOY))
    assert (item.line, math.isnan(item.residual_nm)) == (None, True)
    record = item.record()
    assert record["predicted"] is record["residual_nm"] is None
    assert math.isnan(root_mean_square_nm([item]))
    assert math.isnan(root_mean_square_nm([]))


def test_lines_that_cannot_lase_stand_back_where_there_are_others():
    dead = Rule(654.0, gain_per_cm=1e7)
    (item,) = compare(film(), [peak(654.0)], lines_of(Toy((*TOY.rules, dead))))
    assert item.line.wavelength_nm == 655.0
    (item,) = compare(film(), [peak(654.5)], lines_of(Toy((dead,))))
    assert item.residual_nm == pytest.approx(-0.5)
    assert item.strongest is None
    assert math.isnan(item.strongest_residual_nm)


def test_a_peak_of_an_unstated_device_has_no_residual():
    (item,) = compare(film(), [peak(654.0, unstated=(PERIOD,))], lines_of(TOY))
    assert item.line is not None
    assert math.isnan(item.residual_nm)
    assert math.isnan(item.strongest_residual_nm)
