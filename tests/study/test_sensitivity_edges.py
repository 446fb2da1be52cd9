"""Slopes at their edges: which numbers count as optical, numbers at zero, and what is asked of the solver."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cavitydesign import design_from_dict
from cavitydesign.errors import Status
from cavitydesign.solvers.ask import solve
from cavitydesign.solvers.poles import Poles
from cavitydesign.solvers.solution import Modes, Solution
from cavitydesign.study import sensitivity as module
from cavitydesign.study.sensitivity import Sensitivities, optical_numbers, sensitivities
from tests.study.toy import FILM_INDEX, THICKNESS, film

AIR = {"material": {"n": 1.0}}


def plate(**parts):
    """A plate in air: m λ = 2 n d."""
    content = {
        "name": "plate",
        "family": "stack",
        "window_nm": [590.0, 760.0],
        "layers": [AIR, {"material": {"n": 3.0}, "thickness_nm": 1000.0, "gain": True}, AIR],
        **parts,
    }
    return design_from_dict(content)


def test_the_derivative_of_ln_q_and_where_it_has_none():
    modes = Modes.from_columns(wavelength_nm=[650.0, 640.0, 630.0], q=[200.0, math.inf, -50.0])
    found = Sensitivities(
        Solution(modes, Status.OK),
        ("a", "b"),
        np.zeros((3, 2)),
        np.array([[1e-3, -2e-3], [0.0, 0.0], [1e-3, 0.0]]),
    )
    np.testing.assert_allclose(found.log_q_slope, [[-0.2, 0.4], [math.nan] * 2, [0.05, 0.0]], atol=1e-15)


def test_every_number_of_a_stack_by_its_path():
    assert optical_numbers(plate()) == {
        "layers.0.material.n": 1.0, "layers.0.material.k": 0.0,
        "layers.1.material.n": 3.0, "layers.1.material.k": 0.0, "layers.1.thickness_nm": 1000.0,
        "layers.2.material.n": 1.0, "layers.2.material.k": 0.0,
    }  # fmt: skip


def test_emitter_pump_and_sources_are_not_optical():
    found = optical_numbers(film(pump={"transmission": 0.5}, emitter={"exciton_ev": 1.9}))
    assert set(found) == {"lattice.period_nm", *optical_numbers(plate())}


def test_a_number_at_zero_moves_by_a_millionth():
    """d(1/Q)/dk = 2/n where the lossy film holds the whole mode; the faces take a tenth of a per cent of it."""
    found = sensitivities(plate(), Poles(q_min=1.0), paths=["layers.1.material.k"])
    np.testing.assert_allclose(found.loss_slope[:, 0], 2.0 / 3.0, rtol=3e-3)


def test_steps_are_a_ten_thousandth_to_either_side(monkeypatch):
    asked = []
    honest = module.resolve_stack

    def watching(stack, *, window_nm):
        asked.append((stack.layers[1].thickness_nm, window_nm))
        return honest(stack, window_nm=window_nm)

    monkeypatch.setattr(module, "resolve_stack", watching)
    sensitivities(plate(), Poles(q_min=1.0), paths=[THICKNESS], window_nm=(600.0, 700.0))
    assert [thickness for thickness, _ in asked] == [pytest.approx(999.9), pytest.approx(1000.1)]
    assert {window for _, window in asked} == {(600.0, 700.0)}


def test_all_optical_numbers_unless_told_otherwise():
    design = plate(window_nm=[640.0, 680.0])
    found = sensitivities(design, Poles(q_min=1.0))
    assert found.paths == tuple(optical_numbers(design))
    assert found.wavelength_slope.shape == found.loss_slope.shape == (len(found.modes), len(found.paths))
    column = found.paths.index(FILM_INDEX)
    order = 6000.0 / found.modes["wavelength_nm"]
    np.testing.assert_allclose(found.wavelength_slope[:, column], 2000.0 / order, rtol=1e-5)
    none = sensitivities(design, Poles(q_min=1.0), paths=[])
    assert none.paths == ()
    assert none.wavelength_slope.shape == (len(found.modes), 0)


def test_poles_where_no_settings_are_given():
    design = film(layers=[AIR, {"material": {"n": 2.0}, "thickness_nm": 200.0, "gain": True}, AIR])
    found = sensitivities(design, paths=[THICKNESS], window_nm=(640.0, 720.0), bloch=(0.016, 0.0))
    assert len(found.modes) > 0
    assert np.isfinite(found.wavelength_slope).all()


def test_shapes_and_leaning_walls_have_derivatives_and_upright_walls_none():
    """By the lean, half axes, turn and place of a hole: against the difference of two solutions."""
    holes = [
        {"shape": "ellipse", "semi_axes_nm": [100.0, 70.0], "rotation_deg": 15.0},
        {
            "shape": "rectangle",
            "size_nm": [70.0, 60.0],
            "corner_radius_nm": 20.0,
            "center_nm": [150.0, 140.0],
        },
    ]
    grating = {"material": {"n": 2.0}, "thickness_nm": 160.0, "sidewall_steps": 2, "holes": holes}
    content = {"name": "x", "family": "pcsel", "lattice": {"period_nm": 360.0}, "grating": grating}
    upright = design_from_dict({**content, "infill": {"material": {"n": 1.5}}, "substrate": {"n": 1.46}})
    design = upright.with_value("grating.sidewall_deg", 8.0)
    settings, window = Poles(waves=25), (580.0, 620.0)
    paths = ["grating.sidewall_deg", *(f"grating.holes.{end}" for end in (
        "0.semi_axes_nm.1", "0.rotation_deg", "1.corner_radius_nm", "1.center_nm.0", "1.size_nm.1"
    ))]  # fmt: skip
    found = sensitivities(design, settings, paths=paths, window_nm=window)
    assert len(found.modes) > 1
    for column, path in enumerate(paths):
        value = design.value_at(path)
        above, below = (
            solve(design.with_value(path, value + step), settings, window_nm=window).modes["wavelength_nm"]
            for step in (0.02, -0.02)
        )
        np.testing.assert_allclose(found.wavelength_slope[:, column], (above - below) / 0.04, atol=1e-4)
    listed = sensitivities(upright, settings, window_nm=window).paths
    assert "grating.sidewall_deg" not in listed
    assert "grating.holes.1.corner_radius_nm" in listed
    assert "grating.corner_radius_nm" not in listed
    asked = sensitivities(upright, settings, paths=["grating.sidewall_deg"], window_nm=window)
    assert np.isnan(asked.wavelength_slope).all()
