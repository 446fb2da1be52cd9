"""Occupations at their edges: pump levels far apart in one call, any shapes, moments of the pulse."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cavitydesign.gain import rates as kin
from cavitydesign.gain.pump import PULSE_SHAPE_FACTOR, Pumping, created_pairs, pump_level
from cavitydesign.geometry import Emitter, Pump
from cavitydesign.geometry.emitter import QUASI_CW_NS

SHELL = Emitter(exciton_lifetime_ns=100.0, biexciton_auger_ns=30.0)
DECAY = kin.decay_rates_per_ns(SHELL)


def test_steady_states_of_pumps_far_apart_do_not_share_their_scale():
    """At 1e30 pairs per ns the shell is full, at 1e-9 it is empty: both in one call, both sum to one."""
    states = kin.steady_state(DECAY, np.array([[1e-9, 1e30]]))
    assert states.shape == (1, 2, 41)
    np.testing.assert_allclose(states.sum(axis=-1), 1.0, rtol=1e-12)
    assert states[0, 0, 0] == pytest.approx(1.0, abs=1e-6)
    assert states[0, 0, 1] == pytest.approx(1e-9 * 100.0, rel=1e-6)
    assert states[0, 1, -1] == pytest.approx(1.0, abs=1e-6)


def test_poisson_takes_any_shape_and_never_falls_below_nothing():
    found = kin.poisson([[0.0, 1e-9, 2.0], [3.0, 60.0, 700.0]])
    assert found.shape == (2, 3, 9)
    assert (found >= 0.0).all()
    np.testing.assert_allclose(found.sum(axis=-1), 1.0, atol=1e-12)
    assert found[1, 0, 7] == pytest.approx(math.exp(-3.0) * 3.0**7 / 5040.0)
    assert found[1, 0, 8] == pytest.approx(
        1.0 - sum(math.exp(-3.0) * 3.0**n / math.factorial(n) for n in range(8))
    )


def test_evolution_takes_any_shape_of_times():
    times = np.array([[0.0, 10.0], [20.0, 40.0]])
    found = kin.evolve(np.eye(41)[1], kin.generator(DECAY), times)
    assert found.shape == (2, 2, 41)
    np.testing.assert_allclose(found[..., 1], np.exp(-times / 100.0), rtol=1e-10)
    assert kin.evolve(np.eye(41)[1], kin.generator(DECAY), 5.0).shape == (41,)


def test_a_square_pulse_fills_and_empties_at_the_same_time():
    """Between the limits: ⟨N⟩ obeys d⟨N⟩/dT = R - Σ k_N P_N at the end of the pulse."""
    rate, pulse, step = 0.05, 40.0, 1e-3
    (_, at), (_, later) = (kin.square_pulse(SHELL, rate * t, t) for t in (pulse, pulse + step))
    empty = np.eye(41)[0]
    ladder = kin.evolve(empty, kin.generator(DECAY, rate), pulse)
    assert ladder @ np.arange(41) == pytest.approx(float(at), rel=1e-12)
    assert (later - at) / step == pytest.approx(rate - DECAY @ ladder, rel=1e-3)


@pytest.mark.parametrize("lifetimes", [49.0, 51.0])
def test_the_shortcut_of_very_long_pulses_changes_nothing(lifetimes):
    created = 0.02 * lifetimes * 100.0
    classes, mean = kin.square_pulse(SHELL, created, lifetimes * 100.0)
    np.testing.assert_allclose(classes, kin.lump(kin.steady_state(DECAY, 0.02)), atol=1e-10)
    assert mean == pytest.approx(kin.steady_state(DECAY, 0.02) @ np.arange(41), rel=1e-9)


# -- pump --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", list(PULSE_SHAPE_FACTOR))
def test_short_two_photon_pulses_count_by_their_shape_and_long_ones_are_square(shape):
    short = Pump(photons=2, wavelength_nm=800.0, pulse_ns=1e-4, pulse_shape=shape)
    long = short.replace(pulse_ns=QUASI_CW_NS)
    square_short = short.replace(pulse_shape="square")
    square_long = long.replace(pulse_shape="square")
    ratio = created_pairs(SHELL, short, 1.0) / created_pairs(SHELL, square_short, 1.0)
    assert ratio == pytest.approx(PULSE_SHAPE_FACTOR[shape], rel=1e-12)
    assert created_pairs(SHELL, long, 1.0) == created_pairs(SHELL, square_long, 1.0)


def test_levels_are_taken_as_arrays():
    for pump in (Pump(), Pump(photons=2, wavelength_nm=800.0), Pump(pulse_ns=7.0)):
        created = np.array([[0.0, 0.5], [1.0, 4.0]])
        level = pump_level(SHELL, pump, created)
        np.testing.assert_allclose(created_pairs(SHELL, pump, level), created, rtol=1e-12)
        assert level[0, 0] == 0.0


def test_occupations_of_short_pulses_are_shared_whatever_the_kinetics():
    cache = {}
    one = Pumping.of(SHELL, Pump(), cache=cache)
    other = Pumping.of(Emitter(), Pump(pulse_ns=2e-4), cache=cache)
    assert one.occupation is other.occupation
    changed = [
        Pumping.of(SHELL.replace(**part), Pump(pulse_ns=pulse), cache=cache).occupation
        for part, pulse in (
            ({}, 7.0),
            ({"exciton_lifetime_ns": 90.0}, 7.0),
            ({"biexciton_auger_ns": 20.0}, 7.0),
            ({}, 8.0),
        )
    ]
    assert len({id(item) for item in changed}) == 4
    assert len(cache) == 5
    assert Pumping.of(SHELL, Pump()).occupation is not one.occupation, "without a cache nothing is kept"


def test_a_filling_names_its_fluence_also_where_it_is_quoted_as_an_intensity():
    pump = Pump(wavelength_nm=532.0, pulse_ns=7.0, absorption_cross_section_cm2=1e-14, transmission=0.5)
    filling = Pumping.of(SHELL, pump).at(np.array([0.0, 2.0, np.nan]))
    photon_uj = 1239.841984332 / 532.0 * 1.602176634e-13
    assert filling.fluence_uj_per_cm2[1] == pytest.approx(2.0 / 1e-14 * photon_uj / 0.5, rel=1e-9)
    assert filling.fluence_uj_per_cm2[0] == 0.0
    assert np.isnan(filling.pairs_per_shell[2])
    assert filling.pairs_per_shell[1] < 2.0
    assert filling.classes.shape == (3, 9)
