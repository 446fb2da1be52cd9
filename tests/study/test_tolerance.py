"""Tolerances: derivatives against closed forms, whole-number inputs, and what cannot be moved."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cavitydesign import Poles, design_from_dict, load_design, solve
from cavitydesign.solvers.solution import Modes
from cavitydesign.study.predict import predict
from cavitydesign.study.tolerance import WAVES, Sensitivity, Tolerances, cavity_inputs, few_waves, propagate
from tests.study.toy import THICKNESS_NM, Rule, Toy, assumed, film

LAYOUTS = Path(__file__).parents[2] / "layouts"


def plate(n=2.0, thickness=1000.0, n_err=0.02, d_err=5.0):
    """A plate in air: m λ = 2 n d exactly, by the symmetry of its two faces."""
    return design_from_dict(
        {
            "name": "plate",
            "family": "stack",
            "window_nm": [600.0, 700.0],
            "layers": [
                {"material": {"n": 1.0}},
                {
                    "material": {"n": assumed(n, n_err)},
                    "thickness_nm": assumed(thickness, d_err),
                    "gain": True,
                },
                {"material": {"n": 1.0}},
            ],
        }
    )


def test_a_plate_moves_as_its_closed_form_says():
    design = plate()
    solution = solve(design, Poles(q_min=1.0))
    found = propagate(design, Poles(q_min=1.0), solution)
    by_path = {item.path: item for item in found.sensitivities}
    wavelength = solution.modes["wavelength_nm"]
    # λ = 2 n d / m, so dλ = λ dn/n and dλ = λ dd/d; central differences of 1/10 σ are exact to (σ/10 n)² ~ 1e-6
    np.testing.assert_allclose(
        by_path["layers.1.material.n"].wavelength_nm, wavelength * 0.02 / 2.0, rtol=1e-5
    )
    np.testing.assert_allclose(
        by_path["layers.1.thickness_nm"].wavelength_nm, wavelength * 5.0 / 1000.0, rtol=1e-5
    )
    # Q = -m π / ln R² of the faces: the thickness changes λ alone
    np.testing.assert_allclose(by_path["layers.1.thickness_nm"].log_q, 0.0, atol=1e-6)
    total = wavelength * math.hypot(0.02 / 2.0, 5.0 / 1000.0)
    np.testing.assert_allclose(found.wavelength_nm, total, rtol=1e-5)


def test_whole_numbers_move_by_whole_steps():
    design = load_design(LAYOUTS / "two_mirror.toml")
    content = design.model_dump(exclude_unset=True)
    content["sources"] = ()
    content["front_mirror"]["pairs"] = assumed(7, 1.0)
    content.pop("sources")
    marked = design_from_dict(content)
    solution = solve(marked, Poles())
    found = propagate(marked, Poles(), solution)
    (pairs,) = found.sensitivities
    assert pairs.path == "front_mirror.pairs"
    assert (pairs.log_q > 0.0).all(), "one more pair, less loss"
    # the front mirror gives most of the loss; a pair divides it by (n_H/n_L)² = 2.6 at most
    assert (pairs.log_q < math.log(2.7)).all()


def test_what_cannot_be_moved_is_named():
    design = plate(thickness=1000.0, d_err=1e5)  # a step of a tenth leads to a negative thickness
    found = propagate(design, Poles(q_min=1.0), solve(design, Poles(q_min=1.0)))
    assert [path for path, _ in found.skipped] == ["layers.1.thickness_nm"]


def test_a_line_carries_the_errors_of_the_cavity():
    found = predict(plate(n=3.5, thickness=900.0), Poles(q_min=1.0))
    assert len(found.lines)
    for line in found.lines:
        expected = line.wavelength_nm * math.hypot(0.02 / 3.5, 5.0 / 900.0)
        assert line.input_errors.wavelength_nm == pytest.approx(expected, rel=1e-4)


class Cliff(Toy):
    """A toy whose second mode lives only up to the toy's own thickness."""

    name = "cliff"
    version = 1

    def run(self, ask):
        found = super().run(ask)
        thick = ask.stack.layers[1].thickness_nm > THICKNESS_NM
        return replace(found, modes=found.modes[:1]) if thick else found


def test_differences_are_one_sided_where_one_side_has_lost_the_mode():
    rules = (Rule(650.0, by_thickness=0.5), Rule(640.0, by_thickness=-0.3, gain_power=2.0, symmetry="A1"))
    design = film()
    (item,) = propagate(design, Cliff(rules), solve(design, Cliff(rules))).sensitivities
    assert item.wavelength_nm == pytest.approx([5.0, -3.0])
    # two sides: 2 ln(1.005/0.995) / 0.2; below alone: -2 ln 0.995 / 0.1
    assert item.log_gain == pytest.approx([0.0, -20.0 * math.log(0.995)])
    (item,) = propagate(design, Toy(rules), solve(design, Toy(rules))).sensitivities
    assert item.log_gain == pytest.approx([0.0, 10.0 * math.log(1.005 / 0.995)])


def test_totals_add_in_squares_and_stay_unknown_where_nothing_is_known():
    modes = Modes.from_columns(wavelength_nm=[650.0, 640.0, 630.0])
    nan = math.nan
    rows = [
        ([3.0, nan, nan], [0.1, 0.2, nan], [1.0, nan, 2.0]),
        ([-4.0, 2.0, nan], [nan, -0.2, nan], [2.0, nan, 3.0]),
    ]
    source = cavity_inputs(film())[0]
    found = Tolerances(modes, tuple(Sensitivity(source, *map(np.array, row)) for row in rows))
    assert found.wavelength_nm == pytest.approx([5.0, 2.0, nan], nan_ok=True)
    assert found.log_q == pytest.approx([0.1, 0.2 * math.sqrt(2.0), nan], nan_ok=True)
    assert found.log_gain == pytest.approx([math.sqrt(5.0), nan, math.sqrt(13.0)], nan_ok=True)
    assert np.isnan(Tolerances(modes, ()).wavelength_nm).tolist() == [True] * 3


def test_inputs_of_emitter_and_pump_are_not_the_cavitys():
    design = film(
        index_err=0.1,
        emitter={"volume_fraction": assumed(0.4, 0.1)},
        pump={"transmission": assumed(0.9, 0.1)},
    )
    assert [item.path for item in cavity_inputs(design)] == ["layers.1.material.n", "layers.1.thickness_nm"]
    assert cavity_inputs(film(thickness_err=None)) == ()


def test_few_waves_for_derivatives_only_where_the_number_is_left_open():
    assert few_waves(Poles()) == replace(Poles(), waves=WAVES)
    assert few_waves(Poles(waves=81)).waves == 81
    toy = Toy()
    assert few_waves(toy) is toy


def test_inputs_add_in_squares_and_progress_is_told():
    design, told = film(index_err=0.1), []
    toy = Toy((Rule(650.0, by_thickness=0.5, by_index=30.0),))
    found = propagate(
        design, toy, solve(design, toy), progress=lambda done, total, what="": told.append((done, total))
    )
    assert [item.wavelength_nm.tolist() for item in found.sensitivities] == [
        [pytest.approx(3.0)], [pytest.approx(5.0)],
    ]  # fmt: skip
    assert told == [(0, 2), (1, 2)]
    assert found.wavelength_nm == pytest.approx([math.hypot(5.0, 3.0)])
