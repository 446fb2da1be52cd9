"""Tolerances: derivatives against closed forms, whole-number inputs, and what cannot be moved."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from cavitydesign import Poles, design_from_dict, load_design, solve
from cavitydesign.solvers.match import partners
from cavitydesign.solvers.solution import Modes
from cavitydesign.study.predict import predict
from cavitydesign.study.tolerance import propagate

LAYOUTS = Path(__file__).parents[2] / "layouts"


def assumed(value, plus_minus):
    return {"value": value, "source": "assumed", "plus_minus": plus_minus}


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


def test_modes_are_matched_within_their_kind():
    one = Modes.from_columns(
        wavelength_nm=[650.0, 640.0, 630.0], symmetry=["E", "A1", "E"], polarization=["TE"] * 3
    )
    two = Modes.from_columns(
        wavelength_nm=[649.0, 641.0, 631.0], symmetry=["A1", "E", "E"], polarization=["TE"] * 3
    )
    assert partners(one, two).tolist() == [1, 0, 2]
    assert partners(one, Modes.empty()).tolist() == [-1, -1, -1]


def test_a_line_carries_the_errors_of_cavity_and_emitter():
    found = predict(plate(n=3.5, thickness=900.0), Poles(q_min=1.0))
    assert found.defaults == ("emitter", "pump")
    for line in found.lines:
        errors = line.input_errors
        off = line.wavelength_nm * math.hypot(0.02 / 3.5, 5.0 / 900.0)
        assert errors.wavelength_nm == pytest.approx(off, rel=1e-4)
        if not line.lases:
            assert math.isnan(errors.threshold)
        else:
            both = math.hypot(errors.threshold_of_cavity, np.nan_to_num(line.threshold.value_err))
            assert errors.threshold == pytest.approx(both)
