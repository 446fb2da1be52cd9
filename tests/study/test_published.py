"""Published facts beside predicted ones: units, what is said of each, and which line stands beside which peak."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from cavitydesign.gain import InputErrors
from cavitydesign.study.predict import lasing_lines, predict
from cavitydesign.study.published import Fact, beside_published, first_line
from tests.study.toy import Rule, Toy, film, peak

TOY = Toy((Rule(655.0, gain_per_cm=150.0), Rule(645.0, gain_per_cm=50.0, symmetry="A1", q=5000.0)))
PULSES = {
    "uJ/cm2": {"photons": 1},
    "mJ/cm2": {"photons": 2, "wavelength_nm": 800.0},
    "kW/cm2": {"photons": 1, "pulse_ns": 1e5},
}


def facts(peaks, *, toy=TOY, unit="uJ/cm2", errors=None, **parts):
    """Facts of a toy film whose pump gives thresholds in a unit; ``errors`` are given to every line."""
    design = film(pump=PULSES[unit], emitter={"absorption_wavelength_nm": 400.0}, **parts)
    if unit == "mJ/cm2":
        design = film(pump=PULSES[unit], **parts)
    result = predict(design, toy, tolerances=False)
    lines = [replace(line, input_errors=errors) for line in result.lines]

    def others(variant, here):
        return tuple(lasing_lines(variant, predict(variant, toy, tolerances=False).solution.modes))

    return lines, beside_published(result.design, lines, peaks, others)


def of(quantity="line", published=650.0, predicted=651.0, err=None, unit="nm", note="", unstated=()):
    return Fact(quantity, published, predicted, err, unit, note, {}, None, unstated, None)


@pytest.mark.parametrize("own", list(PULSES))
@pytest.mark.parametrize("unit", list(PULSES))
def test_thresholds_stand_in_the_published_unit(own, unit):
    lines, (fact,) = facts([peak(threshold=7.0, unit=unit)], unit=own)
    value = lines[0].threshold.value
    assert (fact.quantity, fact.published, fact.unit) == ("threshold", 7.0, unit)
    assert lines[0].threshold.unit == own
    if own == unit:
        assert fact.predicted == value
        assert fact.note == f"of the predicted line at {lines[0].wavelength_nm:.0f} nm, rank 1"
    elif "kW/cm2" in (own, unit):
        assert fact.predicted is None
        assert fact.note == (
            f"the design's pump gives a threshold in {own} ({value:.3g}); its pulse is not the published one"
        )
        assert fact.verdict == "not predicted"
    else:
        assert fact.predicted == pytest.approx(value / 1e3 if unit == "mJ/cm2" else value * 1e3, rel=1e-12)
        assert fact.note == f"of the predicted line at {lines[0].wavelength_nm:.0f} nm, rank 1"


def test_a_converted_threshold_has_its_error_in_the_same_unit():
    errors = InputErrors(2.0, 0.1, 0.1, 500.0, 300.0, (), (), ())
    _, (same,) = facts([peak(threshold=7.0, unit="uJ/cm2")], errors=errors)
    _, (other,) = facts([peak(threshold=7.0, unit="mJ/cm2")], errors=errors)
    assert same.predicted_err == 500.0
    assert other.predicted_err == pytest.approx(0.5)
    _, (none,) = facts([peak(threshold=7.0, unit="kW/cm2")], errors=errors)
    assert (none.predicted, none.predicted_err) == (None, None)
    _, (long,) = facts([peak(threshold=7.0, unit="kW/cm2")], unit="kW/cm2", errors=errors)
    assert long.predicted_err == 500.0


def test_the_line_of_a_threshold_is_that_of_its_wavelength_or_the_first():
    lines, found = facts([peak(656.0, threshold=9.0, unit="uJ/cm2", threshold_pairs=1.2)])
    assert [line.wavelength_nm for line in lines] == [645.0, 655.0]
    assert [fact.quantity for fact in found] == ["line", "threshold", "threshold ⟨N⟩"]
    assert found[1].predicted == lines[1].threshold.value
    assert (found[2].predicted, found[2].unit) == (lines[1].threshold.pairs_per_shell, "pairs per shell")
    _, found = facts([peak(threshold_pairs=1.2)])
    assert found[0].predicted == lines[0].threshold.pairs_per_shell


def test_errors_stand_beside_what_they_are_the_errors_of():
    errors = InputErrors(2.0, 0.1, 0.1, 5.0, 3.0, (), (), ())
    row = peak(656.0, linewidth_nm=0.5, threshold=9.0, unit="uJ/cm2", threshold_pairs=1.2)
    lines, found = facts([row, peak(wavelength_from_nm=640.0, wavelength_to_nm=650.0)], errors=errors)
    by_name = {fact.quantity: fact.predicted_err for fact in found}
    assert by_name == {
        "line": 2.0, "line width": None, "threshold": 5.0, "threshold ⟨N⟩": lines[1].threshold.pairs_err,
        "range of lines": 2.0,
    }  # fmt: skip
    _, plain = facts([row])
    assert [fact.predicted_err for fact in plain] == [None] * 4


def test_the_predicted_line_width_is_that_of_the_cold_cavity():
    _, found = facts([peak(645.2, linewidth_nm=0.5)])
    assert (found[1].quantity, found[1].published, found[1].unit) == ("line width", 0.5, "nm")
    assert found[1].predicted == pytest.approx(645.0 / 5000.0)
    assert found[1].verdict == "narrower"
    assert replace(found[1], predicted=0.6).verdict == "wider"
    assert not found[1].is_wavelength
    assert found[0].is_wavelength
    _, found = facts([peak(650.0, linewidth_nm=0.5)], toy=Toy((Rule(650.0, q=math.inf),)))
    assert found[1].predicted is None


@pytest.mark.parametrize(
    ("fact", "verdict"),
    [
        (of(predicted=None), "not predicted"),
        (of(predicted=650.0), "inside"),
        (of(published=(640.0, 660.0), predicted=640.0), "inside"),
        (of(published=(640.0, 660.0), predicted=660.0), "inside"),
        (of(published=(640.0, 660.0), predicted=664.0), "+4.0 nm"),
        (of(published=(640.0, 660.0), predicted=637.0, err=2.0), "-3.0 nm, DIFFERS"),
        (of(predicted=652.0), "+2.0 nm"),
        (of(predicted=648.0, err=2.0), "-2.0 nm, within ±"),
        (of(predicted=652.0, err=2.0), "+2.0 nm, within ±"),
        (of(predicted=652.1, err=2.0), "+2.1 nm, DIFFERS"),
        (of(predicted=656.0, err=2.0), "+6.0 nm, DIFFERS"),
        (of(predicted=652.0, note="gives it no threshold"), "+2.0 nm, no gain"),
        (of(predicted=652.0, err=2.5, note="gives it no threshold"), "+2.0 nm, no gain, within ±"),
        (of(predicted=652.0, unstated=("lattice.period_nm",)), "see below"),
        (of(published=(640.0, 645.0), predicted=652.0, unstated=("x.y",)), "+7.0 nm"),
        (of("threshold", 4.0, 8.0, unit="uJ/cm2"), "2 x"),
        (of("threshold", 4.0, 8.0, 4.0, unit="uJ/cm2"), "2 x, within ±"),
        (of("threshold", 4.0, 1.0, 2.0, unit="uJ/cm2"), "0.25 x, DIFFERS"),
        (of("threshold", 4.0, 8.0, 0.0, unit="uJ/cm2"), "2 x"),
    ],
)
def test_verdicts(fact, verdict):
    assert fact.verdict == verdict


def test_a_difference_is_that_of_two_numbers_of_one_device():
    assert of(predicted=652.5).difference == 2.5
    assert of(published=652.5, predicted=650.0).difference == -2.5
    assert of(predicted=None).difference is None
    assert of(unstated=("x.y",)).difference is None
    assert of(published=(640.0, 660.0)).difference is None


def test_peaks_get_lines_one_to_one_and_come_in_their_own_order():
    # both peaks are nearest to the line at 645; the smaller sum of squares gives the second its own
    _, found = facts([peak(648.0, line=2), peak(646.0, line=3)])
    assert [fact.predicted for fact in found] == [655.0, 645.0]
    _, found = facts([peak(645.0), peak(655.0), peak(651.0)])
    assert [fact.predicted for fact in found] == [645.0, 655.0, None]
    assert found[2].note == "no predicted line in the window"


def test_lines_without_threshold_stand_back():
    dead = Rule(650.0, gain_per_cm=1e7)
    _, (fact,) = facts([peak(650.0)], toy=replace(TOY, rules=(*TOY.rules[:1], dead)))
    assert fact.predicted == 655.0
    assert fact.note.startswith("nearest predicted line")
    _, (fact, threshold) = facts([peak(652.0, threshold=1.0, unit="uJ/cm2")], toy=Toy((dead,)))
    assert fact.predicted == 650.0
    assert fact.note.endswith("the gain model gives it no threshold")
    assert fact.verdict == "-2.0 nm, no gain"
    assert threshold.predicted is None
    assert "never reaches" in threshold.note
    _, (threshold,) = facts([peak(threshold=1.0, unit="uJ/cm2")], toy=Toy((dead,)))
    assert (threshold.predicted, threshold.note) == (None, "no predicted line")


def test_another_transition_than_the_published_one_is_named():
    lines, _ = facts([])
    name = lines[0].transition
    other = next(text for text in ("X", "XX", "MX") if text != name)
    _, (same,) = facts([peak(645.0, transition=name)])
    _, (differs,) = facts([peak(645.0, transition=other)])
    assert (same.quantity, same.note) == (f"line ({name})", "nearest predicted line")
    assert differs.note == f"nearest predicted line; the model names its transition {name}"


def test_a_range_holds_the_lowest_threshold_of_its_transition():
    span = {"wavelength_from_nm": 640.0, "wavelength_to_nm": 650.0}
    _, (fact,) = facts([peak(**span)])
    assert (fact.published, fact.predicted) == ((640.0, 650.0), 645.0)
    assert (fact.quantity, fact.note) == ("range of lines", "lowest threshold, inside the range")
    _, (fact,) = facts([peak(wavelength_from_nm=645.5, wavelength_to_nm=650.0)])
    assert fact.note == "lowest threshold, outside the range"
    lines, (fact,) = facts([peak(**span, transition="MX")], toy=Toy((Rule(668.0, gain_per_cm=5.0),)))
    assert lines[0].transition != "MX"
    assert (fact.predicted, fact.note) == (None, "no such line lases")


def test_a_peak_of_an_unstated_device_stands_beside_the_lowest_threshold():
    row = peak(655.0, unstated=("lattice.period_nm",), period_is="assigned", source="a paper")
    _, (fact,) = facts([row])
    assert fact.predicted == 645.0, "not the nearest"
    assert fact.difference is None
    assert fact.note == "period not stated; predicted: the design's lowest threshold"
    assert (fact.unstated, fact.device_is, fact.source) == (("lattice.period_nm",), "assigned", "a paper")
    record = fact.record()
    assert record["unstated"] == ["lattice.period_nm"]
    assert (record["published"], record["predicted"], record["difference"]) == (655.0, 645.0, None)
    assert of(published=(1.0, 2.0)).record()["published"] == [1.0, 2.0]
    _, both = facts([peak(645.0), row])
    assert [fact.predicted for fact in both] == [645.0, 645.0], "it takes no line from the others"


def test_a_measurement_at_another_temperature_is_one_of_another_device():
    peaks = [peak(645.0, threshold=1.0, unit="uJ/cm2", temperature_k=kelvin) for kelvin in (293.0, 250.0)]
    asked = []
    design = film(emitter={"temperature_k": 293.0})
    result = predict(design, TOY, tolerances=False)

    def others(variant, here):
        asked.append((variant.emitter.temperature_k, len(here)))
        return tuple(lasing_lines(variant, result.solution.modes))

    found = beside_published(result.design, tuple(result.lines), peaks, others)
    assert asked == [(250.0, 1)], "the design's own temperature is not solved again"
    warm, cold = (fact for fact in found if fact.quantity == "threshold")
    assert warm.device == {"emitter.temperature_k": 293.0}
    assert cold.device == {"emitter.temperature_k": 250.0}
    assert warm.predicted == result.lines[0].threshold.value
    cooled = film(emitter={"temperature_k": 250.0})
    assert cold.predicted == predict(cooled, TOY, tolerances=False).lines[0].threshold.value
    assert cold.predicted != pytest.approx(warm.predicted, rel=1e-3)


def test_the_first_line_is_the_first_that_lases():
    lines, _ = facts([], toy=replace(TOY, rules=(Rule(650.0, gain_per_cm=1e7), *TOY.rules)))
    assert first_line(lines).wavelength_nm == 645.0
    assert first_line(lines[2:]) is None
    assert first_line([*lines[2:], lines[1]]) is lines[1]
    assert first_line([]) is None
