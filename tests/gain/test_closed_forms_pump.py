"""Pump and rates against numbers and formulas worked out here, not by the package."""

import math

import numpy as np
import pytest

from cavitydesign.errors import InputError
from cavitydesign.gain import pump as pm
from cavitydesign.gain import rates as kin
from cavitydesign.gain.pump import Pumping
from cavitydesign.geometry import Emitter, Pump

EMITTER = Emitter()
ONE = Pump()
TWO = Pump(photons=2, wavelength_nm=800.0, pulse_shape="sech2")
LONG = Pump(wavelength_nm=532.0, pulse_ns=7.0, absorption_cross_section_cm2=1e-14)
HC, JOULE_PER_EV = 1239.841984332, 1.602176634e-19


# -- pump --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shape", "factor"), [("gaussian", 0.664283), ("sech2", 0.587582), ("square", 1.0)])
def test_pulse_shape_factors(shape, factor):
    assert pm.PULSE_SHAPE_FACTOR[shape] == pytest.approx(factor, abs=1e-6)


def test_one_photon_level_in_uj():
    emitter, pump = Emitter(absorption_cross_section_cm2=1e-13), ONE.replace(transmission=0.5)
    level = 1e6 * 2.0 / 1e-13 * HC / 400.0 * JOULE_PER_EV / 0.5
    assert pm.threshold_unit(pump) == "uJ/cm2"
    assert pm.pump_level(emitter, pump, 2.0) == pytest.approx(level, rel=1e-9)
    assert pm.created_pairs(emitter, pump, level) == pytest.approx(2.0, rel=1e-9)
    assert pm.fluence_uj_per_cm2(pump, level) == level


def test_two_photon_level_in_mj():
    pump = TWO.replace(transmission=0.8, pulse_ns=2e-4)
    sigma = 1e7 * 1e-50 * 0.5875824 / 2e-13
    level = 1e3 * math.sqrt(1.5 / sigma) * HC / 800.0 * JOULE_PER_EV / 0.8
    assert pm.threshold_unit(pump) == "mJ/cm2"
    assert pm.pump_level(EMITTER, pump, 1.5) == pytest.approx(level, rel=1e-6)
    assert pm.created_pairs(EMITTER, pump, level) == pytest.approx(1.5, rel=1e-6)
    assert pm.fluence_uj_per_cm2(pump, level) == pytest.approx(1e3 * level)


@pytest.mark.parametrize("photons", [1, 2])
def test_long_pulses_are_square_and_in_kw(photons):
    """kW × ns = µJ; whatever the shape says, ∫f² is 1/τ."""
    pump = (
        LONG if photons == 1 else Pump(photons=2, wavelength_nm=800.0, pulse_ns=5.0, pulse_shape="gaussian")
    )
    photon_uj = HC / pump.wavelength_nm * JOULE_PER_EV * 1e6
    flux = 3.0 / 1e-14 if photons == 1 else math.sqrt(3.0 / (1e7 * 1e-50 / 5e-9))
    assert pm.threshold_unit(pump) == "kW/cm2"
    assert pm.pump_level(EMITTER, pump, 3.0) == pytest.approx(flux * photon_uj / pump.pulse_ns, rel=1e-9)


def test_leatherdale_number():
    assert pm.leatherdale_cross_section_cm2(1e7) == 5.501e5  # a = 1 cm
    assert pm.leatherdale_cross_section_cm2(8.0) == pytest.approx(5.501e5 * 5.12e-19, rel=1e-12)


@pytest.mark.parametrize(("given", "at"), [(1.7e-13, 400.0), ("leatherdale", 350.0)])
@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_a_cross_section_holds_10_nm_both_sides(given, at, side):
    emitter = Emitter(absorption_cross_section_cm2=given)
    expected = 1.7e-13 if given != "leatherdale" else 5.501e5 * 5.12e-19
    near = Pump(wavelength_nm=at + side * 10.0)
    assert pm.cross_section_cm2(emitter, near) == pytest.approx(expected, rel=1e-12)
    with pytest.raises(InputError, match=f"holds at {at:g} nm") as caught:
        pm.cross_section_cm2(emitter, Pump(wavelength_nm=at + side * 10.1))
    assert caught.value.key == "pump.wavelength_nm"


@pytest.mark.parametrize("photons", [1, 2])
def test_pump_energy_must_exceed_the_exciton(photons):
    """The exciton is at 670.0 nm."""
    at = HC / 1.8505 * photons
    pump = Pump(photons=photons, wavelength_nm=at - 0.1, absorption_cross_section_cm2=1e-14)
    assert pm.pump_level(EMITTER, pump, 1.0) > 0.0
    for function in (pm.pump_level, pm.created_pairs):
        with pytest.raises(InputError, match="the exciton needs"):
            function(EMITTER, pump.replace(wavelength_nm=at + 0.1), 1.0)


def test_pumping_at_levels_and_nan():
    found = Pumping.of(EMITTER, ONE).at(np.array([0.0, 1.5, np.nan]))
    np.testing.assert_allclose(found.pairs_per_shell, [0.0, 1.5, np.nan])
    np.testing.assert_allclose(found.classes[0], np.eye(9)[0])
    assert found.classes[1, 2] == pytest.approx(1.5**2 / 2.0 * math.exp(-1.5))
    assert np.isnan(found.classes[2]).all()
    assert found.fluence_uj_per_cm2[1] == pytest.approx(1.5e6 / 1.7e-13 * HC / 400.0 * JOULE_PER_EV, rel=1e-9)


def test_pumping_keeps_occupations_by_kinetics():
    cache = {}
    first = Pumping.of(EMITTER, ONE, cache=cache)
    assert Pumping.of(Emitter(exciton_lifetime_ns=50.0), TWO, cache=cache).occupation is first.occupation
    long = Pumping.of(EMITTER, LONG, cache=cache)
    assert Pumping.of(EMITTER, LONG, cache=cache).occupation is long.occupation
    other = Pumping.of(Emitter(biexciton_auger_ns=20.0), LONG, cache=cache)
    assert other.occupation is not long.occupation
    assert len(cache) == 3


def test_created_for():
    short, long = Pumping.of(EMITTER, ONE), Pumping.of(EMITTER, LONG)
    assert short.created_for(50.0) == 50.0
    assert short.most_pairs == math.inf
    created = long.created_for(2.0)
    assert kin.square_pulse(EMITTER, created, 7.0)[1] == pytest.approx(2.0, rel=1e-5)
    assert long.most_pairs >= 12.0
    with pytest.raises(InputError, match="at most") as caught:
        long.created_for(long.most_pairs + 0.1, key="here")
    assert caught.value.key == "here"


@pytest.mark.parametrize("pulse_ns", [0.5, 1.0, 2.0, 5.0, 7.0, 40.0, 200.0, 900.0])
def test_all_that_a_long_pulse_leaves_may_be_asked_for(pulse_ns):
    """What it leaves at the end of the search is known to rounding, so a root may be looked for in vain."""
    pumping = Pumping.of(EMITTER, LONG.replace(pulse_ns=pulse_ns))
    most, top = pumping.most_pairs, pumping.occupation.created[-1]
    for asked in (most, math.nextafter(most, 0.0), most * (1.0 - 1e-15)):
        assert pumping.created_for(asked) == pytest.approx(top, rel=1e-9)
    with pytest.raises(InputError, match="at most"):
        pumping.created_for(math.nextafter(most, math.inf))
    less = np.array([pumping.created_for(most - 1e-3)])
    assert pumping.at(less).pairs_per_shell[0] == pytest.approx(most - 1e-3, rel=1e-9)


# -- rates -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mean", [0.0, 0.3, 1.6, 7.0])
def test_poisson_classes(mean):
    classes = kin.poisson(mean)
    assert classes.sum() == pytest.approx(1.0, abs=1e-14)
    assert classes[:3] == pytest.approx(math.exp(-mean) * np.array([1.0, mean, mean**2 / 2.0]), abs=1e-15)


def test_lump():
    np.testing.assert_array_equal(kin.lump(np.arange(12.0)), [0, 1, 2, 3, 4, 5, 6, 7, 8 + 9 + 10 + 11])
    assert kin.lump(np.ones((2, 3, 41)))[..., -1] == pytest.approx(33.0)


def test_decay_rates():
    """N²/τ + N²(N-1)/4τ_A, so 4/τ + 1/τ_A for two pairs and 9/τ + 4.5/τ_A for three."""
    rates = kin.decay_rates_per_ns(Emitter(exciton_lifetime_ns=100.0, biexciton_auger_ns=20.0))
    np.testing.assert_allclose(rates[:4], [0.0, 0.01, 0.04 + 0.05, 0.09 + 0.225])


def test_generator_keeps_probability():
    matrix = kin.generator(np.array([0.0, 1.0, 6.0]), [0.0, 2.0])
    np.testing.assert_allclose(matrix.sum(axis=-2), 0.0, atol=1e-15)
    np.testing.assert_array_equal(matrix[1], [[-2, 1, 0], [2, -3, 6], [0, 2, -6]])


def test_steady_state_is_detailed_balance():
    decay = kin.decay_rates_per_ns(EMITTER)
    state = kin.steady_state(decay, np.array([0.0, 0.3]))
    np.testing.assert_array_equal(state[0], np.eye(41)[0])
    np.testing.assert_allclose(state[1, 1:9] / state[1, :8], 0.3 / decay[1:9], rtol=1e-12)
    np.testing.assert_allclose(kin.generator(decay, 0.3) @ state[1], 0.0, atol=1e-14)
    assert state[1].sum() == pytest.approx(1.0)


def test_evolve_is_the_cascade_of_two_pairs():
    decay = kin.decay_rates_per_ns(EMITTER)
    times = np.array([0.0, 5.0, 80.0, 1e5])
    found = kin.evolve(np.eye(41)[2], kin.generator(decay), times)
    one, two = np.exp(-decay[1] * times), np.exp(-decay[2] * times)
    np.testing.assert_allclose(found[:, 2], two, atol=1e-12)
    np.testing.assert_allclose(found[:, 1], decay[2] / (decay[2] - decay[1]) * (one - two), atol=1e-12)
    np.testing.assert_allclose(found[-1], np.eye(41)[0], atol=1e-12)


def test_square_pulse_limits():
    short, mean = kin.square_pulse(EMITTER, 2.0, 1e-6)
    np.testing.assert_allclose(short, kin.poisson(2.0), atol=1e-5)
    assert mean == pytest.approx(2.0, abs=1e-5)
    steady = kin.steady_state(kin.decay_rates_per_ns(EMITTER), 0.05)
    for pulse in (30.0 * 110.0, 60.0 * 110.0):  # by the exponential, and by the shortcut
        classes, mean = kin.square_pulse(EMITTER, 0.05 * pulse, pulse)
        np.testing.assert_allclose(classes, kin.lump(steady), atol=1e-9)
        assert mean == pytest.approx(steady @ np.arange(41), rel=1e-8)


def test_a_weak_square_pulse_fills_like_a_capacitor():
    """Far below one pair only 0 ↔ 1 matters: ⟨N⟩ = R τ (1 - e^{-T/τ}), 0.25 % off its limit at T = 6 τ."""
    for pulse in (110.0, 660.0):
        _, mean = kin.square_pulse(EMITTER, 1e-8 * pulse, pulse)
        assert mean == pytest.approx(1e-8 * 110.0 * (1.0 - math.exp(-pulse / 110.0)), rel=1e-5)
