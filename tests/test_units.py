"""Conversions against exact values, as inverses of each other, and the sign convention."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cavitydesign import units

LENGTHS = st.floats(1.0, 1e6)


def test_photon_energy_of_a_micron():
    # h c / e from the exact SI constants: 1.239841984332 eV µm (NIST, CODATA 2018)
    assert units.nm_to_ev(1.0) == pytest.approx(1239.8419843320026, rel=1e-15)
    assert units.nm_to_ev(688.8) == pytest.approx(1.80, abs=1e-3)  # the two-mirror laser's line
    assert units.photon_energy_uj(units.HC_EV_NM) == pytest.approx(1.602176634e-13, rel=1e-15)  # 1 eV in µJ


@given(LENGTHS)
def test_inverses(x):
    assert units.ev_to_nm(units.nm_to_ev(x)) == pytest.approx(x, rel=1e-14)
    assert units.complex_wavelength_nm(units.k0_per_nm(x)) == pytest.approx(x, rel=1e-14)
    assert units.gain_per_cm_from_kappa(units.kappa_from_gain_per_cm(100.0, x), x) == pytest.approx(
        100.0, rel=1e-14
    )


@given(LENGTHS, st.floats(-1e8, 1e8).filter(lambda q: abs(q) > 1.0))
def test_wavelength_and_q_make_a_wavenumber_and_come_back(wavelength, q):
    k0 = units.complex_k0_per_nm(wavelength, q)
    assert units.wavelength_nm_of(k0) == pytest.approx(wavelength, rel=1e-14)
    assert units.quality_factor(k0) == pytest.approx(q, rel=1e-12)


def test_a_decaying_resonance_has_negative_imaginary_wavenumber_and_positive_q():
    k0 = units.complex_k0_per_nm(650.0, 100.0)
    assert k0.imag < 0.0 < units.quality_factor(k0)
    assert abs(np.exp(-1j * k0 * 1000.0)) < 1.0  # exp(-iωt) after c t = 1000 nm


def test_gain_is_of_power():
    g = units.gain_per_cm_from_kappa(0.01, 650.0)
    assert g == pytest.approx(1933.2878, rel=1e-6)  # 4π · 0.01 / 650e-7 cm
    through = np.exp(1j * units.k0_per_nm(650.0) * (1.5 - 0.01j) * 1000.0)  # 1 µm of n - iκ
    assert abs(through) ** 2 == pytest.approx(np.exp(g * 1e-4), rel=1e-12)


@pytest.mark.parametrize(
    "function", [units.nm_to_ev, units.ev_to_nm, units.k0_per_nm, units.photon_energy_uj]
)
def test_arrays_keep_their_shape(function):
    assert function(np.full((2, 3), 650.0)).shape == (2, 3)
