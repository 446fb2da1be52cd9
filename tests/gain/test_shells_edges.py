"""The gain spectrum at its edges: shapes, windows at the limits, and tables whose edges are just missed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cavitydesign.errors import InputError
from cavitydesign.gain import GainModel, gain_spectrum, model_of
from cavitydesign.gain import model as models
from cavitydesign.gain import rates as kin
from cavitydesign.gain import shells as sp
from cavitydesign.gain.measured import Measured
from cavitydesign.gain.pump import Pumping
from cavitydesign.gain.rates import Filling
from cavitydesign.geometry import Emitter, Pump
from cavitydesign.geometry.emitter import GainTable

EMITTER = Emitter()
HC, K = 1239.841984332, 8.617333262e-5
SIGMA = math.sqrt(8.0 * math.log(2.0))
LONG = Pump(wavelength_nm=532.0, pulse_ns=7.0, absorption_cross_section_cm2=1e-14)


def filling(pairs):
    pairs = np.asarray(pairs, dtype=float)
    return Filling(kin.poisson(pairs), pairs, 10.0 * pairs)


# -- modelled ----------------------------------------------------------------------------------------------------


def test_gain_at_any_place_is_the_sum_over_all_lines():
    """The formula of the module's text, written out, away from every centre."""
    emitter = Emitter(temperature_k=250.0, p_strength=0.7, biexciton_shift_mev=40.0, further_shift_mev=15.0)
    energy, mean = 1.97, 2.3
    weight = [math.exp(-mean) * mean**n / math.factorial(n) for n in range(8)]
    weight.append(1.0 - sum(weight))
    width = sp.line_fwhm_ev(emitter) / SIGMA
    stokes, strength = sp.stokes_shift_ev(emitter), 0.5 * sp.peak_gain_per_cm(emitter)

    def line(centre):
        return math.exp(-0.5 * ((energy - centre) / width) ** 2)

    def s_line(n):
        return sp.exciton_energy_ev(emitter) + (0.0 if n < 2 else 0.040 + (n - 2) * 0.015)

    total = 0.0
    for n in range(9):
        in_s, in_p = min(n, 2), min(max(n - 2, 0), 6)
        if n > 0:
            total += weight[n] * (in_s * line(s_line(n)) + 0.7 * in_p * line(s_line(n) + 0.1))
        if n < 8:
            up = s_line(n + 1) + stokes
            total -= weight[n] * ((2 - in_s) * line(up) + 0.7 * (6 - in_p) * line(up + 0.1))
    found = gain_spectrum(emitter, HC / energy, mean)[0]
    assert found == pytest.approx(strength * total, rel=1e-9)
    model = model_of(emitter)
    assert model.gain_per_cm(np.array([HC / energy]), filling([mean]))[0] == pytest.approx(found, rel=1e-9)


def test_a_spectrum_has_the_shape_of_the_pairs_and_then_of_the_wavelengths():
    wavelengths, pairs = np.array([670.0, 648.0, 605.0]), np.array([[0.5, 1.0], [2.0, 6.0]])
    found = gain_spectrum(EMITTER, wavelengths, pairs)
    assert found.shape == (2, 2, 3)
    assert gain_spectrum(EMITTER, 648.0, 2.0) == pytest.approx(found[1, 0, 1:2])
    emission, absorption = sp.channel_gain_per_cm(EMITTER, wavelengths)
    parts = np.einsum("sqn,wnt->sqwt", kin.poisson(pairs), emission - absorption)
    np.testing.assert_allclose(found, parts.sum(axis=-1), atol=1e-9)


def test_the_shares_of_the_stimulated_emission():
    """Emission alone counts, and where there is none the shares are nothing at all."""
    model = model_of(EMITTER)
    wavelengths = np.array([[670.0], [640.0]])
    found = model.shares(wavelengths, filling([0.0, 2.0]))
    assert found.shape == (2, 2, 3)
    np.testing.assert_array_equal(found[:, 0], 0.0)
    np.testing.assert_allclose(found[:, 1].sum(axis=-1), 1.0)
    emitted = kin.poisson(2.0) @ sp.channel_gain_per_cm(EMITTER, 640.0)[0][0]
    assert (emitted > 0.0).all()
    np.testing.assert_allclose(found[1, 1], emitted / emitted.sum(), rtol=1e-10)


def test_asking_again_at_other_wavelengths_gives_other_gain():
    model = model_of(EMITTER)
    first, second = (model.gain_per_cm(np.array([w]), filling([2.0]))[0] for w in (670.0, 640.0))
    assert first != second
    assert model.gain_per_cm(np.array([670.0]), filling([2.0]))[0] == first


@pytest.mark.parametrize("temperature_k", [4.0, 77.0, 293.0])
def test_phonons_freeze_out(temperature_k):
    occupancy = 1.0 / math.expm1(0.026 / (K * temperature_k)) if temperature_k > 10.0 else 0.0
    width = 71e-6 * temperature_k + 0.021 * occupancy
    emitter = Emitter(temperature_k=temperature_k)
    assert sp.homogeneous_fwhm_ev(emitter) == pytest.approx(width, rel=1e-6)
    assert sp.homogeneous_fwhm_ev(EMITTER, temperature_k=temperature_k) == pytest.approx(width, rel=1e-6)
    assert sp.line_fwhm_ev(EMITTER, temperature_k=temperature_k) == pytest.approx(
        math.hypot(0.06, width), rel=1e-6
    )
    assert sp.stokes_shift_ev(emitter) == pytest.approx((width / SIGMA) ** 2 / (K * temperature_k), rel=1e-6)


def test_the_red_end_of_the_window_is_never_below_50_mev():
    emitter = Emitter(exciton_ev=0.3, inhomogeneous_fwhm_mev=400.0)
    shorter, longer = sp.model_window_nm(emitter)
    assert longer == pytest.approx(HC / 0.05, rel=1e-9)
    assert shorter < HC / 0.3


# -- measured ----------------------------------------------------------------------------------------------------


def table(level="pairs_per_shell", levels=(1.0, 3.0)):
    rows = [(lv, wl) for lv in levels for wl in (600.0, 700.0)]
    return GainTable(
        table="g.csv", level=level, levels=tuple(r[0] for r in rows), wavelengths_nm=tuple(r[1] for r in rows),
        gain_per_cm=tuple(100.0 * (r[0] - 2.0) + (r[1] - 600.0) for r in rows),
    )  # fmt: skip


def test_a_measured_model_is_asked_at_all_levels_for_each_wavelength():
    model = Measured(EMITTER, table())
    found = model.gain_per_cm(np.array([[600.0], [650.0], [700.0]]), filling([1.0, 1.5, 3.0]))
    expected = 100.0 * (np.array([1.0, 1.5, 3.0]) - 2.0) + np.array([[0.0], [50.0], [100.0]])
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert model.shares(np.array([[600.0], [670.0]]), filling([1.0, 3.0])).shape == (2, 2, 3)
    assert model.window_nm == (600.0, 700.0)


@pytest.mark.parametrize(("off", "fits"), [(0.9e-5, True), (1.1e-5, False)])
@pytest.mark.parametrize(("edge", "away"), [(1.0, -1.0), (3.0, 1.0)])
def test_a_level_a_hair_beyond_the_table_counts_as_its_edge(edge, away, off, fits):
    """By a hundred-thousandth of the highest level, as the nodes of a long pulse may be off."""
    model = Measured(EMITTER, table())
    asked = np.array([650.0]), filling([edge + away * off * 3.0])
    if fits:
        assert model.gain_per_cm(*asked) == pytest.approx(100.0 * (edge - 2.0) + 50.0)
    else:
        with pytest.raises(InputError, match="not extrapolated"):
            model.gain_per_cm(*asked)


def test_a_curve_of_no_level_is_the_same_at_every_filling():
    model = Measured(EMITTER, table("none", levels=(0.0,)))
    found = model.gain_per_cm(np.array([[600.0], [700.0]]), filling([0.5, 7.0, 40.0]))
    np.testing.assert_allclose(found, [[-200.0] * 3, [-100.0] * 3])
    levels = model.levels(Pumping.of(EMITTER, Pump()))
    assert levels.shape == (1,)
    assert np.isnan(levels).all()


def test_levels_in_pairs_go_as_far_as_the_pulse_leaves_them():
    """A long pulse leaves about 12 pairs: of 1, 3, 40 the first two; the first is always asked for."""
    emitter = Emitter()
    long, short = Pumping.of(emitter, LONG), Pumping.of(emitter, Pump())
    model = Measured(emitter, table(levels=(1.0, 3.0, 40.0)))
    assert model.levels(short).tolist() == [1.0, 3.0, 40.0]
    reached = model.levels(long)
    assert len(reached) == 2
    np.testing.assert_allclose(long.at(reached).pairs_per_shell, [1.0, 3.0], rtol=1e-9)


def test_windows_and_levels_of_a_table():
    found = Measured(EMITTER, table())
    assert found.table_levels.tolist() == [1.0, 3.0]
    np.testing.assert_allclose(found.gain_per_cm(np.array([650.0]), filling([2.0])), [50.0])
    np.testing.assert_allclose(found.gain_per_cm(np.array([600.0, 700.0]), filling([1.0])), [-100.0, 0.0])


# -- the protocol ------------------------------------------------------------------------------------------------


def test_the_first_model_that_claims_an_emitter_has_it(monkeypatch):
    monkeypatch.setattr(models, "_CLAIMS", [])
    asked = []

    @models.register
    def second(emitter):
        asked.append("none")

    @models.register
    def third(emitter):
        asked.append("mine")
        return "a model"

    @models.register
    def never(emitter):
        raise AssertionError

    assert model_of(EMITTER) == "a model"
    assert asked == ["none", "mine"]
    assert callable(second)
    assert callable(third)


def test_a_model_of_ones_own_searches_where_the_pump_reaches_and_labels_nothing():
    class Least(GainModel):
        window_nm = (600.0, 700.0)

        def gain_per_cm(self, wavelengths_nm, filling):
            return filling.pairs_per_shell - 1.0 + 0.0 * wavelengths_nm

    pumping = Pumping.of(EMITTER, Pump())
    assert Least().levels(pumping) is pumping.occupation.created
    assert Least().given_pairs is None
    shares = Least().shares(np.ones((4, 1)), filling([1.0, 2.0]))
    assert shares.shape == (4, 2, 3)
    assert not shares.any()
