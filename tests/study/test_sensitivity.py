"""Slopes of modes by the numbers of a design: closed forms of a plate, differences of solved poles elsewhere."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cavitydesign import design_from_dict
from cavitydesign.errors import InputError
from cavitydesign.solvers.ask import solve
from cavitydesign.solvers.bragg import Bragg
from cavitydesign.solvers.poles import Poles
from cavitydesign.study.sensitivity import optical_numbers, sensitivities
from tests.study.toy import FILM_INDEX, THICKNESS, film

INDEX, PLATE_NM = 3.0, 1000.0
RADIUS = "layers.1.inclusions.0.radius_nm"
PERIOD = "lattice.period_nm"


def plate(**parts):
    """A plate in air, whose modes are mλ = 2nd with 1/Q = -2 ln((n-1)/(n+1)) / (πm)."""
    return design_from_dict(
        {
            "name": "plate",
            "family": "stack",
            "window_nm": [590.0, 760.0],
            "layers": [
                {"material": {"n": 1.0}},
                {"material": {"n": INDEX}, "thickness_nm": PLATE_NM, "gain": True},
                {"material": {"n": 1.0}},
            ],
            **parts,
        }
    )


def crystal(radius_nm=90.0):
    """A slab with a circle of its own index in each cell, on glass."""
    hole = {"shape": "circle", "radius_nm": radius_nm, "material": {"n": 1.6}}
    layers = [
        {"material": {"n": 1.0}},
        {"material": {"n": 2.0}, "thickness_nm": 200.0, "gain": True, "inclusions": [hole]},
        {"material": {"n": 1.46}},
    ]
    return plate(name="crystal", lattice={"kind": "square", "period_nm": 360.0}, layers=layers)


@pytest.fixture(scope="module")
def plate_slopes():
    return sensitivities(plate(), Poles(q_min=1.0), paths=[FILM_INDEX, THICKNESS])


@pytest.fixture(scope="module")
def orders(plate_slopes):
    found = 2.0 * INDEX * PLATE_NM / plate_slopes.modes["wavelength_nm"]
    assert len(found) == 3
    assert found == pytest.approx([8.0, 9.0, 10.0])
    return np.round(found)


def test_a_plate_moves_in_proportion_to_index_and_thickness(plate_slopes, orders):
    by_index, by_thickness = plate_slopes.wavelength_slope.T
    assert by_index == pytest.approx(2.0 * PLATE_NM / orders, rel=1e-5)
    assert by_thickness == pytest.approx(2.0 * INDEX / orders, rel=1e-5)


def test_the_loss_of_a_plate_follows_its_faces_alone(plate_slopes, orders):
    by_index, by_thickness = plate_slopes.loss_slope.T
    assert by_index == pytest.approx(-4.0 / (math.pi * orders * (INDEX**2 - 1.0)), rel=1e-5)
    assert by_thickness == pytest.approx(0.0, abs=1e-9)  # of 5e-5, the loss by its length


def test_log_q_slope_is_that_of_the_logarithm(plate_slopes):
    mirror = math.log((INDEX + 1.0) / (INDEX - 1.0))
    assert plate_slopes.log_q_slope[:, 0] == pytest.approx(2.0 / ((INDEX**2 - 1.0) * mirror), rel=1e-5)


def test_a_mode_without_loss_keeps_its_q_and_has_no_logarithm():
    window = (640.0, 720.0)
    guided = sensitivities(film(), Poles(), paths=[THICKNESS], window_nm=window, bloch=(0.016, 0.0))
    endless = np.isinf(guided.modes["q"])
    assert endless.any()
    assert np.all(guided.loss_slope[endless] == 0.0)
    assert np.isnan(guided.log_q_slope[endless]).all()
    assert np.all(guided.wavelength_slope[endless] > 0.0), "a thicker guide holds longer waves"


@pytest.mark.parametrize("path", [RADIUS, PERIOD, THICKNESS, FILM_INDEX])
def test_a_patterned_stack_moves_as_two_solves_beside_it_say(path):
    settings, design = Poles(waves=13), crystal()
    found = sensitivities(design, settings, paths=[path], window_nm=(590.0, 640.0))
    bright = next(row for row, mode in enumerate(found.modes) if mode.symmetry == "E")
    here = found.modes[bright]
    step = 1e-3 * design.value_at(path)
    beside = []
    for value in (design.value_at(path) - step, design.value_at(path) + step):
        modes = solve(design.with_value(path, value), settings, window_nm=(585.0, 645.0)).modes
        same = [mode for mode in modes if mode.symmetry == "E"]
        beside.append(min(same, key=lambda mode: abs(mode.wavelength_nm - here.wavelength_nm)))
    below, above = beside
    slope = (above.wavelength_nm - below.wavelength_nm) / (2.0 * step)
    assert found.wavelength_slope[bright, 0] == pytest.approx(slope, rel=2e-3)
    loss = (above.loss - below.loss) / (2.0 * step)
    assert found.loss_slope[bright, 0] == pytest.approx(loss, rel=5e-3)


def test_optical_numbers_are_those_that_a_resonance_feels():
    design = crystal()
    found = optical_numbers(design)
    assert {PERIOD, RADIUS, THICKNESS, FILM_INDEX} <= set(found)
    assert found[PERIOD] == 360.0
    assert found[RADIUS] == 90.0
    assert all(design.value_at(path) == value for path, value in found.items())
    others = ("window_nm", "emitter", "pump", "device", "sources")
    assert not [path for path in found if path.startswith(others)]


def test_rows_of_an_index_table_are_data():
    table = {
        "table": "film.csv",
        "wavelengths_nm": [500.0, 600.0, 700.0, 800.0],
        "n": [2.1, 2.0, 1.9, 1.8],
        "k": [0.0] * 4,
    }
    layers = [{"material": {"n": 1.0}}, {"material": table, "thickness_nm": 200.0}, {"material": {"n": 1.5}}]
    found = optical_numbers(plate(layers=layers))
    assert THICKNESS in found
    assert found["layers.2.material.n"] == 1.5
    assert not [path for path in found if path.startswith("layers.1.material")]


def test_a_number_at_the_edge_of_what_is_allowed_has_no_slope():
    mixed = {"film": {"fraction": 1.0, "inorganic": {"n": INDEX}, "ligand": {"n": 1.5}}}
    layers = [
        {"material": {"n": 1.0}},
        {"material": mixed, "thickness_nm": PLATE_NM},
        {"material": {"n": 1.0}},
    ]
    fraction = "layers.1.material.film.fraction"
    found = sensitivities(plate(layers=layers), Poles(q_min=1.0), paths=[fraction, THICKNESS])
    assert len(found.modes) == 3
    assert np.isnan(found.wavelength_slope[:, 0]).all()
    assert np.isnan(found.loss_slope[:, 0]).all()
    assert np.isfinite(found.wavelength_slope[:, 1]).all()


def test_an_unknown_path_and_a_solver_without_fields_are_complaints():
    with pytest.raises(InputError):
        sensitivities(plate(), Poles(q_min=1.0), paths=["layers.1.depth_nm"])
    with pytest.raises(InputError):
        sensitivities(crystal(), Bragg(), paths=[PERIOD])
