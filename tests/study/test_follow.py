"""Following modes along a sweep: the same modes as fresh searches, the same identity, with proof."""

import math
from dataclasses import replace

import numpy as np
import pytest

from cavitydesign.errors import InputError
from cavitydesign.geometry.stack import Stack
from cavitydesign.solvers.ask import Ask, solve
from cavitydesign.solvers.poles import Poles
from cavitydesign.study import follow as module
from cavitydesign.study.follow import follow
from tests.optics.cells import WINDOW, circle, film_cell, layer, rectangle, stack

QUICK = Poles(tolerance_nm=0.1, q_tolerance=0.05)


@pytest.fixture(scope="module")
def periods():
    values = np.arange(320.0, 461.0, 4.0)
    return values, follow(lambda p: film_cell(period_nm=p), values.tolist(), window_nm=WINDOW, settings=QUICK)


def test_the_period_sweep_is_proven(periods):
    values, followed = periods
    assert followed.proven
    assert followed.checks[0] == 0
    assert followed.checks[-1] == len(values) - 1
    np.testing.assert_array_equal(followed.values, values)


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_fresh_searches_between_check_points(periods, seed):
    """Same modes, same classes, one to one; λ within both error bars, at points nobody searched."""
    values, followed = periods
    free = [i for i in range(len(values)) if i not in followed.checks]
    point = int(np.random.default_rng(seed).choice(free))
    fresh = solve(film_cell(period_nm=float(values[point])), QUICK, window_nm=WINDOW).modes
    chained = followed.modes_at(point)
    # a mode on the window's very edge may be in one and out of the other by its error bar
    fresh_rows, chain_rows = (
        [row for row in modes if WINDOW[0] + 0.2 < row.wavelength_nm < WINDOW[1] - 0.2]
        for modes in (fresh, chained)
    )
    key = lambda row: (row.symmetry, row.wavelength_nm)  # noqa: E731
    assert len(fresh_rows) == len(chain_rows)
    for a, b in zip(sorted(fresh_rows, key=key), sorted(chain_rows, key=key), strict=True):
        assert a.symmetry == b.symmetry
        assert a.degeneracy == b.degeneracy
        assert a.wavelength_nm == pytest.approx(b.wavelength_nm, abs=0.2)
        assert a.q == pytest.approx(b.q, rel=0.1)
        assert a.confinement == pytest.approx(b.confinement, abs=0.01)


def test_chains_are_smooth_and_keep_their_class(periods):
    """dλ/dΛ of the slab modes lies between 1 and 2 everywhere, and changes by little from point to point."""
    _, followed = periods
    for label, row in zip(followed.labels, followed.wavelength_nm, strict=True):
        there = row[np.isfinite(row)]
        if len(there) < 5 or np.nanmedian(followed.q[followed.wavelength_nm == row]) < 50.0:
            continue
        slopes = np.diff(there) / 4.0
        assert (slopes > 0.8).all(), label
        assert (slopes < 2.2).all(), label
        assert np.abs(np.diff(slopes)).max() < 0.1, label


def test_modes_enter_and_leave(periods):
    """No chain spans the window's 190 nm at 1.6 nm/nm for all 140 nm; each is one unbroken stretch."""
    _, followed = periods
    lengths = []
    for row in followed.wavelength_nm:
        there = np.flatnonzero(np.isfinite(row))
        assert np.all(np.diff(there) == 1)
        lengths.append(len(there))
    assert min(lengths) < len(followed.values)


def test_falling_values_give_the_same_chains(periods):
    values, rising = periods
    falling = follow(
        lambda p: film_cell(period_nm=p), values[20:10:-1].tolist(), window_nm=WINDOW, settings=QUICK
    )
    assert falling.proven
    mine = np.sort(falling.wavelength_nm[:, 3][np.isfinite(falling.wavelength_nm[:, 3])])
    other = np.sort(rising.wavelength_nm[:, 17][np.isfinite(rising.wavelength_nm[:, 17])])
    np.testing.assert_allclose(mine, other, atol=0.1)


def test_crossings_of_different_symmetry_keep_identity():
    """The holes' index through that of the slab: the dark A2 and B2 and the bright E of the TE family meet there.

    At equal indices the three are one frequency; on its two sides bright and dark have changed places (their
    distance is of first order in the contrast). Each chain keeps its class, and its own wavelength runs on smoothly.
    """

    def make(n):
        return stack([layer(1.85, 60.0, gain=True), layer(2.0, 170.0, circle(n, 80.0))])

    values = np.linspace(1.93, 2.07, 15)
    found = follow(make, values.tolist(), window_nm=(625.0, 665.0), settings=QUICK)
    assert found.proven
    at = dict(zip(found.labels, found.wavelength_nm, strict=True))
    assert {"A2", "B2", "E"} <= set(at)
    before, after = at["A2"][0] - at["E"][0], at["A2"][-1] - at["E"][-1]
    assert before * after < 0.0
    assert abs(at["A2"][7] - at["B2"][7]) < 1e-5
    for label in ("A2", "B2", "E"):
        assert np.abs(np.diff(at[label], 3)).max() < 0.02


def test_avoided_crossing_within_a_class():
    """Two slabs that come apart: modes of one class repel and become a close pair, and no chain is lost or jumps.

    Coarse steps, in which the wavelengths bend by more than a predictor foresees; compared with fresh searches.
    """

    def make(d):
        return stack(
            [layer(2.0, 200.0, circle(1.6, 100.0)), layer(1.46, d), layer(2.05, 190.0)], period_nm=370.0
        )

    values = np.linspace(60.0, 260.0, 11)
    found = follow(make, values.tolist(), window_nm=(600.0, 720.0), settings=QUICK)
    assert found.proven
    for point in (1, 5, 8):
        fresh = solve(make(float(values[point])), QUICK, window_nm=(600.0, 720.0)).modes
        chained = found.modes_at(point)
        assert len(chained) == len(fresh)
        np.testing.assert_allclose(chained["wavelength_nm"], fresh["wavelength_nm"], atol=0.3)


def test_lower_symmetry_on_the_way():
    """A square hole that becomes a bar: the sweep is followed in the classes that all of its points share."""

    def make(side):
        return stack([layer(2.0, 200.0, rectangle(1.5, (side, 120.0)))])

    found = follow(make, [120.0, 130.0, 140.0, 150.0], window_nm=(590.0, 640.0), settings=QUICK)
    assert found.proven
    assert set(found.labels) <= {"A1", "A2", "B1", "B2"}
    assert len(found.labels) >= 3


def test_losing_a_mode_is_noticed(monkeypatch):
    """A fresh search that misses one mode disagrees with what was followed to it: not proven."""
    honest, calls = Poles.run, []

    def forgets(self, ask):
        found = honest(self, ask)
        calls.append(1)
        return found if len(calls) < 3 else replace(found, modes=found.modes[1:])

    monkeypatch.setattr(Poles, "run", forgets)
    found = follow(
        lambda p: film_cell(period_nm=p), [358.0, 359.0, 360.0], window_nm=(590.0, 640.0), settings=QUICK
    )
    assert not found.proven


def test_tables():
    found = follow(lambda p: film_cell(period_nm=p), [359.0, 360.0], window_nm=(590.0, 640.0), settings=QUICK)
    table = found.modes_at(1)
    direct = solve(film_cell(), QUICK, window_nm=(590.0, 640.0)).modes
    assert list(table["symmetry"]) == list(direct["symmetry"])
    np.testing.assert_allclose(
        table["threshold_gain_per_cm"], direct["threshold_gain_per_cm"], rtol=0.02, atol=1e-6
    )
    assert math.isinf(table["q"][0])


@pytest.mark.parametrize("values", [[360.0], [360.0, 350.0, 355.0], [360.0, 360.0]])
def test_values_must_run_one_way(values):
    with pytest.raises(InputError, match="rising or falling"):
        follow(lambda p: film_cell(period_nm=p), values, window_nm=WINDOW)


def test_uniform_stacks_are_not_followed():
    flat = Stack.model_validate(
        {
            "layers": [
                {"material": {"n": 1.0}},
                {"material": {"n": 2.0}, "thickness_nm": 300.0},
                {"material": {"n": 1.5}},
            ]
        }
    )
    with pytest.raises(InputError, match="patterned"):
        follow(lambda _: flat, [1.0, 2.0], window_nm=WINDOW)


def test_losing_a_chain_inside_the_window_is_noticed(monkeypatch):
    """Where polishing fails between two check points, nothing fresh can tell: the chain itself must."""
    monkeypatch.setattr(module, "polish", lambda *args, **options: None)
    found = follow(
        lambda p: film_cell(period_nm=p), [358.0, 359.0, 360.0], window_nm=(560.0, 700.0), settings=QUICK
    )
    assert not found.proven


@pytest.mark.parametrize(("step_nm", "left"), [(45.0, True), (0.5, False)])
def test_a_mode_whose_next_step_leads_out_has_left(monkeypatch, step_nm, left):
    """Where polishing fails, the mode was inside at its last point; only a step that leads out lets it go."""
    sweep = module._Sweep(
        lambda p: Ask.of(film_cell(period_nm=p), window_nm=WINDOW), np.array([430.0, 430.0 + step_nm]), QUICK
    )
    fresh, _ = sweep.search(0)
    inner = [mode for mode in fresh if mode.q > 50.0 and mode.wavelength_nm < 0.98 * WINDOW[1]]
    mode = max(inner, key=lambda mode: mode.wavelength_nm)
    chains = []
    chains += module._join(chains, [mode], 0, sweep)[0]
    monkeypatch.setattr(module, "polish", lambda *args, **options: None)
    assert sweep.extend(chains[0], 0, 1) is left
