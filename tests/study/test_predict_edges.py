"""Predictions at their edges: errors of lines that do not lase, inputs that move nothing, and what is passed on."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from cavitydesign.gain import Constant, InputErrors
from cavitydesign.solvers.ask import Ask
from cavitydesign.solvers.solution import Modes
from cavitydesign.study import predict as module
from cavitydesign.study.predict import holding, lasing_lines, mode_thresholds, predict
from cavitydesign.study.tolerance import propagate
from tests.study.toy import FILM_INDEX, THICKNESS, Rule, Toy, assumed, film, peak

EMITTER = {"volume_fraction": assumed(0.5, 0.1)}
TWO = Toy((Rule(655.0, gain_per_cm=60.0, by_thickness=0.1), Rule(645.0, gain_per_cm=80.0, symmetry="A1")))


def test_a_line_that_does_not_lase_keeps_the_errors_of_its_mode():
    toy = Toy((Rule(650.0, gain_per_cm=1e6, gain_power=2.0, by_thickness=0.3),))
    (line,) = predict(film(emitter=EMITTER), toy).lines
    errors = line.input_errors
    assert not line.lases
    assert errors.wavelength_nm == pytest.approx(3.0)
    assert errors.threshold_gain_relative == pytest.approx(2.0 * math.log(1.005 / 0.995) / 0.2)
    assert math.isnan(errors.threshold)
    assert math.isnan(errors.threshold_of_cavity)
    assert errors.contributions[0].wavelength_nm == pytest.approx(3.0)
    record = line.record()["input_errors"]
    assert record["threshold"] is None
    assert record["contributions"][0]["input"] == THICKNESS


def test_without_inputs_of_the_cavity_the_emitters_error_is_all():
    (line,) = predict(film(thickness_err=None, emitter=EMITTER), Toy((Rule(650.0),))).lines
    errors = line.input_errors
    assert line.threshold.value_err > 0.0
    assert (errors.threshold_of_cavity, errors.threshold) == (0.0, line.threshold.value_err)
    assert errors.contributions == errors.lost_if == errors.not_propagated == ()
    assert math.isnan(errors.wavelength_nm)


def test_each_input_has_its_own_part_in_its_own_order():
    toy = Toy((Rule(650.0, by_index=60.0), Rule(640.0, by_thickness=0.2, symmetry="A1")))
    lines = predict(film(index_err=0.1, emitter=EMITTER), toy).lines
    for line in lines:
        parts = {item.input: item for item in line.input_errors.contributions}
        moving = FILM_INDEX if line.mode.symmetry == "E" else THICKNESS
        still = THICKNESS if line.mode.symmetry == "E" else FILM_INDEX
        assert parts[moving].threshold > 0.0
        assert parts[still].threshold == pytest.approx(0.0, abs=1e-9)
        assert (parts[FILM_INDEX].plus_minus, parts[THICKNESS].plus_minus) == (0.1, 10.0)
        assert line.input_errors.threshold_of_cavity == pytest.approx(parts[moving].threshold)


class Halved(Toy):
    """A toy whose only mode lives up to its own thickness, and then no more."""

    name, version = "halved", 1

    def run(self, ask):
        found = super().run(ask)
        return found if ask.stack.layers[1].thickness_nm <= 200.0 else replace(found, modes=Modes.empty())


def test_a_mode_that_is_lost_on_one_side_has_the_change_of_the_other():
    toy = Halved((Rule(650.0, by_thickness=0.2, gain_per_cm=100.0),))
    (line,) = predict(film(emitter=EMITTER), toy).lines
    assert line.input_errors.wavelength_nm == pytest.approx(2.0)
    assert line.input_errors.lost_if == ()


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_an_input_may_end_the_lasing_on_either_side(sign):
    """At 1e4 times the change the need is out of reach on one side, next to nothing on the other."""
    toy = Toy((Rule(650.0, gain_per_cm=100.0, gain_power=sign * 40.0),))
    (line,) = predict(film(emitter=EMITTER), toy).lines
    change = 40.0 * math.log(1.005 / 0.995) / 0.2
    eased = Toy((Rule(650.0, gain_per_cm=100.0 * math.exp(-change)),))
    (easy,) = predict(film(emitter=EMITTER), eased, tolerances=False).lines
    assert line.input_errors.lost_if == (THICKNESS,)
    moved = line.threshold.value - easy.threshold.value
    assert moved > 0.0
    assert line.input_errors.threshold_of_cavity == pytest.approx(moved, rel=1e-6)
    assert line.input_errors.contributions[0].threshold == pytest.approx(moved, rel=1e-6)


def test_a_model_of_ones_own_and_no_errors_are_passed_on():
    modes = predict(film(), TWO, tolerances=False).solution.modes
    constant = Constant(100.0, 1.0, (600.0, 700.0))
    lines = lasing_lines(film(emitter=EMITTER), modes, model=lambda emitter: constant, errors=False)
    assert lines.pairs_per_shell.tolist() == pytest.approx([1.6, 1.8])
    assert np.isnan(lines.value_err).all()
    named = lasing_lines(film(emitter={"volume_fraction": assumed(0.5, 0.25)}), modes)
    by_name = {item.input: item.plus_minus for item in named.contributions[0]}
    assert by_name["emitter.volume_fraction"] == 0.25, "the design's own ± and not the default's"


def test_thresholds_of_no_tables_and_of_empty_ones():
    assert mode_thresholds([]) == []
    modes = predict(film(), TWO, tolerances=False).solution.modes
    empty, full = mode_thresholds([(film(), modes[:0]), (film(), modes)])
    assert (len(empty.value), len(full.value)) == (0, 2)
    assert full.lasing.tolist() == [True, True]


def test_what_is_asked_reaches_solver_and_tolerances(monkeypatch):
    seen = []
    honest = module.tolerance.propagate

    def watching(design, settings, solution, **options):
        seen.append((settings, options))
        return honest(design, settings, solution, **options)

    monkeypatch.setattr(module.tolerance, "propagate", watching)
    told = []
    found = predict(
        film(), TWO, window_nm=(650.0, 660.0), progress=lambda done, of, what="": told.append((done, of))
    )
    assert [line.wavelength_nm for line in found.lines] == [655.0]
    assert found.solution.window_nm == (650.0, 660.0)
    assert told == [(0, 1)]
    ((settings, options),) = seen
    assert settings is TWO
    assert options["window_nm"] == (650.0, 660.0)


def test_poles_where_no_settings_are_given(monkeypatch):
    asked = []

    def solve(design, settings, **question):
        asked.append((type(settings).__name__, question))
        return TWO.run(Ask.of(design, **question))

    monkeypatch.setattr(module, "solve", solve)
    predict(film(), tolerances=False, window_nm=(600.0, 690.0))
    assert asked == [("Poles", {"window_nm": (600.0, 690.0)})]


def test_the_window_holds_a_peak_with_30_nm_to_spare():
    assert holding((600.0, 700.0), [peak(629.0), peak(671.0)]) == (599.0, 701.0)
    assert holding((600.0, 700.0), []) == (600.0, 700.0)


def test_the_document_of_a_design_with_everything_written_out():
    design = film(emitter={"temperature_k": 280.0}, pump={"photons": 1})
    found = predict(design, TWO, tolerances=False)
    content = found.document()
    assert (content["defaults_for"], content["published"], content["warnings"]) == ([], [], [])
    assert content["lines"] == [line.record() for line in found.lines]
    assert "emitter.temperature_k" not in {item["input"] for item in content["assumed"]}
    warned = replace(found, solution=replace(found.solution, warnings=("look here",)))
    assert warned.document()["warnings"] == ["look here"]
    bare = replace(found, design=film())
    assert bare.document()["temperature_k"] is None


def test_errors_of_inputs_are_those_of_the_mode_and_not_of_the_row():
    """Ranks run against rows here: what belongs to the first mode stands at the second line."""
    toy = Toy((Rule(655.0, gain_per_cm=150.0, by_thickness=0.1, q=100.0), Rule(645.0, gain_per_cm=50.0)))
    found = predict(film(emitter=EMITTER), toy)
    moved = propagate(found.design, toy, found.solution)
    assert found.lines.mode_index.tolist() == [1, 0]
    for line, row in zip(found.lines, (1, 0), strict=True):
        assert isinstance(line.input_errors, InputErrors)
        assert line.input_errors.wavelength_nm == moved.wavelength_nm[row]
    assert found.lines[1].input_errors.wavelength_nm == pytest.approx(1.0)
    assert found.lines[0].input_errors.wavelength_nm == pytest.approx(0.0)


def test_emitter_and_pump_are_grouped_by_value(monkeypatch):
    """Tables under one emitter are coupled together, whichever object carries it."""
    modes = predict(film(), TWO, tolerances=False).solution.modes
    honest, calls = lasing_lines, []

    def counting(design, joined, **options):
        calls.append((design.emitter.volume_fraction, len(joined)))
        return honest(design, joined, **options)

    monkeypatch.setattr(module, "lasing_lines", counting)
    fractions = (0.5, 0.4, 0.5)
    mode_thresholds([(film(emitter={"volume_fraction": part}), modes) for part in fractions])
    assert calls == [(0.5, 4), (0.4, 2)]


def test_another_device_is_solved_in_the_window_that_was_asked_for():
    """The mode at 655 nm would lase first; a window that ends at 652 nm does not hold it."""
    toy = Toy((Rule(655.0, gain_per_cm=20.0), Rule(648.0, gain_per_cm=80.0, symmetry="A1")))
    row = peak(threshold=3.0, unit="uJ/cm2", device={"lattice.period_nm": 410.0})
    for window, first in (((640.0, 652.0), 648.0), ((640.0, 660.0), 655.0)):
        found = predict(film(), toy, peaks=[row], tolerances=False, window_nm=window)
        assert found.lines[0].wavelength_nm == first
        assert found.published[0].predicted == found.lines[0].threshold.value


def test_a_prediction_in_a_notebook_sets_what_was_published_beside_it():
    rows = [peak(656.0, threshold=2.0, unit="uJ/cm2"), peak(threshold=3.0, unit="kW/cm2")]
    found = predict(film(emitter=EMITTER, name="a <film>"), TWO, peaks=rows)
    html = found._repr_html_()
    assert html.startswith("<p><b>a &lt;film&gt;</b></p>" + found.lines._repr_html_())
    assert html.endswith(f"<p>{found.solution.status.value}.</p>")
    head, *table = html.split("<table>")[2].split("<tr>")[1:]
    assert [cell.split("</th>")[0] for cell in head.split("<th>")[1:]] == [
        "quantity", "published", "predicted", "unit", "verdict",
    ]  # fmt: skip
    cells = [[cell.split("</td>")[0] for cell in row.split("<td>")[1:]] for row in table]
    line, level, none = found.published
    assert cells == [
        ["line", "656", f"{line.predicted:.4g} ± {line.predicted_err:.2g}", "nm", line.verdict],
        ["threshold", "2", f"{level.predicted:.4g} ± {level.predicted_err:.2g}", "uJ/cm2", level.verdict],
        ["threshold", "3", "-", "kW/cm2", "not predicted"],
    ]
    assert none.predicted is None
    span = [peak(wavelength_from_nm=644.0, wavelength_to_nm=650.0)]
    alone = predict(film(emitter=EMITTER), TWO, tolerances=False, peaks=span)
    assert ">644-650</td><td>655</td>" in alone._repr_html_()
    assert predict(film(emitter=EMITTER), TWO, tolerances=False)._repr_html_().count("<table>") == 1
