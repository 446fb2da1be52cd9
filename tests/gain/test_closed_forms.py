"""Gain spectra, thresholds and measured gain against numbers and formulas worked out here, not by the package."""

import math

import numpy as np
import pytest

from cavitydesign.errors import InputError
from cavitydesign.gain import rates as kin
from cavitydesign.gain import shells as sp
from cavitydesign.gain.constant import Constant
from cavitydesign.gain.measured import Measured
from cavitydesign.gain.model import model_of
from cavitydesign.gain.pump import Pumping
from cavitydesign.gain.rates import Filling
from cavitydesign.gain.threshold import LineStatus, _Medium, lowest_level, thresholds
from cavitydesign.geometry import Emitter, Pump
from cavitydesign.geometry.emitter import GainTable

EMITTER = Emitter()
ONE = Pump()
TWO = Pump(photons=2, wavelength_nm=800.0, pulse_shape="sech2")
LONG = Pump(wavelength_nm=532.0, pulse_ns=7.0, absorption_cross_section_cm2=1e-14)
HC, JOULE_PER_EV, K = 1239.841984332, 1.602176634e-19, 8.617333262e-5
FWHM_PER_SIGMA = 2.3548200450309493
# Lines of 1 meV, so that each stands alone; G = 100 cm⁻¹ per 1S channel.
SHARP = Emitter(
    inhomogeneous_fwhm_mev=1.0,
    acoustic_broadening_uev_per_k=0.0,
    lo_broadening_mev=0.0,
    stokes_shift_mev=0.0,
    peak_gain_per_cm=200.0,
    p_strength=0.5,
)


def filling(pairs):
    pairs = np.asarray(pairs, dtype=float)
    return Filling(kin.poisson(pairs), pairs, 10.0 * pairs)


# -- shells ------------------------------------------------------------------------------------------------------


def test_varshni():
    def shift(t):
        return 3.2e-4 * t**2 / (t + 220.0)

    assert sp.exciton_energy_ev(EMITTER) == 1.8505
    cold = sp.exciton_energy_ev(Emitter(temperature_k=100.0))
    assert cold == pytest.approx(1.8505 + shift(293.0) - shift(100.0), rel=1e-13)
    assert cold > 1.8505 > sp.exciton_energy_ev(Emitter(temperature_k=350.0))


def test_homogeneous_width_and_stokes_shift():
    """With E_LO = kT ln 2 there is one phonon: σT + Γ_LO; Stokes: s²/kT of that, whatever the inhomogeneous width."""
    emitter = Emitter(lo_phonon_mev=1e3 * K * 293.0 * math.log(2.0), inhomogeneous_fwhm_mev=50.0)
    width = 71e-6 * 293.0 + 0.021
    assert sp.homogeneous_fwhm_ev(emitter) == pytest.approx(width, rel=1e-9)
    assert sp.line_fwhm_ev(emitter) == pytest.approx(math.sqrt(0.05**2 + width**2), rel=1e-9)
    stokes = (width / FWHM_PER_SIGMA) ** 2 / (K * 293.0)
    assert sp.stokes_shift_ev(emitter) == pytest.approx(stokes, rel=1e-9)
    assert sp.stokes_shift_ev(emitter.replace(stokes_shift_mev=7.0)) == pytest.approx(0.007)


def test_peak_gain_goes_with_one_over_the_width():
    density = 0.5 * 6.0 / (math.pi * 1.6e-6**3)
    assert sp.shell_density_per_cm3(EMITTER) == pytest.approx(density, rel=1e-12)
    assert sp.peak_gain_per_cm(EMITTER) == pytest.approx(4e-15 * density, rel=1e-12)
    cold = Emitter(temperature_k=77.0, peak_gain_per_cm=300.0)
    ratio = sp.line_fwhm_ev(EMITTER) / sp.line_fwhm_ev(cold)
    assert ratio > 1.0
    assert sp.peak_gain_per_cm(cold) == pytest.approx(300.0 * ratio, rel=1e-12)


def test_transition_energies():
    found = sp.transition_energies_ev(EMITTER)
    s = 1.8505 + 1e-3 * np.array([73.0, 83.0, 93.0, 103.0, 113.0, 123.0])
    np.testing.assert_allclose(found["X"], [1.8505])
    np.testing.assert_allclose(found["XX"], [1.9135])
    np.testing.assert_allclose(found["MX"], [*s, *(s + 0.1)])


@pytest.mark.parametrize(("shift", "lowest", "highest"), [(63.0, 0.0, 0.123), (-80.0, -0.08, 0.0)])
def test_window_edges(shift, lowest, highest):
    emitter = Emitter(biexciton_shift_mev=shift)
    width, stokes = sp.line_fwhm_ev(emitter), sp.stokes_shift_ev(emitter)
    blue, red = sp.model_window_nm(emitter)
    assert blue == pytest.approx(HC / (1.8505 + highest + 0.1 + stokes + width), rel=1e-9)
    assert red == pytest.approx(HC / (1.8505 + lowest - 4.0 * width / FWHM_PER_SIGMA), rel=1e-9)


@pytest.mark.parametrize(
    ("above_mev", "emits", "absorbs"),
    [
        (0.0, {(1, 0): 100.0}, {(0, 0): 200.0}),
        (63.0, {(2, 1): 200.0}, {(1, 1): 100.0}),
        (73.0, {(3, 2): 200.0}, {}),
        (100.0, {}, {(0, 2): 300.0}),  # six 1P channels of strength 0.5
        (163.0, {}, {(1, 2): 300.0}),
        (193.0, {(5, 2): 150.0}, {(4, 2): 200.0}),
        (223.0, {(8, 2): 300.0}, {(7, 2): 50.0}),
    ],
)
def test_channels_of_each_state(above_mev, emits, absorbs):
    found = sp.channel_gain_per_cm(SHARP, HC / (1.8505 + 1e-3 * above_mev))
    for by_class, known in zip(found, (emits, absorbs), strict=True):
        expected = np.zeros((9, 3))
        for place, value in known.items():
            expected[place] = value
        np.testing.assert_allclose(by_class[0], expected, rtol=1e-6, atol=1e-6)


# -- threshold ---------------------------------------------------------------------------------------------------


def medium(curve, levels, rows):
    levels = np.asarray(levels, dtype=float)
    return _Medium(levels, np.tile(curve(levels), (rows, 1)), curve)


def test_lowest_level_of_a_line():
    found, first = lowest_level(
        medium(lambda n: 10.0 * (n - 1.0), [0.0, 0.7, 1.9, 5.0], 4), np.array([-10.0, 0.0, 25.0, 41.0])
    )
    np.testing.assert_allclose(found, [0.0, 1.0, 3.5, np.nan], rtol=1e-10)
    assert list(first) == [True, False, False, False]


def test_lowest_level_is_the_first_of_two():
    found, _ = lowest_level(medium(lambda n: n * (4.0 - n), np.linspace(0, 4, 9), 1), np.array([3.0]))
    assert found == pytest.approx(1.0, rel=1e-10)


def test_a_peak_between_grid_points():
    """1 - (n - 1.5)² is 0.9975 on the nearest grid points, 1 at 1.5; unknown losses have no level."""
    curve = medium(lambda n: 1.0 - (n - 1.5) ** 2, np.arange(0.05, 3.0, 0.1), 3)
    assert curve.on_grid.max() < 0.998
    found, _ = lowest_level(curve, np.array([0.9996, 1.001, np.nan]))
    np.testing.assert_allclose(found, [1.48, np.nan, np.nan], rtol=1e-9)


def test_statuses_and_the_constant_model():
    model = Constant(20.0, 1.5, (600.0, 700.0))
    np.testing.assert_allclose(
        model.gain_per_cm(np.array([610.0, 690.0]), filling([1.0, 3.0])), [-10.0, 30.0]
    )
    assert model.gain_per_cm(np.zeros((5, 1)), filling([1.0, 3.0])).shape == (5, 2)
    found = thresholds(
        model,
        Pumping.of(EMITTER, ONE),
        np.array([600.0, 700.0, 650.0, 650.0, 599.9, 700.1]),
        np.array([30.0, 0.0, 1e3, np.nan, 30.0, 30.0]),
    )
    lases, out = LineStatus.LASES, LineStatus.OUT_OF_BAND
    assert found.status == (lases, lases, LineStatus.NO_GAIN, LineStatus.UNKNOWN_LOSS, out, out)
    np.testing.assert_allclose(found.pairs_per_shell, [3.0, 1.5, *[np.nan] * 4], rtol=1e-10)
    np.testing.assert_allclose(found.transparency_pairs, [*[1.5] * 4, np.nan, np.nan], rtol=1e-10)
    np.testing.assert_array_equal(found.share, 0.0)


# -- measured ----------------------------------------------------------------------------------------------------


def gain_table(level):
    return GainTable(
        table="g.csv",
        level=level,
        levels=(1.0, 1.0, 3.0, 3.0),
        wavelengths_nm=(600.0, 680.0, 610.0, 700.0),
        gain_per_cm=(-40.0, 0.0, 10.0, 100.0),
    )


def test_measured_window_and_interpolation():
    found = Measured(EMITTER, gain_table("pairs_per_shell"))
    assert found.window_nm == (610.0, 680.0)
    np.testing.assert_allclose(found.gain_per_cm(np.array([640.0, 640.0]), filling([1.5, 3.0])), [-5.0, 40.0])


@pytest.mark.parametrize(("level", "pairs"), [("pairs_per_shell", 2.0), ("fluence_uj_per_cm2", 0.2)])
def test_measured_counts_what_its_table_counts(level, pairs):
    """Fillings here have a fluence of ten times the pairs; at level 2, halfway, 640 nm has 10 cm⁻¹."""
    model = model_of(Emitter(spectrum=gain_table(level)))
    assert isinstance(model, Measured)
    assert model.gain_per_cm(np.array([640.0]), filling([pairs])) == pytest.approx(10.0)
    np.testing.assert_array_equal(model.shares(np.array([670.0, 648.0]), filling([1.0, 1.0])), np.eye(3)[:2])


def test_measured_levels_in_created_pairs():
    pairs, fluence = (gain_table(level) for level in ("pairs_per_shell", "fluence_uj_per_cm2"))
    pumping = Pumping.of(EMITTER, ONE)
    np.testing.assert_allclose(Measured(EMITTER, pairs).levels(pumping), [1.0, 3.0])
    per_uj = 1.7e-13 * 1e-6 / (HC / 400.0 * JOULE_PER_EV)
    np.testing.assert_allclose(Measured(EMITTER, fluence).levels(pumping), [per_uj, 3.0 * per_uj], rtol=1e-9)
    with pytest.raises(InputError, match="one-photon"):
        Measured(EMITTER, fluence).levels(Pumping.of(EMITTER, TWO))


def test_measured_statuses():
    """Required 10 at 640 nm is halfway; at 680 nm the first level is transparent already, so 1 bounds from above."""
    emitter = Emitter(spectrum=gain_table("pairs_per_shell"))
    found = thresholds(
        model_of(emitter),
        Pumping.of(emitter, ONE),
        np.array([640.0, 680.0, 640.0]),
        np.array([10.0, 0.0, 40.1]),
    )
    assert found.status == (LineStatus.LASES, LineStatus.UPPER_BOUND, LineStatus.NO_GAIN)
    np.testing.assert_allclose(found.pairs_per_shell, [2.0, 1.0, np.nan], rtol=1e-10)
    np.testing.assert_allclose(found.transparency_pairs, [5.0 / 3.0, np.nan, 5.0 / 3.0], rtol=1e-10)
