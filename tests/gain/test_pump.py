"""Fluence and intensity to pairs per shell, and back."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cavitydesign.errors import InputError
from cavitydesign.gain import pump as pm
from cavitydesign.gain import rates as kin
from cavitydesign.geometry import Emitter, Pump

ONE = Pump()
TWO = Pump(photons=2, wavelength_nm=800.0)
LONG = Pump(wavelength_nm=532.0, pulse_ns=7.0, absorption_cross_section_cm2=1e-14)
JOULE_PER_EV = 1.602176634e-19


def test_one_photon_pairs_are_cross_section_times_photons():
    """1.7e-13 cm² × 4 µJ/cm² / (1239.842/400 eV) = 1.3693 pairs."""
    photons = 4e-6 / (1239.841984332 / 400.0 * JOULE_PER_EV)
    assert pm.created_pairs(Emitter(), ONE, 4.0) == pytest.approx(1.7e-13 * photons, rel=1e-9)
    assert pm.created_pairs(Emitter(), ONE, 4.0) == pytest.approx(1.3693, abs=5e-5)


def test_two_photon_pairs_go_with_the_square_of_the_fluence():
    """σ₂ (F/hν)² 0.6643/τ with 1e7 GM, 1.1 mJ/cm², 100 fs."""
    photons = 1.1e-3 / (1239.841984332 / 800.0 * JOULE_PER_EV)
    expected = 1e7 * 1e-50 * photons**2 * math.sqrt(2.0 * math.log(2.0) / math.pi) / 1e-13
    assert pm.created_pairs(Emitter(), TWO, 1.1) == pytest.approx(expected, rel=1e-9)
    assert pm.created_pairs(Emitter(), TWO, 2.2) == pytest.approx(4.0 * expected, rel=1e-9)
    longer = TWO.replace(pulse_ns=2e-4)
    assert pm.created_pairs(Emitter(), longer, 1.1) == pytest.approx(0.5 * expected, rel=1e-9)


@pytest.mark.parametrize(
    ("shape", "pulse"),
    [
        ("gaussian", lambda t: np.exp(-4.0 * math.log(2.0) * t**2)),
        ("sech2", lambda t: 1.0 / np.cosh(2.0 * math.acosh(math.sqrt(2.0)) * t) ** 2),
        ("square", lambda t: (np.abs(t) <= 0.5).astype(float)),
    ],
)
def test_pulse_shape_factors_by_quadrature(shape, pulse):
    """s = FWHM ∫f² / (∫f)² with FWHM = 1; the square's edges limit the quadrature to a grid step, 1e-5."""
    t = np.linspace(-8.0, 8.0, 1_600_001)
    assert pulse(np.array([0.5]))[0] == pytest.approx(0.5 if shape != "square" else 1.0)
    factor = np.trapezoid(pulse(t) ** 2, t) / np.trapezoid(pulse(t), t) ** 2
    assert pm.PULSE_SHAPE_FACTOR[shape] == pytest.approx(factor, rel=1e-9 if shape != "square" else 2e-5)


def test_intensity_of_the_ns_pump():
    """66.9 kW/cm² for 7 ns is 468.3 µJ/cm²."""
    assert pm.fluence_uj_per_cm2(LONG, 66.9) == pytest.approx(468.3, rel=1e-12)
    created = pm.created_pairs(Emitter(), LONG, 66.9)
    assert pm.pump_level(Emitter(), LONG, created) == pytest.approx(66.9, rel=1e-12)
    assert pm.threshold_unit(LONG) == "kW/cm2"


@pytest.mark.parametrize(("pump", "unit"), [(ONE, "uJ/cm2"), (TWO, "mJ/cm2"), (LONG, "kW/cm2")])
def test_units_and_inverse(pump, unit):
    assert pm.threshold_unit(pump) == unit
    for created in (1e-3, 1.4, 20.0):
        level = pm.pump_level(Emitter(), pump, created)
        assert pm.created_pairs(Emitter(), pump, level) == pytest.approx(created, rel=1e-13)


@given(st.floats(0.05, 1.0), st.sampled_from([ONE, TWO, LONG]))
def test_what_does_not_reach_the_shells_must_be_pumped_in_addition(transmission, pump):
    lossy = pump.replace(transmission=transmission)
    ratio = pm.pump_level(Emitter(), lossy, 1.4) / pm.pump_level(Emitter(), pump, 1.4)
    assert ratio == pytest.approx(1.0 / transmission, rel=1e-12)


def test_leatherdale_cross_section():
    """5.501e5 (2.5e-7)³ = 8.5953e-15 cm²."""
    assert pm.leatherdale_cross_section_cm2(2.5) == pytest.approx(8.5953125e-15, rel=1e-12)
    shell = Emitter(absorption_cross_section_cm2="leatherdale")
    pump = Pump(wavelength_nm=350.0)
    assert pm.cross_section_cm2(shell, pump) == pm.leatherdale_cross_section_cm2(8.0)


@pytest.mark.parametrize(
    ("emitter", "pump"),
    [(Emitter(), Pump(wavelength_nm=532.0)), (Emitter(absorption_cross_section_cm2="leatherdale"), Pump())],
)
def test_a_cross_section_is_not_carried_to_another_wavelength(emitter, pump):
    with pytest.raises(InputError, match="absorption_cross_section_cm2"):
        pm.pump_level(emitter, pump, 1.0)


def test_the_pumps_own_cross_section_wins():
    assert pm.cross_section_cm2(Emitter(), LONG) == 1e-14


@pytest.mark.parametrize(
    "pump", [Pump(wavelength_nm=700.0, absorption_cross_section_cm2=1e-15), TWO.replace(wavelength_nm=1400.0)]
)
def test_photons_below_the_exciton_pump_nothing(pump):
    with pytest.raises(InputError, match="the exciton needs") as caught:
        pm.created_pairs(Emitter(), pump, 1.0)
    assert caught.value.key == "pump.wavelength_nm"


def test_a_long_pulse_creates_more_pairs_than_it_leaves():
    _, mean = pm.pumped_occupation(Emitter(), LONG, 5.0)
    assert 0.5 * 5.0 < mean < 5.0
    classes, mean = pm.pumped_occupation(Emitter(), ONE, 5.0)
    assert mean == 5.0
    np.testing.assert_array_equal(classes, kin.poisson(5.0))
