"""Gain, pump and rates against numbers and formulas worked out here, not by the package."""

import math

import numpy as np
import pytest

from cavitydesign.errors import InputError
from cavitydesign.gain import pump as pm
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
