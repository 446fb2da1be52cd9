"""Facts beside predictions: order, several numbers of one row, devices, and every key of the document."""

from __future__ import annotations

import math

import pytest

from cavitydesign.study.predict import lasing_lines, predict
from cavitydesign.study.published import Fact, beside_published, first_line
from tests.study.toy import Rule, Toy, film, peak

TOY = Toy((Rule(655.0, gain_per_cm=150.0, by_period=1.0), Rule(645.0, gain_per_cm=50.0, symmetry="A1")))
PERIOD = "lattice.period_nm"


def facts(peaks, toy=TOY, **parts):
    design = film(**parts)
    result = predict(design, toy, tolerances=False)
    asked = []

    def others(variant, here):
        asked.append((variant.value_at(PERIOD), [row.line for row in here]))
        return tuple(lasing_lines(variant, predict(variant, toy, tolerances=False).solution.modes))

    return list(result.lines), beside_published(result.design, tuple(result.lines), peaks, others), asked


def test_every_key_of_the_document():
    _, (fact,), _ = facts(
        [peak(646.0, device={PERIOD: 400.0}, period_is="assigned", source="a paper", transition="XX")]
    )
    assert fact.record() == {
        "quantity": "line (XX)",
        "published": 646.0,
        "predicted": 645.0,
        "predicted_err": None,
        "difference": -1.0,
        "unit": "nm",
        "note": fact.note,
        "device": {PERIOD: 400.0},
        "device_is": "assigned",
        "unstated": [],
        "source": "a paper",
    }
    _, (plain,), _ = facts([peak(646.0)])
    assert (plain.record()["device"], plain.record()["device_is"], plain.record()["source"]) == (
        {},
        None,
        None,
    )


def test_all_numbers_of_a_row_in_their_order():
    row = peak(
        646.0, wavelength_from_nm=640.0, wavelength_to_nm=650.0, linewidth_nm=0.5, threshold=3.0,
        unit="uJ/cm2", threshold_pairs=1.2,
    )  # fmt: skip
    lines, found, _ = facts([row])
    assert [(fact.quantity, fact.unit) for fact in found] == [
        ("line", "nm"), ("range of lines", "nm"), ("line width", "nm"), ("threshold", "uJ/cm2"),
        ("threshold ⟨N⟩", "pairs per shell"),
    ]  # fmt: skip
    assert [fact.published for fact in found] == [646.0, (640.0, 650.0), 0.5, 3.0, 1.2]
    assert found[2].note == "predicted: λ/Q of the cold cavity; above threshold a line is narrower than that"
    assert found[2].predicted == pytest.approx(0.645)
    assert found[3].note == f"of the predicted line at {lines[0].wavelength_nm:.0f} nm, rank 1"
    assert found[4].note == ""
    assert [fact.is_wavelength for fact in found] == [True, True, False, False, False]


def test_facts_come_in_the_order_of_the_peaks_and_other_devices_are_solved_once():
    other = {PERIOD: 404.0}
    peaks = [
        peak(658.0, device=other, line=2), peak(645.0, line=3), peak(646.0, device=other, line=4),
        peak(threshold=2.0, unit="uJ/cm2", line=5),
    ]  # fmt: skip
    lines, found, asked = facts(peaks)
    assert asked == [(404.0, [2, 4])]
    assert [fact.published for fact in found] == [658.0, 645.0, 646.0, 2.0]
    assert [fact.predicted for fact in found] == [659.0, 645.0, 645.0, lines[0].threshold.value]
    assert [dict(fact.device) for fact in found] == [other, {}, other, {}]


def test_several_open_columns_are_named_in_words():
    row = peak(650.0, unstated=(PERIOD, "layers.1.thickness_nm"))
    _, (fact,), _ = facts([row])
    assert fact.note == "period, layers.1.thickness_nm not stated; predicted: the design's lowest threshold"
    dead = Toy((Rule(650.0, gain_per_cm=1e7),))
    _, (fact,), _ = facts([row], toy=dead)
    assert fact.predicted is None
    assert fact.verdict == "not predicted"


def test_where_nothing_is_predicted_every_number_says_so():
    row = peak(650.0, linewidth_nm=0.5, threshold=3.0, unit="uJ/cm2", threshold_pairs=1.2)
    _, found, _ = facts([row], toy=Toy(()))
    assert [fact.predicted for fact in found] == [None] * 4
    assert found[0].note == "no predicted line in the window"
    assert found[2].note == "no predicted line"
    assert [fact.verdict for fact in found] == ["not predicted"] * 4


def test_a_line_that_cannot_lase_has_no_pairs_and_its_own_note():
    lines, found, _ = facts(
        [peak(650.0, threshold=3.0, unit="uJ/cm2", threshold_pairs=1.2)],
        toy=Toy((Rule(650.0, gain_per_cm=1e7),)),
    )
    assert found[0].note == "nearest predicted line; the gain model gives it no threshold"
    assert (found[1].predicted, found[1].note) == (None, lines[0].note)
    assert found[2].predicted is None


def test_a_range_ends_belong_to_it():
    for low, high, where in ((645.0, 650.0, "inside"), (640.0, 645.0, "inside"), (640.0, 644.9, "outside")):
        _, (fact,), _ = facts([peak(wavelength_from_nm=low, wavelength_to_nm=high)])
        assert fact.note == f"lowest threshold, {where} the range"
    lines, (fact,), _ = facts([peak(wavelength_from_nm=640.0, wavelength_to_nm=650.0, transition="XX")])
    assert lines[0].transition == "XX"
    assert (fact.quantity, fact.note) == ("range of lines (XX)", "lowest threshold (XX), inside the range")


@pytest.mark.parametrize(
    ("published", "predicted", "err", "verdict"),
    [
        ((640.0, 660.0), 662.0, 2.0, "+2.0 nm, within ±"),
        ((640.0, 660.0), 638.0, 2.0, "-2.0 nm, within ±"),
        ((640.0, 660.0), 637.9, 2.0, "-2.1 nm, DIFFERS"),
        ((640.0, 660.0), 662.1, None, "+2.1 nm"),
    ],
)
def test_how_far_from_a_range(published, predicted, err, verdict):
    assert Fact("range of lines", published, predicted, err, "nm", "", {}, None, (), None).verdict == verdict


def test_a_width_as_wide_as_published_is_wider():
    assert Fact("line width", 0.5, 0.5, None, "nm", "", {}, None, (), None).verdict == "wider"
    assert Fact("line width", 0.5, 0.49, None, "nm", "", {}, None, (), None).verdict == "narrower"


def test_a_mode_without_loss_has_no_width():
    for q in (math.inf, math.nan):
        _, found, _ = facts([peak(650.0, linewidth_nm=0.5)], toy=Toy((Rule(650.0, q=q),)))
        assert found[1].predicted is None


def test_a_line_without_a_transition_contradicts_none():
    """Outside the gain band a line has no label; nothing is said of another name."""
    lines, (fact,), _ = facts(
        [peak(690.0, transition="X")], toy=Toy((Rule(699.0),)), emitter={"exciton_ev": 2.2}
    )
    assert lines[0].transition == ""
    assert fact.note == "nearest predicted line; the gain model gives it no threshold"
    assert first_line(lines) is None
