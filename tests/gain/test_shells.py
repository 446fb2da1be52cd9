"""The state-resolved spectrum: closed forms first, then conservation, then signs and limits."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cavitydesign.gain import shells as sp
from cavitydesign.gain.rates import poisson
from cavitydesign.geometry import Emitter
from cavitydesign.units import BOLTZMANN_EV_PER_K, ev_to_nm

# Lines so narrow (1 meV) and far apart that they cannot overlap: each transition can be looked at alone.
NARROW = Emitter(
    inhomogeneous_fwhm_mev=1.0,
    acoustic_broadening_uev_per_k=0.0,
    lo_broadening_mev=0.0,
    further_shift_mev=40.0,
    p_splitting_mev=500.0,
    stokes_shift_mev=0.0,
)
emitters = st.builds(
    Emitter,
    temperature_k=st.floats(4.0, 400.0),
    biexciton_shift_mev=st.floats(-50.0, 100.0),
    further_shift_mev=st.floats(0.0, 60.0),
    p_splitting_mev=st.floats(10.0, 300.0),
    p_strength=st.floats(0.0, 2.0),
    inhomogeneous_fwhm_mev=st.floats(5.0, 150.0),
)
pairs = st.floats(0.0, 20.0)
BAND_NM = np.linspace(480.0, 780.0, 301)


def spectrum_of(emitter, wavelengths_nm, classes):
    """Gain of shells of which ``classes[n]`` hold n pairs."""
    emission, absorption = sp.channel_gain_per_cm(emitter, wavelengths_nm)
    return (emission - absorption).sum(axis=-1)[:, : len(classes)] @ classes


def integrated_gain(emitter, mean):
    """``∫ g dE = G a Σ_N P_N [2 n_S - 2 + s_P (2 n_P - 6)]``, a the area of a line of unit peak; shifts drop out."""
    in_s, in_p = np.minimum(np.arange(9), 2), np.clip(np.arange(9) - 2, 0, 6)
    area = sp.line_fwhm_ev(emitter) * math.sqrt(math.pi / (4 * math.log(2)))
    inversion = 2 * in_s - 2 + emitter.p_strength * (2 * in_p - 6)
    return 0.5 * sp.peak_gain_per_cm(emitter) * area * (poisson(mean) @ inversion)


def gain_at(emitter, energy_ev, mean):
    return float(sp.gain_spectrum(emitter, ev_to_nm(energy_ev), mean)[0])


def crossing(emitter, energy_ev, low, high):
    """⟨N⟩ of transparency at one energy, by bisection (the gain rises from negative to positive)."""
    assert gain_at(emitter, energy_ev, low) < 0.0 < gain_at(emitter, energy_ev, high)
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if gain_at(emitter, energy_ev, middle) > 0.0 else (middle, high)
    return 0.5 * (low + high)


# -- closed forms ------------------------------------------------------------------------------------------------


def test_x_centre_is_transparent_where_one_pair_beats_the_two_channels_of_the_ground_state():
    """P1 = 2 P0, so ⟨N⟩ = 2 (for all shells holding one pair at most it is Klimov's 2/3)."""
    assert crossing(NARROW, sp.exciton_energy_ev(NARROW), 0.5, 4.0) == pytest.approx(2.0, rel=1e-9)


def test_single_exciton_gain_starts_at_two_thirds_of_the_shells_excited():
    """Klimov et al. 2007: with one pair at most and XX shifted away, transparency at P1 = 2/3."""
    for excited, sign in ((0.66, -1), (0.67, 1)):
        found = spectrum_of(NARROW, ev_to_nm(sp.exciton_energy_ev(NARROW)), np.array([1 - excited, excited]))
        assert math.copysign(1, found[0]) == sign


def test_xx_centre_is_transparent_at_one_pair():
    """2 P2 = P1, so ⟨N⟩ = 1."""
    energy = sp.exciton_energy_ev(NARROW) + 1e-3 * NARROW.biexciton_shift_mev
    assert crossing(NARROW, energy, 0.2, 3.0) == pytest.approx(1.0, rel=1e-9)


def test_without_repulsion_the_two_level_threshold_of_dots_returns():
    """All 1S lines on one energy: 2 P(N ≥ 2) = 2 P0, that is e^N = 2 + N, N = 1.1462 (the well-known 1.15 of dots)."""
    emitter = NARROW.replace(biexciton_shift_mev=0.0, further_shift_mev=0.0)
    assert crossing(emitter, sp.exciton_energy_ev(emitter), 0.5, 3.0) == pytest.approx(1.1461932206, rel=1e-9)


def test_all_shells_with_two_pairs_amplify_as_the_empty_ones_absorb():
    energy = sp.exciton_energy_ev(NARROW)
    empty, full = np.eye(9)[0], np.eye(9)[2]
    peak = sp.peak_gain_per_cm(NARROW)
    absorbed = spectrum_of(NARROW, ev_to_nm(energy), empty)[0]
    emitted = spectrum_of(NARROW, ev_to_nm(energy + 0.063), full)[0]
    assert absorbed == pytest.approx(-peak, rel=1e-12)
    assert emitted == pytest.approx(peak, rel=1e-12)


def test_peak_gain_is_density_times_cross_section_at_room_temperature():
    """16 nm shells at half the volume: 2.3313712e17 cm⁻³; times 4e-15 cm² = 932.548495 cm⁻¹."""
    assert sp.shell_density_per_cm3(Emitter()) == pytest.approx(0.5 / (math.pi / 6 * (16e-7) ** 3), rel=1e-14)
    assert sp.peak_gain_per_cm(Emitter()) == pytest.approx(932.548495, rel=1e-8)


def test_a_given_peak_gain_replaces_cross_section_and_density():
    emitter = Emitter(peak_gain_per_cm=500.0)
    assert sp.peak_gain_per_cm(emitter) == pytest.approx(500.0, rel=1e-14)
    assert sp.peak_gain_per_cm(emitter.replace(volume_fraction=0.1)) == sp.peak_gain_per_cm(emitter)


def test_varshni_moves_the_exciton_by_47_mev_between_nitrogen_and_room():
    """3.2e-4 (293²/513 - 77²/297) eV = 47.1629 meV, to the blue on cooling; no shift at the reference."""
    assert sp.exciton_energy_ev(Emitter()) == 1.8505
    cold = sp.exciton_energy_ev(Emitter(temperature_k=77.0))
    assert cold - 1.8505 == pytest.approx(3.2e-4 * (293**2 / 513 - 77**2 / 297), rel=1e-12)
    assert cold - 1.8505 == pytest.approx(0.0471629, abs=1e-7)


def test_an_energy_given_at_77_k_is_that_energy_at_77_k():
    emitter = Emitter(temperature_k=77.0, exciton_ev=1.937, exciton_temperature_k=77.0)
    assert sp.exciton_energy_ev(emitter) == 1.937
    assert sp.exciton_energy_ev(emitter.replace(temperature_k=293.0)) == pytest.approx(
        1.937 - 0.0471629, abs=1e-7
    )


def test_line_width_grows_with_temperature_by_the_phonon_formula():
    """293 K: 20.803 meV acoustic + 21/(exp(26 meV/kT) - 1) = 11.665 meV optical, and 60 meV in squares."""
    occupancy = 1.0 / math.expm1(0.026 / (BOLTZMANN_EV_PER_K * 293.0))
    assert sp.homogeneous_fwhm_ev(Emitter()) == pytest.approx(71e-6 * 293 + 0.021 * occupancy, rel=1e-12)
    assert sp.line_fwhm_ev(Emitter()) == pytest.approx(
        math.hypot(0.06, 71e-6 * 293 + 0.021 * occupancy), rel=1e-12
    )


# -- detailed balance --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature_k", [77.0, 293.0])
def test_default_stokes_shift_is_what_detailed_balance_asks_for(temperature_k):
    """McCumber: emission/absorption of one line = exp((ε - E)/kT) at every energy, for a homogeneous line."""
    emitter = Emitter(
        temperature_k=temperature_k, inhomogeneous_fwhm_mev=0.0, p_strength=0.0, biexciton_shift_mev=200.0
    )
    centre = sp.exciton_energy_ev(emitter)
    energy = centre + sp.line_fwhm_ev(emitter) * np.linspace(-1.5, 1.5, 9)
    emission, absorption = sp.channel_gain_per_cm(emitter, ev_to_nm(energy))
    ratio = np.log(2.0 * emission[:, 1, 0] / absorption[:, 0, 0])  # one channel emits, two absorb
    slope = np.diff(ratio) / np.diff(energy)
    np.testing.assert_allclose(slope, -1.0 / (BOLTZMANN_EV_PER_K * temperature_k), rtol=1e-8)


def test_a_stokes_shift_helps_gain_at_x():
    near = Emitter(stokes_shift_mev=0.0)
    energy = sp.exciton_energy_ev(near)
    assert gain_at(near.replace(stokes_shift_mev=30.0), energy, 2.0) > gain_at(near, energy, 2.0)


# -- conservation ------------------------------------------------------------------------------------------------


@given(emitters, pairs)
def test_sum_rule(emitter, mean):
    """∫ g dE by quadrature equals its closed form; Gaussians on a wide fine grid integrate to rounding."""
    centre = sp.exciton_energy_ev(emitter)
    energy = np.linspace(centre - 1.2, centre + 2.2, 20_001)
    total = sp.gain_spectrum(emitter, ev_to_nm(energy), mean)
    scale = sp.peak_gain_per_cm(emitter) * sp.line_fwhm_ev(emitter)
    assert np.trapezoid(total, energy) == pytest.approx(integrated_gain(emitter, mean), abs=1e-9 * scale)


@given(emitters)
def test_temperature_leaves_the_oscillator_strength_alone(emitter):
    areas = [
        sp.peak_gain_per_cm(e) * sp.line_fwhm_ev(e) for e in (emitter, emitter.replace(temperature_k=293.0))
    ]
    assert areas[0] == pytest.approx(areas[1], rel=1e-12)


# -- signs and limits --------------------------------------------------------------------------------------------


@given(emitters)
def test_without_pairs_the_film_only_absorbs(emitter):
    found = sp.gain_spectrum(emitter, BAND_NM, 0.0)
    assert (found <= 0.0).all()
    assert found.min() < -0.1 * sp.peak_gain_per_cm(emitter)


@given(emitters)
def test_full_shells_only_amplify_and_saturate(emitter):
    found = sp.gain_spectrum(emitter, BAND_NM, [40.0, 80.0])
    assert (found >= -1e-9 * sp.peak_gain_per_cm(emitter)).all()
    np.testing.assert_allclose(found[0], found[1], atol=1e-6 * sp.peak_gain_per_cm(emitter))


@given(emitters, pairs)
def test_no_line_exceeds_what_its_channels_allow(emitter, mean):
    """|g| ≤ G (2 + 6 p) for any occupation: 8 channels of unit peak and nothing else."""
    bound = 0.5 * sp.peak_gain_per_cm(emitter) * (2.0 + 6.0 * emitter.p_strength)
    assert np.abs(sp.gain_spectrum(emitter, BAND_NM, mean)).max() <= bound * (1 + 1e-12)


def test_two_pairs_bleach_the_1s_absorption():
    _, absorption = sp.channel_gain_per_cm(NARROW, ev_to_nm(sp.exciton_energy_ev(NARROW) + 0.063))
    assert absorption[0, 1, 1] > 0.0  # one pair absorbs at XX
    assert (absorption[:, 2:, :2] == 0.0).all()  # from two pairs on nothing is left of X and XX absorption


def test_biexciton_emits_blue_of_the_exciton_and_multiexcitons_bluer_still():
    lines = sp.transition_energies_ev(Emitter())
    assert lines["XX"][0] - lines["X"][0] == pytest.approx(0.063, abs=1e-12)
    assert lines["MX"].min() > lines["XX"][0]
    assert lines["MX"].size == 12


@pytest.mark.parametrize("temperature_k", [77.0, 293.0])
def test_gain_moves_to_the_blue_with_pumping(temperature_k):
    """State filling: the wavelength of highest gain falls with ⟨N⟩."""
    emitter = Emitter(temperature_k=temperature_k)
    at = [BAND_NM[sp.gain_spectrum(emitter, BAND_NM, n).argmax()] for n in (2.0, 5.0, 12.0)]
    assert at[0] > at[1] > at[2]


def test_cold_lines_are_bluer_narrower_and_higher():
    cold, warm = Emitter(temperature_k=77.0), Emitter(temperature_k=293.0)
    assert sp.exciton_energy_ev(cold) > sp.exciton_energy_ev(warm)
    assert sp.line_fwhm_ev(cold) < sp.line_fwhm_ev(warm)
    assert sp.peak_gain_per_cm(cold) > sp.peak_gain_per_cm(warm)


def test_shapes():
    found = sp.gain_spectrum(Emitter(), BAND_NM, [1.0, 2.0])
    assert found.shape == (2, 301)
    assert sp.gain_spectrum(Emitter(), BAND_NM, 1.0).shape == (301,)
