"""Tolerances at their edges: coarse tables, inputs that only move by whole numbers, and what is left out."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from cavitydesign.errors import InputError, SolverError, Status
from cavitydesign.geometry.base import SourcedNumber
from cavitydesign.solvers.ask import solve
from cavitydesign.solvers.poles import Poles
from cavitydesign.solvers.solution import Modes
from cavitydesign.study import tolerance as module
from cavitydesign.study.tolerance import Sensitivity, Tolerances, cavity_inputs, moved_modes, propagate
from tests.study.toy import FILM_INDEX, THICKNESS, Rule, Toy, film

RULES = (Rule(650.0, by_thickness=0.5, gain_power=2.0),)


def propagated(toy, design=None, **options):
    design = design or film()
    return propagate(design, toy, solve(design, toy), **options)


def test_the_step_is_a_tenth_of_the_half_width_to_either_side():
    asked = []

    class Watching(Toy):
        name, version = "watching", 1

        def run(self, ask):
            asked.append((ask.stack.layers[1].thickness_nm, ask.window_nm))
            return super().run(ask)

    propagated(Watching(RULES))
    assert [thickness for thickness, _ in asked] == pytest.approx([200.0, 201.0, 199.0])
    design, toy = film(), Watching(RULES)
    asked.clear()
    propagate(design, toy, solve(design, toy, window_nm=(640.0, 660.0)))
    assert {window for _, window in asked} == {(640.0, 660.0)}, "the solution's own window"


def test_few_waves_for_the_slopes_beside_a_table_of_as_few():
    """What the few waves are off cancels in the difference; the table itself keeps its modes."""
    asked = []

    class Waves(Poles):
        """Poles by name and settings; in truth a toy whose modes lie 2 nm off with few waves."""

        def run(self, ask):
            asked.append(self.waves)
            away = 0.0 if self.waves is None else 2.0
            return Toy((replace(RULES[0], wavelength_nm=650.0 + away, q=1000.0 + away),)).run(ask)

    design, settings = film(), Waves()
    solution = solve(design, settings)
    found = propagate(design, settings, solution)
    assert asked == [None, 49, 49, 49]
    assert found.modes is solution.modes
    (item,) = found.sensitivities
    assert item.wavelength_nm == pytest.approx([5.0])
    assert item.log_q == pytest.approx([0.0], abs=1e-12)
    assert item.log_gain == pytest.approx([10.0 * math.log(1.005 / 0.995)])


def test_an_infinite_q_has_no_slope_and_a_gain_of_nothing_neither():
    (item,) = propagated(Toy((replace(RULES[0], q=math.inf, gain_per_cm=0.0),))).sensitivities
    assert item.wavelength_nm == pytest.approx([5.0])
    assert np.isnan(item.log_q).all()
    assert np.isnan(item.log_gain).all()


class Whole(Toy):
    """A toy that tells whole numbers apart: it refuses films that are no whole number of nanometres thick."""

    name, version = "whole", 1

    def run(self, ask):
        if ask.stack.layers[1].thickness_nm % 1.0:
            raise InputError("must be a whole number", key=THICKNESS)
        return super().run(ask)


def source(value=200.0, plus_minus=2.0, path=THICKNESS):
    return SourcedNumber(path=path, value=value, source="assumed", plus_minus=plus_minus)


def test_whole_numbers_are_moved_by_their_whole_half_width():
    rules = (Rule(650.0, by_thickness=0.5, gain_power=2.0),)
    (item,) = propagated(Whole(rules), film(thickness_err=3.0)).sensitivities
    assert item.wavelength_nm == pytest.approx([1.5])
    assert item.log_gain == pytest.approx([math.log(203.0 / 197.0)])


@pytest.mark.parametrize("plus_minus", [2.5, 0.25])
def test_a_half_width_that_is_no_whole_number_is_skipped_with_the_reason(plus_minus):
    found = propagated(Whole(RULES), film(thickness_err=plus_minus))
    assert found.sensitivities == ()
    assert found.skipped == ((THICKNESS, f"{THICKNESS}: must be a whole number"),)
    assert np.isnan(found.wavelength_nm).all()


def test_a_solver_that_gives_up_is_a_reason_too_and_stops_nothing():
    toy = Toy((Rule(650.0, by_thickness=0.5, by_index=30.0),), breaks_at_nm=200.5)
    found = propagated(toy, film(index_err=0.1))
    assert found.skipped == ((THICKNESS, "too thick for a toy"),)
    assert [item.path for item in found.sensitivities] == [FILM_INDEX]
    assert found.wavelength_nm == pytest.approx([3.0])


def test_a_defect_is_no_reason(monkeypatch):
    def broken(*args, **options):
        raise ZeroDivisionError

    design, toy = film(), Toy(RULES)
    solution = solve(design, toy)
    monkeypatch.setattr(module, "solve", broken)
    with pytest.raises(ZeroDivisionError):
        propagate(design, toy, solution)

    def lost(*args, **options):
        raise SolverError("no answer", status=Status.PARTIAL)

    monkeypatch.setattr(module, "solve", lost)
    assert propagate(design, toy, solution).skipped == ((THICKNESS, "no answer"),)


def test_progress_is_told_before_each_input():
    told = []
    toy = Toy((Rule(650.0, by_thickness=0.5, by_index=30.0),))
    propagated(toy, film(index_err=0.1), progress=lambda done, of, what="": told.append((done, of)))
    assert told == [(0, 2), (1, 2)]


def test_modes_of_one_table_are_found_again_in_the_other_by_kind():
    """The two modes change places by the step: each keeps its own slope, whatever its row."""
    rules = (
        Rule(650.0, by_thickness=0.5, symmetry="E"),
        Rule(649.9, by_thickness=-0.5, symmetry="A1", polarization="TM"),
    )
    (item,) = propagated(Toy(rules)).sensitivities
    assert item.wavelength_nm == pytest.approx([5.0, -5.0])


def test_a_table_moved_by_an_input():
    modes = Modes.from_columns(
        wavelength_nm=[650.0, 640.0],
        q=[100.0, math.inf],
        threshold_gain_per_cm=[50.0, 20.0],
        symmetry=["E", "A1"],
    )
    item = Sensitivity(
        source(), np.array([3.0, math.nan]), np.array([0.2, math.nan]), np.array([math.log(2.0), math.nan])
    )
    found = Tolerances(modes, (item,))
    up, down = (moved_modes(found, item, sign) for sign in (1.0, -1.0))
    assert up["wavelength_nm"].tolist() == [653.0, 640.0]
    assert down["wavelength_nm"].tolist() == [647.0, 640.0]
    assert up["q"] == pytest.approx([100.0 * math.exp(0.2), math.inf])
    assert down["q"] == pytest.approx([100.0 * math.exp(-0.2), math.inf])
    assert up["threshold_gain_per_cm"] == pytest.approx([100.0, 20.0])
    assert down["threshold_gain_per_cm"] == pytest.approx([25.0, 20.0])
    assert list(up["symmetry"]) == ["E", "A1"]
    assert item.path == THICKNESS


def test_inputs_of_the_cavity_have_a_half_width_whoever_named_them():
    design = film(
        thickness_err=5.0,
        lattice={"kind": "square", "period_nm": {"value": 400.0, "source": "published", "plus_minus": 2.0}},
    )
    found = {item.path: item.plus_minus for item in cavity_inputs(design)}
    assert found == {"lattice.period_nm": 2.0, THICKNESS: 5.0}
