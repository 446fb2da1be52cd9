"""Following at its edges: where polishing fails, where a chain leaves the window, and which points are searched."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from cavitydesign import units
from cavitydesign.errors import InputError, Status
from cavitydesign.solvers.ask import Ask, solve
from cavitydesign.solvers.poles import Poles
from cavitydesign.solvers.solution import MODE_COLUMNS, Mode
from cavitydesign.study import follow as module
from cavitydesign.study.follow import follow
from tests.optics.cells import film_cell, layer, rectangle, stack

QUICK = Poles(waves=13)
WINDOW = (590.0, 640.0)
HONEST = module.polish


class Refusing:
    """``polish`` that gives up where told; keeps what it was asked."""

    def __init__(self, gives_up):
        self.gives_up, self.asked = gives_up, []

    def __call__(self, problem, guess, **options):
        self.asked.append((problem, guess, options))
        return None if self.gives_up(len(self.asked), problem, guess) else HONEST(problem, guess, **options)


def asked_values(monkeypatch, refusing, values, window=WINDOW):
    """The periods at which a stack was made, beside those of the sweep."""
    monkeypatch.setattr(module, "polish", refusing)
    made = []

    def make(period):
        made.append(period)
        return film_cell(period_nm=period)

    found = follow(make, values, window_nm=window, settings=QUICK)
    return found, made


def between(made, low, high):
    return sorted({round(value, 9) for value in made if low + 0.01 < value < high - 0.01})


def test_where_polishing_jumps_the_way_is_gone_in_four_steps_and_then_in_sixteen(monkeypatch):
    quarters = [358.25, 358.5, 358.75]
    found, made = asked_values(monkeypatch, Refusing(lambda n, *_: n == 1), [358.0, 359.0, 360.0])
    assert found.proven
    assert between(made, 358.0, 359.0) == quarters
    found, made = asked_values(monkeypatch, Refusing(lambda n, *_: n <= 2), [358.0, 359.0, 360.0])
    assert found.proven
    sixteenths = [358.0 + k / 16.0 for k in range(1, 16)]
    assert between(made, 358.0, 359.0) == pytest.approx(sixteenths)


def test_a_mode_reached_in_steps_is_the_one_reached_at_once(monkeypatch):
    plain = follow(lambda p: film_cell(period_nm=p), [358.0, 359.0], window_nm=WINDOW, settings=QUICK)
    found, _ = asked_values(monkeypatch, Refusing(lambda n, *_: n <= 2), [358.0, 359.0])
    np.testing.assert_allclose(found.wavelength_nm, plain.wavelength_nm, rtol=1e-9)
    np.testing.assert_allclose(found.confinement, plain.confinement, rtol=1e-4)


def test_the_first_guess_goes_by_the_exact_slope(monkeypatch):
    """At one nanometre the slope of the fields foresees the pole to a thousandth of its way, on either side."""
    for values in ([358.0, 359.0], [359.0, 358.0]):
        refusing = Refusing(lambda *_: False)
        monkeypatch.setattr(module, "polish", refusing)
        found = follow(lambda p: film_cell(period_nm=p), values, window_nm=WINDOW, settings=QUICK)
        assert found.proven
        for _, guess, _ in refusing.asked:
            wavelengths = found.wavelength_nm[np.isfinite(found.wavelength_nm[:, 1]), 1]
            apart = np.abs(wavelengths - units.wavelength_nm_of(guess)).min()
            assert apart < 0.01  # of 1.6 nm


def test_later_guesses_go_by_a_parabola(monkeypatch):
    """Through the last two points it is a line, k2 + (k2 - k1); through three it is 3 k3 - 3 k2 + k1."""
    values = [350.0, 354.0, 358.0, 362.0, 366.0]
    refusing = Refusing(lambda *_: False)
    monkeypatch.setattr(module, "polish", refusing)
    found = follow(lambda p: film_cell(period_nm=p), values, window_nm=(560.0, 680.0), settings=QUICK)
    assert found.checks == (0, 4)
    k0 = 2.0 * math.pi / found.wavelength_nm[np.isfinite(found.wavelength_nm).all(axis=1)]
    assert len(k0) == 6
    for point, weights in ((2, (-1.0, 2.0)), (3, (1.0, -3.0, 3.0)), (4, (0.0, 1.0, -3.0, 3.0))):
        guesses = np.array(
            [g.real for p, g, _ in refusing.asked if p.stack.lattice.period_nm == values[point]]
        )
        assert guesses == pytest.approx(k0[:, :point] @ np.array(weights), rel=1e-9)


def test_a_chain_that_fails_on_its_way_out_has_left(monkeypatch):
    """A guess beyond the window that nothing can be polished to: the mode has gone, nothing was lost."""
    outside = lambda n, problem, guess: units.wavelength_nm_of(guess) > 640.0  # noqa: E731
    monkeypatch.setattr(module, "polish", Refusing(outside))
    # at 360 nm the longest stands at 631 nm, well inside; at 368 nm it would be at 644 nm
    values = [360.0, 368.0, 376.0]
    found = follow(lambda p: film_cell(period_nm=p), values, window_nm=WINDOW, settings=QUICK)
    assert found.proven
    assert np.isfinite(found.wavelength_nm[:, 0]).sum() > np.isfinite(found.wavelength_nm[:, -1]).sum()


def test_a_chain_that_fails_in_the_middle_is_lost(monkeypatch):
    inside = lambda n, problem, guess: 600.0 < units.wavelength_nm_of(guess) < 630.0  # noqa: E731
    monkeypatch.setattr(module, "polish", Refusing(inside))
    values = [350.0, 350.5, 351.0]
    found = follow(lambda p: film_cell(period_nm=p), values, window_nm=WINDOW, settings=QUICK)
    assert not found.proven


def test_a_class_that_only_the_middle_lacks_is_no_class_of_the_sweep():
    """A square hole that becomes a bar and a square again."""

    def make(place):
        side = 121.0 - abs(place)
        return stack([layer(2.0, 200.0, rectangle(1.5, (side, 120.0)))])

    found = follow(make, [-1.0, 0.0, 1.0], window_nm=(590.0, 640.0), settings=QUICK)
    assert set(found.labels) <= {"A1", "A2", "B1", "B2"}
    assert len(found.labels) >= 3


def test_a_search_that_is_not_complete_proves_nothing(monkeypatch):
    honest = Poles.run
    monkeypatch.setattr(Poles, "run", lambda self, ask: replace(honest(self, ask), status=Status.INCOMPLETE))
    found = follow(lambda p: film_cell(period_nm=p), [359.0, 360.0], window_nm=WINDOW, settings=QUICK)
    assert not found.proven


@pytest.mark.parametrize(
    ("wavelength_err_nm", "q_err", "slack"),
    [
        (0.0, 0.0, 2e-5),
        (0.01, 0.0, 0.03 / 600.0),
        (0.0, 50.0, 50.0 / 500.0**2),
        (0.01, 50.0, 0.03 / 600.0 + 50.0 / 500.0**2),
        (0.003, 0.5, 2e-5),
    ],
)
def test_a_followed_pole_is_a_found_one_within_its_error_bars(wavelength_err_nm, q_err, slack):
    """Three errors of λ and one of 1/Q, both as parts of the whole, but no less than what rounding does."""
    sweep = module._Sweep(
        lambda p: Ask.of(film_cell(period_nm=p), window_nm=WINDOW), np.array([358.0, 359.0]), QUICK
    )
    k0 = 2.0 * math.pi / 600.0 * (1.0 - 0.5j / 500.0)
    mode = Mode(600.0, 500.0, wavelength_err_nm=wavelength_err_nm, q_err=q_err, k0_per_nm=k0)
    for away in (1.0, -1.0, 1.0j, -0.6 + 0.8j):
        for part, same in ((0.999, True), (1.001, False)):
            assert sweep.same(SimpleNamespace(k0=k0 + part * slack * abs(k0) * away), mode) is same


@pytest.mark.parametrize(("apart", "proven"), [(None, True), (0.0, False), (1e-6, True)])
def test_two_chains_that_meet_between_the_searches_are_noticed(monkeypatch, apart, proven):
    """Polishing that takes, at 359 nm alone, one mode of class E for the other, or one beside it: all else agrees."""
    values = [358.0, 359.0, 360.0]
    plain = follow(lambda p: film_cell(period_nm=p), values, window_nm=WINDOW, settings=QUICK)
    k0 = 2.0 * math.pi / plain.wavelength_nm * (1.0 - 0.5j / plain.q)
    first, second = (row for row, label in enumerate(plain.labels) if label == "E")
    calls = []

    def takes(problem, guess, **options):
        chain, point = divmod(len(calls), 2)  # chain by chain, from the first point to the last
        calls.append(guess)
        if apart is None or (chain, point) != (second, 0):
            return HONEST(problem, k0[chain, point + 1], **options)
        taken = HONEST(problem, k0[first, point + 1], **options)
        return replace(taken, k0=taken.k0 * (1.0 + apart))

    monkeypatch.setattr(module, "polish", takes)
    found = follow(lambda p: film_cell(period_nm=p), values, window_nm=WINDOW, settings=QUICK)
    assert len(calls) == 2 * len(plain.labels)
    assert found.proven is proven


def test_check_points_lie_where_no_mode_crosses_half_the_window_between_them():
    """The fastest moves by 1.16 windows over 40 nm of period; doubled, that makes three pieces."""
    values = np.arange(350.0, 391.0, 2.0).tolist()
    narrow = follow(lambda p: film_cell(period_nm=p), values, window_nm=WINDOW, settings=QUICK)
    assert narrow.checks == (0, 7, 13, 20)
    falling = follow(lambda p: film_cell(period_nm=p), values[::-1], window_nm=WINDOW, settings=QUICK)
    assert falling.checks == (0, 7, 13, 20)
    wide = follow(lambda p: film_cell(period_nm=p), [358.0, 359.0, 360.0], window_nm=WINDOW, settings=QUICK)
    assert wide.checks == (0, 2)


def test_check_points_heed_the_whole_sweep_however_its_steps_differ():
    for values in ([350.0, 380.0, 390.0], [350.0, 360.0, 390.0], [390.0, 360.0, 350.0]):
        sweep = module._Sweep(
            lambda p: Ask.of(film_cell(period_nm=p), window_nm=WINDOW), np.array(values), QUICK
        )
        assert sweep.check_points() == [0, 1, 2]


def test_a_point_of_the_sweep_has_the_columns_of_a_fresh_search():
    """λ, Q, shares, threshold gain, labels: to the polish's accuracy the same numbers as the solver's own."""
    found = follow(lambda p: film_cell(period_nm=p), [359.0, 359.5, 360.0], window_nm=WINDOW, settings=QUICK)
    table = found.modes_at(1)
    fresh = solve(film_cell(period_nm=359.5), QUICK, window_nm=WINDOW).modes
    assert len(table) == len(fresh) > 2
    for name in ("symmetry", "degeneracy", "polarization"):
        assert list(table[name]) == list(fresh[name])
    for name in ("wavelength_nm", "confinement", "threshold_gain_per_cm", "q"):
        np.testing.assert_allclose(table[name], fresh[name], rtol=2e-3, atol=1e-6, err_msg=name)
    np.testing.assert_allclose(table["outward_share"], fresh["outward_share"], rtol=1e-2, atol=1e-6)
    assert list(table.dark) == list(fresh.dark)
    assert (table["wavelength_err_nm"] >= fresh["wavelength_err_nm"] * 0.3).all()
    blank = {name for name in MODE_COLUMNS if table[name].dtype.kind == "f" and np.isnan(table[name]).all()}
    assert {"wavelength_nm", "q", "confinement", "threshold_gain_per_cm", "outward_share"}.isdisjoint(blank)


def test_an_error_bar_is_the_largest_of_the_searches_that_met_the_mode():
    values = [358.0, 359.0, 360.0]
    settings = Poles(tolerance_nm=0.1, q_tolerance=0.05)
    found = follow(lambda p: film_cell(period_nm=p), values, window_nm=WINDOW, settings=settings)
    ends = [solve(film_cell(period_nm=p), settings, window_nm=WINDOW).modes for p in (values[0], values[-1])]
    labels = [label for label in found.labels if found.labels.count(label) == 1]
    assert {"A1", "A2", "B1", "B2"} <= set(labels)
    for label in labels:
        errors = [end["wavelength_err_nm"][list(end["symmetry"]).index(label)] for end in ends]
        assert found.wavelength_err_nm[found.labels.index(label)] == max(errors)


def test_what_loses_nothing_needs_no_gain():
    found = follow(lambda p: film_cell(period_nm=p), [359.0, 360.0], window_nm=WINDOW, settings=QUICK)
    endless = np.isinf(found.q)
    assert endless.any()
    assert (found.threshold_gain_per_cm[endless] == 0.0).all()
    assert (found.threshold_gain_per_cm[~endless & np.isfinite(found.q)] > 0.0).all()
    assert (found.outward_share[endless] < 1e-6).all()


@pytest.mark.parametrize("values", [[360.0], [360.0, 350.0, 355.0], [360.0, 360.0], [350.0, 360.0, 355.0]])
def test_values_in_no_order_are_refused_by_name(values):
    with pytest.raises(InputError) as caught:
        follow(lambda p: film_cell(period_nm=p), values, window_nm=WINDOW)
    assert str(caught.value) == (
        f"values: a sweep needs two or more values in rising or falling order, got {len(values)}"
    )
    assert math.isfinite(caught.value.value)
