"""The master equation of the occupation: against the cases that have a closed form, and what it must conserve."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cavitydesign.gain import rates as kin
from cavitydesign.gain.rates import lump
from cavitydesign.geometry import Emitter
from cavitydesign.geometry.emitter import QUASI_CW_NS

STATES = np.arange(kin.MOST_PAIRS + 1)
SHELL = Emitter(exciton_lifetime_ns=100.0, biexciton_auger_ns=30.0)


def poisson(mean):
    return np.array([math.exp(n * math.log(mean) - mean - math.lgamma(n + 1)) for n in STATES])


def test_one_pair_decays_exponentially():
    start = np.eye(STATES.size)[1]
    times = np.array([0.0, 10.0, 300.0])
    found = kin.evolve(start, kin.generator(kin.decay_rates_per_ns(SHELL)), times)
    np.testing.assert_allclose(found[:, 1], np.exp(-times / 100.0), rtol=1e-12)
    np.testing.assert_allclose(found[:, 0], 1.0 - np.exp(-times / 100.0), atol=1e-14)


def test_two_pairs_decay_in_two_steps():
    """P1(t) = k2/(k1 - k2) (e^{-k2 t} - e^{-k1 t}), k1 = 1/100, k2 = 4/100 + 1/30 per ns."""
    k1, k2 = 0.01, 0.04 + 1.0 / 30.0
    times = np.array([1.0, 20.0, 80.0])
    found = kin.evolve(np.eye(STATES.size)[2], kin.generator(kin.decay_rates_per_ns(SHELL)), times)
    np.testing.assert_allclose(found[:, 2], np.exp(-k2 * times), rtol=1e-12)
    np.testing.assert_allclose(
        found[:, 1], k2 / (k1 - k2) * (np.exp(-k2 * times) - np.exp(-k1 * times)), rtol=1e-11
    )


def test_rates_are_those_published_for_two_pairs():
    """Radiative 4 : 1; Auger 1/τ_A; three pairs 18/4 times as fast in Auger decay."""
    bright = kin.decay_rates_per_ns(SHELL.replace(exciton_lifetime_ns=1e-3, biexciton_auger_ns=1e7))
    assert bright[2] / bright[1] == pytest.approx(4.0, rel=1e-9)
    auger = kin.decay_rates_per_ns(SHELL.replace(exciton_lifetime_ns=1e7, biexciton_auger_ns=1e-3))
    assert auger[2] == pytest.approx(1e3, rel=1e-9)
    assert auger[3] / auger[2] == pytest.approx(4.5, rel=1e-9)
    assert auger[1] == pytest.approx(1e-7, rel=1e-12)  # none of it Auger


@given(st.floats(0.05, 8.0), st.floats(0.05, 3.0))
def test_decay_in_proportion_to_n_keeps_poisson_poisson(mean, time):
    """k_N = N/τ: each pair decays by itself, ⟨N⟩ e^{-t/τ}. The ladder ends where the tail is below 1e-14."""
    matrix = kin.generator(STATES / 1.0)
    found = kin.evolve(poisson(mean), matrix, time)
    np.testing.assert_allclose(found, poisson(mean * math.exp(-time)), atol=1e-12)


@given(st.floats(0.05, 8.0), st.floats(0.05, 3.0))
def test_pumping_such_a_shell_from_empty_is_poisson_too(rate, time):
    """⟨N⟩ = R τ (1 - e^{-t/τ})."""
    found = kin.evolve(np.eye(STATES.size)[0], kin.generator(STATES / 1.0, rate), time)
    np.testing.assert_allclose(found, poisson(rate * (1.0 - math.exp(-time))), atol=1e-12)


@given(st.floats(0.0, 10.0), st.floats(1e-3, 1e3))
def test_probability_is_conserved_and_never_negative(rate, time):
    found = kin.evolve(np.eye(STATES.size)[0], kin.generator(kin.decay_rates_per_ns(SHELL), rate), time)
    assert found.sum() == pytest.approx(1.0, abs=1e-10)
    assert (found >= 0.0).all()


@given(st.floats(1e-3, 3.0))
def test_steady_state_is_what_evolution_ends_in(rate):
    decay = kin.decay_rates_per_ns(SHELL)
    steady = kin.steady_state(decay, rate)
    np.testing.assert_allclose(kin.generator(decay, rate) @ steady, 0.0, atol=1e-12)
    late = kin.evolve(np.eye(STATES.size)[0], kin.generator(decay, rate), 5000.0)
    np.testing.assert_allclose(late, steady, atol=1e-10)


def test_the_steady_state_of_multiparticle_decay_is_narrower_than_poisson():
    """Decay faster than N holds back the tail: variance below the mean."""
    steady = kin.steady_state(kin.decay_rates_per_ns(SHELL), 1.0)
    mean = steady @ STATES
    assert steady @ STATES**2 - mean**2 < 0.7 * mean


@given(st.floats(1e-3, 10.0))
def test_a_pulse_much_shorter_than_the_lifetimes_leaves_poisson(created):
    """1e-6 ns against rates below 3000/ns at the ladder's end and below 5/ns where there is weight."""
    classes, mean = kin.square_pulse(SHELL, created, 1e-6)
    np.testing.assert_allclose(classes, kin.poisson(created), atol=1e-4)
    assert mean == pytest.approx(created, rel=1e-4)


@pytest.mark.parametrize("auger_ns", [22.0, 50.0])
def test_what_an_instantaneous_pulse_leaves_out(auger_ns):
    """Pulses shorter than QUASI_CW_NS count as instantaneous: at most 2 % of the pairs are lost meanwhile."""
    created = np.array([1.5, 3.0, 6.0])
    _, mean = kin.square_pulse(Emitter(biexciton_auger_ns=auger_ns), created, QUASI_CW_NS)
    assert (mean > 0.98 * created).all()


def test_a_pulse_much_longer_than_the_lifetimes_ends_in_the_steady_state():
    classes, _ = kin.square_pulse(SHELL, 0.5 * 1e5, 1e5)
    np.testing.assert_allclose(classes, lump(kin.steady_state(kin.decay_rates_per_ns(SHELL), 0.5)), atol=1e-9)


def test_square_pulse_takes_arrays():
    classes, mean = kin.square_pulse(SHELL, np.array([[0.0, 1.0, 2.0]]), 7.0)
    assert classes.shape == (1, 3, 9)
    assert mean.shape == (1, 3)
    assert mean[0, 0] == 0.0
    assert mean[0, 1] < 1.0
