"""Dark or bright: by the share of power that leaves through the faces, never by Q; and what the record says of Q."""

from __future__ import annotations

import json
import math

import pytest

from cavitydesign import design_from_dict
from cavitydesign.geometry.stack import Stack
from cavitydesign.solvers.ask import solve
from cavitydesign.solvers.poles import Poles
from cavitydesign.solvers.solution import DARK, Mode, Modes
from tests.optics.cells import circle, layer, stack


def cavity(pairs: int) -> Stack:
    """A half-wave layer between two quarter-wave mirrors of this many pairs, for 640 nm."""
    low, high = 1.45, 2.3
    front = [layer(n, 640.0 / (4.0 * n)) for _ in range(pairs) for n in (high, low)]
    spacer = [layer(1.8, 640.0 / (2.0 * 1.8), gain=True)]
    return stack([*front, *spacer, *front[::-1]], below=1.0)


def cell(*, upside_down: bool = False) -> Stack:
    """A square cell with a hole; its E mode shines at Γ, its A2 mode cannot."""
    above, below = (1.46, 1.0) if upside_down else (1.0, 1.46)
    layers = [layer(1.85, 60.0, gain=True), layer(2.0, 170.0, circle(1.6, 100.0))]
    return stack(layers[::-1] if upside_down else layers, above=above, below=below)


@pytest.fixture(scope="module")
def at_gamma():
    return {up: solve(cell(upside_down=up), Poles(waves=21), window_nm=(570.0, 650.0)).modes
            for up in (False, True)}  # fmt: skip


@pytest.mark.parametrize("pairs", [2, 5, 8, 11])
def test_all_that_leaves_a_cavity_between_mirrors_leaves_outwards(pairs):
    modes = solve(cavity(pairs), Poles(q_min=1.0), window_nm=(620.0, 660.0)).modes
    assert len(modes)
    mode = min(modes, key=lambda m: abs(m.wavelength_nm - 640.0))
    assert mode.wavelength_nm == pytest.approx(640.0, abs=1.0)
    assert mode.outward_share == pytest.approx(1.0, abs=1e-6)
    assert mode.dark is False


def test_better_mirrors_raise_q_and_leave_the_share():
    found = [solve(cavity(pairs), Poles(q_min=1.0), window_nm=(635.0, 645.0)).modes[0] for pairs in (5, 11)]
    assert found[1].q > 100.0 * found[0].q
    assert found[1].outward_share == pytest.approx(found[0].outward_share, abs=1e-6)


def test_a_guided_wave_below_the_light_line_sends_nothing():
    plain = stack([layer(2.0, 230.0, gain=True)])
    modes = solve(plain, Poles(), window_nm=(600.0, 660.0), bloch=(2.0 * math.pi / 360.0, 0.0)).modes
    assert len(modes)
    for mode in modes:
        assert mode.outward_share == 0.0
        assert mode.dark is True
        assert mode.lossless
        assert mode.loss == 0.0


def test_symmetry_keeps_a_mode_dark_at_gamma(at_gamma):
    modes = at_gamma[False]
    bright = [mode for mode in modes if mode.symmetry == "E"]
    dark = [mode for mode in modes if mode.symmetry == "A2"]
    assert bright
    assert dark
    for mode in bright:
        assert DARK < mode.outward_share < 1.0
        assert mode.dark is False
    assert max(mode.outward_share for mode in bright) > 10.0 * DARK
    for mode in dark:
        assert mode.outward_share < 1e-9
        assert mode.dark is True


def test_upside_down_it_is_the_same_mode_with_its_sides_exchanged(at_gamma):
    first, second = at_gamma[False], at_gamma[True]
    assert len(first) == len(second)
    for mode, turned in zip(first, second, strict=True):
        assert turned.symmetry == mode.symmetry
        assert turned.wavelength_nm == pytest.approx(mode.wavelength_nm, rel=1e-7)
        assert turned.outward_share == pytest.approx(mode.outward_share, rel=1e-5, abs=1e-9)
        if mode.symmetry == "E":
            assert turned.q == pytest.approx(mode.q, rel=1e-5)
            assert turned.q_up == pytest.approx(mode.q_down, rel=1e-4)


def test_a_plate_is_bright_whatever_its_q():
    content = {"name": "plate", "family": "stack", "window_nm": [600.0, 700.0],
               "layers": [{"material": {"n": 1.0}}, {"material": {"n": 1.5}, "thickness_nm": 1000.0, "gain": True},
                          {"material": {"n": 1.0}}]}  # fmt: skip
    modes = solve(design_from_dict(content), Poles(q_min=1.0)).modes
    assert len(modes)
    assert all(mode.q < 50.0 for mode in modes)
    assert modes["outward_share"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("q", "recorded", "lossless", "loss"),
    [
        (math.inf, None, True, 0.0),
        (-2500.0, -2500.0, False, -4e-4),
        (2500.0, 2500.0, False, 4e-4),
        (math.nan, None, False, math.nan),
    ],
)
def test_the_record_tells_no_loss_from_unknown_and_amplified(q, recorded, lossless, loss):
    mode = Mode(640.0, q, "E", 2)
    found = json.loads(json.dumps(mode.record(), allow_nan=False))
    assert found["q"] == recorded
    assert found["lossless"] is lossless
    assert mode.loss == pytest.approx(loss, nan_ok=True)
    assert (found["symmetry"], found["degeneracy"], found["wavelength_nm"]) == ("E", 2, 640.0)


@pytest.mark.parametrize(
    ("share", "dark"), [(0.0, True), (0.99 * DARK, True), (DARK, False), (1.0, False), (math.nan, None)]
)
def test_the_record_says_dark_only_where_it_is_known(share, dark):
    mode = Mode(640.0, 1e9, outward_share=share)
    assert mode.record()["dark"] is dark
    assert Modes.of([mode]).dark.tolist() == [dark is True]
