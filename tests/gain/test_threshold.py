"""The search for the lowest threshold: every answer is a root, nothing below it is, and what has no answer says so."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cavitydesign.errors import InputError
from cavitydesign.gain import shells as sp
from cavitydesign.gain import threshold
from cavitydesign.gain.measured import Measured
from cavitydesign.gain.model import model_of
from cavitydesign.gain.pump import HIGHEST_PAIRS, Occupation, Pumping, pumped_occupation
from cavitydesign.gain.rates import Filling, poisson, square_pulse
from cavitydesign.gain.threshold import LineStatus
from cavitydesign.geometry import Emitter, Pump
from cavitydesign.geometry.emitter import GainTable

SHORT = Pump()
LONG = Pump(wavelength_nm=532.0, pulse_ns=7.0, absorption_cross_section_cm2=1e-14)
BAND_NM = np.linspace(585.0, 700.0, 24)


def thresholds(emitter, pump, wavelengths, required):
    return threshold.thresholds(model_of(emitter), Pumping.of(emitter, pump), wavelengths, required)


def gain(emitter, wavelength, pump, created):
    """Gain at one wavelength for pulses that create ``created`` (L,) pairs, without the search's shortcuts."""
    classes, _ = pumped_occupation(emitter, pump, np.asarray(created, dtype=float))
    emission, absorption = sp.channel_gain_per_cm(emitter, wavelength)
    return classes @ (emission - absorption)[0].sum(axis=-1)


@given(st.floats(585.0, 700.0), st.floats(0.0, 1500.0), st.floats(20.0, 400.0))
def test_a_threshold_is_the_lowest_root(wavelength, required, temperature):
    emitter = Emitter(temperature_k=temperature)
    found = thresholds(emitter, SHORT, np.array([wavelength]), np.array([required]))
    scale = sp.peak_gain_per_cm(emitter)
    created = found.created_per_shell[0]
    if found.status[0] is LineStatus.LASES:
        assert gain(emitter, wavelength, SHORT, [created])[0] == pytest.approx(required, abs=1e-8 * scale)
        below = np.linspace(0.0, created, 400, endpoint=False)
        assert gain(emitter, wavelength, SHORT, below).max() < required + 1e-8 * scale
        assert found.pairs_per_shell[0] == created
    elif found.status[0] is LineStatus.NO_GAIN:
        assert np.isnan(created)
        everywhere = np.linspace(0.0, HIGHEST_PAIRS, 4001)
        assert gain(emitter, wavelength, SHORT, everywhere).max() < required
    else:
        shorter, longer = sp.model_window_nm(emitter)
        assert found.status[0] is LineStatus.OUT_OF_BAND
        assert not shorter <= wavelength <= longer


def test_long_pulses_too_and_by_the_exact_master_equation():
    """The search interpolates occupations to 1e-6, which eight channels of 466 cm⁻¹ make 4e-3 cm⁻¹ at most."""
    emitter = Emitter()
    required = np.full(BAND_NM.size, 40.0)
    found = thresholds(emitter, LONG, BAND_NM, required)
    lasing = np.isfinite(found.created_per_shell)
    assert lasing.sum() > 12
    for wavelength, created, pairs in zip(
        BAND_NM[lasing], found.created_per_shell[lasing], found.pairs_per_shell[lasing], strict=True
    ):
        assert gain(emitter, wavelength, LONG, [created])[0] == pytest.approx(40.0, abs=4e-3)
        assert square_pulse(emitter, created, 7.0)[1] == pytest.approx(pairs, rel=1e-6)
        assert pairs < created


def test_interpolated_occupation_is_good_to_1e_6():
    occupation = Occupation.of(Emitter(), LONG)
    created = np.geomspace(2e-3, 0.99 * occupation.created[-1], 37)
    classes, mean = occupation(created)
    exact, exact_mean = square_pulse(Emitter(), created, 7.0)
    np.testing.assert_allclose(classes, exact, atol=1e-6)
    np.testing.assert_allclose(mean, exact_mean, rtol=1e-6)
    empty, none = occupation(np.zeros(1))
    np.testing.assert_array_equal(empty, np.eye(9)[:1])
    assert none[0] == 0.0


@given(st.floats(600.0, 690.0), st.floats(0.0, 200.0), st.floats(1.0, 100.0))
def test_more_loss_never_lowers_a_threshold(wavelength, required, more):
    found = thresholds(Emitter(), SHORT, np.full(2, wavelength), np.array([required, required + more]))
    first, second = found.pairs_per_shell
    assert np.isnan(second) or first < second


def test_a_maximum_between_grid_points_is_not_missed():
    """Ask for a hair less than the highest gain X ever has: the grid straddles it, a root is found all the same."""
    emitter = Emitter(stokes_shift_mev=60.0)
    wavelength = 676.0
    created = np.linspace(0.5, 4.0, 200_001)
    curve = gain(emitter, wavelength, SHORT, created)
    peak = int(curve.argmax())
    assert 0 < peak < curve.size - 1  # a maximum inside, or the test tests nothing
    found = thresholds(emitter, SHORT, np.array([wavelength]), np.array([curve[peak] * (1 - 1e-8)]))
    assert found.status == (LineStatus.LASES,)
    assert found.pairs_per_shell[0] == pytest.approx(created[peak], abs=2e-3)
    above = thresholds(emitter, SHORT, np.array([wavelength]), np.array([curve[peak] * (1 + 1e-6)]))
    assert above.status == (LineStatus.NO_GAIN,)


def test_what_has_no_threshold_says_why():
    found = thresholds(
        Emitter(), SHORT, np.array([655.0, 655.0, 500.0, 800.0]), np.array([1e5, np.nan, 10.0, 10.0])
    )
    assert found.status == (
        LineStatus.NO_GAIN,
        LineStatus.UNKNOWN_LOSS,
        LineStatus.OUT_OF_BAND,
        LineStatus.OUT_OF_BAND,
    )
    assert np.isnan(found.created_per_shell).all()
    assert np.isfinite(found.transparency_pairs[:2]).all()  # a lower bound where the loss is not known
    assert np.isnan(found.transparency_pairs[2:]).all()
    assert not any(status.has_threshold for status in found.status)


def test_shares_are_of_the_stimulated_emission_and_add_up():
    emitter = Emitter()
    found = thresholds(emitter, SHORT, BAND_NM, np.full(BAND_NM.size, 5.0))
    np.testing.assert_allclose(found.share.sum(axis=1), 1.0, rtol=1e-12)
    at = int(np.flatnonzero(np.isfinite(found.pairs_per_shell))[0])
    emitted = poisson(found.pairs_per_shell[at]) @ sp.channel_gain_per_cm(emitter, BAND_NM[at])[0][0]
    np.testing.assert_allclose(found.share[at], emitted / emitted.sum(), rtol=1e-10)


def test_red_lines_are_x_then_xx_then_mx():
    found = thresholds(Emitter(), SHORT, np.array([675.0, 652.0, 605.0]), np.full(3, 1.0))
    assert [sp.TRANSITIONS[i] for i in found.share.argmax(axis=1)] == ["X", "XX", "MX"]


@pytest.mark.parametrize("pump", [SHORT, LONG])
def test_a_given_threshold_is_taken_where_there_is_gain(pump):
    emitter = Emitter(threshold_pairs=1.6)
    found = thresholds(emitter, pump, np.array([658.0, 600.0]), np.array([1e6, 1.0]))
    assert found.status == (LineStatus.GIVEN, LineStatus.NO_GAIN)
    assert found.pairs_per_shell[0] == pytest.approx(1.6, rel=1e-9)
    assert (found.created_per_shell[0] > 1.6) == pump.quasi_cw  # some pairs go during a long pulse


def test_a_given_threshold_beyond_the_search_is_refused_for_long_pulses():
    with pytest.raises(InputError, match=r"emitter\.threshold_pairs"):
        thresholds(Emitter(threshold_pairs=30.0), LONG, np.array([650.0]), np.array([1.0]))


# -- measured spectra --------------------------------------------------------------------------------------------


def table(
    level="pairs_per_shell", levels=(1.0, 2.0, 4.0), curves=((-50.0, -30.0), (0.0, 10.0), (100.0, 40.0))
):
    rows = [
        (lv, wl, g)
        for lv, curve in zip(levels, curves, strict=True)
        for wl, g in zip((600.0, 700.0), curve, strict=True)
    ]
    names = ("levels", "wavelengths_nm", "gain_per_cm")
    return GainTable(table="gain.csv", level=level, **dict(zip(names, zip(*rows, strict=True), strict=True)))


def at(pairs):
    return Filling(poisson(pairs), np.asarray(pairs), np.asarray(pairs))


def measured(required, wavelengths, *, pump=SHORT, **kwargs):
    emitter = Emitter(spectrum=table(**kwargs))
    return thresholds(emitter, pump, np.asarray(wavelengths), np.asarray(required))


def test_measured_gain_is_linear_in_wavelength_and_level():
    model = Measured(Emitter(), table())
    assert model.window_nm == (600.0, 700.0)
    np.testing.assert_allclose(model.gain_per_cm(np.array([625.0]), at([1.0, 2.0, 4.0])), [-45.0, 2.5, 85.0])
    np.testing.assert_allclose(model.gain_per_cm(np.array([625.0, 700.0]), at([3.0, 1.5])), [43.75, -10.0])


@pytest.mark.parametrize(
    ("wavelength", "level", "key"),
    [
        (599.9, 2.0, "wavelength_nm"), (700.1, 2.0, "wavelength_nm"),
        (650.0, 0.9, "pairs_per_shell"), (650.0, 4.1, "pairs_per_shell"),
    ],
)  # fmt: skip
def test_nothing_is_extrapolated(wavelength, level, key):
    with pytest.raises(InputError, match="not extrapolated") as caught:
        Measured(Emitter(), table()).gain_per_cm(np.array([wavelength]), at([level]))
    assert (caught.value.key, caught.value.file) == (key, "gain.csv")


def test_levels_without_a_common_range_are_refused():
    rows = GainTable(
        table="g.csv",
        level="pairs_per_shell",
        levels=(1, 1, 2, 2),
        wavelengths_nm=(600, 620, 630, 650),
        gain_per_cm=(1,) * 4,
    )
    with pytest.raises(InputError, match="share a range"):
        Measured(Emitter(), rows)


def test_measured_thresholds():
    """At 600 nm: -50, 0, 100 at 1, 2, 4 pairs, so 50 at 3, transparency at 2, 150 never; 590 nm is not there."""
    found = measured([50.0, 150.0, 5.0], [600.0, 600.0, 590.0])
    assert found.status == (LineStatus.LASES, LineStatus.NO_GAIN, LineStatus.OUT_OF_BAND)
    assert found.pairs_per_shell[0] == pytest.approx(3.0, rel=1e-10)
    assert found.transparency_pairs[0] == pytest.approx(2.0, rel=1e-10)


def test_a_table_that_starts_above_threshold_gives_an_upper_bound():
    found = measured([3.0], [650.0], levels=(2.0, 4.0), curves=((5.0, 5.0), (9.0, 9.0)))
    assert found.status == (LineStatus.UPPER_BOUND,)
    assert found.pairs_per_shell[0] == 2.0
    assert np.isnan(found.transparency_pairs[0])


def test_a_table_over_fluence_is_converted_by_the_cross_section():
    found = measured([50.0], [600.0], level="fluence_uj_per_cm2")
    photons = 3e-6 / (1239.841984332 / 400.0 * 1.602176634e-19)
    assert found.pairs_per_shell[0] == pytest.approx(1.7e-13 * photons, rel=1e-9)
    with pytest.raises(InputError, match="one-photon"):
        measured([50.0], [600.0], level="fluence_uj_per_cm2", pump=LONG)


def test_one_curve_of_unnamed_level_only_says_whether():
    found = measured([3.0, 30.0], [650.0, 650.0], level="none", levels=(0.0,), curves=((5.0, 5.0),))
    assert found.status == (LineStatus.UPPER_BOUND, LineStatus.NO_GAIN)
    assert np.isnan(found.pairs_per_shell).all()


def test_the_transition_of_a_measured_line_is_the_nearest():
    found = measured([1.0] * 3, [675.0, 648.5, 610.0])
    assert [sp.TRANSITIONS[i] for i in found.share.argmax(axis=1)] == ["X", "XX", "MX"]


def test_a_table_may_reach_beyond_what_a_long_pulse_leaves():
    """50 cm⁻¹ lie between 2 and 4 pairs, or beyond what is looked at; a table that starts there is refused."""
    far = {"levels": (1.0, 2.0, 4.0, 40.0), "curves": ((-50.0,) * 2, (0.0,) * 2, (100.0,) * 2, (200.0,) * 2)}
    found = measured([50.0, 150.0], [650.0, 650.0], pump=LONG, **far)
    assert found.status == (LineStatus.LASES, LineStatus.NO_GAIN)
    assert found.pairs_per_shell[0] == pytest.approx(3.0, rel=1e-9)
    with pytest.raises(InputError, match=r"emitter\.spectrum"):
        measured([50.0], [650.0], pump=LONG, levels=(40.0, 50.0), curves=((0.0,) * 2, (100.0,) * 2))
