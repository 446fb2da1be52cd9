"""Predictions of a toy: errors of cavity and emitter, each on its own line, and the document."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from cavitydesign.errors import Status
from cavitydesign.gain import Constant
from cavitydesign.geometry.emitter import Emitter, Pump
from cavitydesign.study import tolerance
from cavitydesign.study.predict import holding, lasing_lines, mode_thresholds, predict, with_emitter
from tests.study.toy import THICKNESS, Rule, Toy, assumed, film, peak

CONSTANT = Constant(slope_per_cm=50.0, transparency_pairs=1.2, window_nm=(600.0, 700.0))
EMITTER = {"volume_fraction": assumed(0.5, 0.1)}
# the mode of shorter wavelength needs the less gain: ranks run against the rows of the modes table
TOY = Toy(
    (
        Rule(652.0, by_thickness=0.2, gain_per_cm=220.0, gain_power=3.0),
        Rule(645.0, by_thickness=-0.1, gain_per_cm=60.0, gain_power=-1.0, symmetry="A1", q=5000.0),
    )
)


@pytest.fixture(scope="module")
def found():
    return predict(film(emitter=EMITTER), TOY)


def test_ranks_run_against_rows(found):
    assert [line.mode.symmetry for line in found.lines] == ["A1", "E"]
    assert found.lines.mode_index.tolist() == [1, 0]
    assert [line.rank for line in found.lines] == [1, 2]


def test_cavity_and_emitter_add_in_squares_on_the_right_line(found):
    for line, slope, power, q in zip(found.lines, (-0.1, 0.2), (-1.0, 3.0), (5000.0, 1000.0), strict=True):
        sides = []
        change = (
            power * math.log(1.005 / 0.995) / 0.2
        )  # of ln g by one half-width, as steps of a tenth see it
        for sign in (1.0, -1.0):
            moved = replace(
                TOY,
                rules=(
                    Rule(
                        line.wavelength_nm + sign * slope * 10.0,
                        gain_per_cm=line.required_gain_per_cm * math.exp(sign * change),
                        q=q,
                    ),
                ),
            )
            sides.append(predict(film(emitter=EMITTER), moved, tolerances=False).lines[0].threshold.value)
        cavity = 0.5 * abs(sides[0] - sides[1])
        errors = line.input_errors
        assert errors.threshold_of_cavity == pytest.approx(cavity, rel=1e-6)
        assert cavity > 0.0
        assert line.threshold.value_err > 0.0
        assert errors.threshold == pytest.approx(math.hypot(cavity, line.threshold.value_err), rel=1e-6)
        assert line.threshold_err == errors.threshold
        assert errors.wavelength_nm == pytest.approx(abs(slope) * 10.0)
        assert errors.threshold_gain_relative == pytest.approx(abs(change))
        assert errors.q_relative == pytest.approx(0.0, abs=1e-12)
        (item,) = errors.contributions
        assert (item.input, item.plus_minus) == (THICKNESS, 10.0)
        assert item.wavelength_nm == pytest.approx(slope * 10.0)
        assert item.q_relative == pytest.approx(0.0, abs=1e-12)
        assert item.threshold == pytest.approx(cavity, rel=1e-6)
        assert errors.lost_if == errors.not_propagated == ()


def test_several_inputs_of_the_cavity_add_in_squares():
    toy = Toy((Rule(650.0, by_thickness=0.2, by_index=60.0, gain_per_cm=150.0, gain_power=3.0),))
    (line,) = predict(film(index_err=0.1, emitter=EMITTER), toy).lines
    parts = [item.threshold for item in line.input_errors.contributions]
    assert len(parts) == 2
    assert min(parts) > 0.0
    assert line.input_errors.threshold_of_cavity == pytest.approx(math.hypot(*parts))
    assert line.input_errors.wavelength_nm == pytest.approx(math.hypot(2.0, 6.0))


def test_an_input_that_ends_the_lasing_is_named():
    design = film(emitter=EMITTER)
    low, high = 10.0, 1e5  # /cm: a need that is met, and one that is not; the edge is between them
    for _ in range(30):
        middle = math.sqrt(low * high)
        alive = predict(design, Toy((Rule(648.0, gain_per_cm=middle),)), tolerances=False).lines[0].lases
        low, high = (middle, high) if alive else (low, middle)
    toy = Toy((Rule(648.0, gain_per_cm=low * 0.95, gain_power=4.0), Rule(612.0, gain_per_cm=1e6)))
    result = predict(design, toy)
    line, dead = result.lines
    assert line.lases
    assert line.input_errors.lost_if == (THICKNESS,)
    base, spared = (
        predict(design, Toy((Rule(648.0, gain_per_cm=need),)), tolerances=False).lines[0].threshold.value
        for need in (low * 0.95, low * 0.95 * math.exp(-4.0 * math.log(1.005 / 0.995) / 0.2))
    )
    assert line.input_errors.threshold_of_cavity == pytest.approx(abs(spared - base), rel=1e-6), "one side"
    assert not dead.lases
    assert dead.input_errors.lost_if == ()
    assert math.isnan(dead.input_errors.threshold_of_cavity)
    assert math.isnan(dead.input_errors.contributions[0].threshold)
    assert dead.rank is None


def test_what_could_not_be_moved_is_named_on_every_line():
    result = predict(film(emitter=EMITTER), replace(TOY, breaks_at_nm=200.5))
    assert result.tolerances.skipped[0][0] == THICKNESS
    for line in result.lines:
        assert line.input_errors.not_propagated == (THICKNESS,)
        assert line.input_errors.contributions == ()
        assert line.input_errors.threshold_of_cavity == 0.0
        assert line.input_errors.threshold == pytest.approx(line.threshold.value_err)
        assert math.isnan(line.input_errors.wavelength_nm)


def test_without_tolerances_there_are_no_errors_of_the_cavity():
    result = predict(film(emitter=EMITTER), TOY, tolerances=False)
    assert result.tolerances is None
    for line in result.lines:
        assert line.input_errors is None
        assert line.threshold_err == line.threshold.value_err
        assert "input_errors" not in line.record()


def test_no_modes_no_tolerances():
    result = predict(film(), Toy(()))
    assert (len(result.lines), result.tolerances) == (0, None)


def test_missing_emitter_and_pump_stand_at_their_defaults():
    full, missing = with_emitter(film())
    assert missing == ("emitter", "pump")
    assert (full.emitter, full.pump) == (Emitter(), Pump())
    assert with_emitter(film(emitter=EMITTER))[1] == ("pump",)
    both = film(emitter={"temperature_k": 200.0}, pump={"photons": 2})
    same, missing = with_emitter(both)
    assert (same, missing) == (both, ())
    assert predict(film(), TOY, tolerances=False).defaults == ("emitter", "pump")


def test_thresholds_of_many_tables_come_back_in_the_order_of_the_tables():
    designs = [
        film(emitter={"temperature_k": temperature, "volume_fraction": 0.5})
        for temperature in (293.0, 150.0, 293.0)
    ]
    tables = [
        Toy((Rule(650.0, gain_per_cm=90.0), Rule(640.0, gain_per_cm=80.0))),
        Toy((Rule(646.0, gain_per_cm=70.0),)),
        Toy((Rule(655.0, gain_per_cm=20.0), Rule(644.0, gain_per_cm=95.0), Rule(630.0, gain_per_cm=1e6))),
    ]
    pairs = [
        (design, predict(design, toy, tolerances=False).solution.modes)
        for design, toy in zip(designs, tables, strict=True)
    ]
    found = mode_thresholds(pairs)
    assert [len(item.value) for item in found] == [2, 1, 3]
    for (design, modes), item in zip(pairs, found, strict=True):
        lines = lasing_lines(design, modes)
        for row, at in enumerate(lines.mode_index):
            assert item.value[at] == pytest.approx(lines.value[row], nan_ok=True)
            assert item.pairs_per_shell[at] == pytest.approx(lines.pairs_per_shell[row], nan_ok=True)
            assert item.transition[at] == lines.transition[row]
            assert item.lasing[at] == lines.lasing[row]
            assert item.dark[at] == lines.dark[row]


@pytest.mark.parametrize("model", [CONSTANT, lambda _: CONSTANT])
def test_a_model_of_ones_own_goes_all_the_way(model):
    """g = 50 (⟨N⟩ - 1.2): every threshold, its error by the cavity and the lines of another device follow from it."""
    toy = Toy((Rule(650.0, by_period=0.5, gain_per_cm=40.0, gain_power=1.0),))
    peaks = [peak(655.0, device={"lattice.period_nm": 410.0}, threshold_pairs=2.0)]
    result = predict(film(), toy, model=model, peaks=peaks)
    (line,) = result.lines
    assert line.threshold.pairs_per_shell == pytest.approx(2.0)
    moved = 40.0 * math.sinh(math.log(1.005 / 0.995) / 0.2) / 50.0  # half of g exp(±d ln g)
    per_pair = line.threshold.value / 2.0
    assert line.input_errors.threshold_of_cavity == pytest.approx(moved * per_pair, rel=1e-6)
    assert [fact.predicted for fact in result.published] == pytest.approx([655.0, 2.0])
    (item,) = mode_thresholds([(film(), result.solution.modes)], model=model)
    assert item.pairs_per_shell == pytest.approx([2.0])
    assert item.transition.tolist() == [""]


def test_dark_modes_keep_their_place_in_the_table():
    design, toy = film(), Toy((Rule(650.0, outward_share=0.0), Rule(640.0)))
    (item,) = mode_thresholds([(design, predict(design, toy, tolerances=False).solution.modes)])
    assert item.dark.tolist() == [True, False]


def test_the_window_is_widened_to_hold_the_peaks():
    window = (600.0, 700.0)
    assert holding(window, [peak(650.0), peak(threshold=1.0)]) == window
    assert holding(window, [peak(610.0)]) == (580.0, 700.0)
    assert holding(window, [peak(690.0), peak(595.0)]) == (565.0, 720.0)
    assert holding(window, [peak(690.0)], spare_nm=5.0) == window


def test_lines_of_another_device_are_found_in_a_window_that_holds_its_peaks():
    toy = Toy((Rule(650.0, by_period=1.0),))
    peaks = [peak(705.0, device={"lattice.period_nm": 460.0})]
    (fact,) = predict(film(), toy, peaks=peaks, tolerances=False).published
    assert fact.predicted == pytest.approx(710.0)
    (fact,) = predict(film(), toy, peaks=peaks, tolerances=False, window_nm=(640.0, 660.0)).published
    assert fact.predicted == pytest.approx(710.0)


def test_the_document_names_what_it_rests_on():
    design = film(
        emitter={
            "temperature_k": 280.0,
            "volume_fraction": {"value": 0.4, "source": "fitted", "plus_minus": 0.1},
        }
    )
    result = predict(design, TOY, peaks=[peak(650.0)])
    content = result.document()
    assert set(content) == {
        "design", "solver", "window_nm", "status", "advice", "warnings", "temperature_k", "lines", "published",
        "assumed", "fitted", "defaults_for",
    }  # fmt: skip
    assert content["design"] == {"name": "toy film", "id": result.design.id}
    assert (content["solver"], content["window_nm"]) == ("toy", [600.0, 700.0])
    assert (content["status"], content["temperature_k"]) == ("ok", 280.0)
    assert content["advice"] == result.solution.status.value
    assert content["defaults_for"] == ["pump"]
    assert [line["rank"] for line in content["lines"]] == [1, 2]
    assert content["published"][0]["published"] == 650.0
    inputs = [item["input"] for item in content["assumed"]]
    assert THICKNESS in inputs
    assert "emitter.volume_fraction" not in inputs
    assert "emitter.volume_fraction" in [item["input"] for item in content["fitted"]]
    assert all(item["source"] == "fitted" for item in content["fitted"])


def test_moved_modes_go_the_way_of_the_sign(found):
    (item,) = found.tolerances.sensitivities
    up, down = (tolerance.moved_modes(found.tolerances, item, sign) for sign in (1.0, -1.0))
    assert up["wavelength_nm"].tolist() == pytest.approx([654.0, 644.0])
    assert down["wavelength_nm"].tolist() == pytest.approx([650.0, 646.0])
    assert (up["threshold_gain_per_cm"] / down["threshold_gain_per_cm"]).tolist() == pytest.approx(
        [math.exp(2.0 * 0.15), math.exp(-2.0 * 0.05)], rel=1e-3
    )


def test_a_doubtful_answer_about_another_device_is_told():
    class Doubtful(Toy):
        def run(self, ask):
            status = Status.OK if ask.stack.lattice.period_nm == 400.0 else Status.INCOMPLETE
            return replace(super().run(ask), status=status)

    peaks = [peak(640.0, line=2), peak(641.0, line=3, device={"lattice.period_nm": 410.0})]
    found = predict(film(), Doubtful(), peaks=peaks, tolerances=False)
    assert found.solution.status is Status.OK
    assert found.solution.warnings == (f"the device of the peaks in line 3: {Status.INCOMPLETE.value}",)
