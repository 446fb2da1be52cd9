"""Errors, order and needed gain of the coupler, on a gain model whose thresholds can be written down."""

import math
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from cavitydesign.gain import LineStatus, couple, required_gain_per_cm
from cavitydesign.gain.constant import Constant
from cavitydesign.gain.model import GainModel
from cavitydesign.geometry import Emitter, Pump, SourcedNumber

PHOTON_UJ = 1239.841984332 / 400.0 * 1.602176634e-13
LEVEL_PER_PAIR = PHOTON_UJ / 1.7e-13
"""µJ/cm² that create one pair with the default emitter and pump."""


class Table:
    """The least that the coupler reads of modes."""

    def __init__(self, wavelengths, gain, *, q=500.0, confinement=0.5, dark=None):
        size = len(wavelengths)
        self.columns = {
            "wavelength_nm": np.asarray(wavelengths, dtype=float),
            "threshold_gain_per_cm": np.asarray(gain, dtype=float),
            "q": np.broadcast_to(np.asarray(q, dtype=float), size),
            "confinement": np.broadcast_to(np.asarray(confinement, dtype=float), size),
        }
        self.dark = np.zeros(size, dtype=bool) if dark is None else np.asarray(dark)

    def __len__(self):
        return len(self.dark)

    def __getitem__(self, name):
        return self.columns[name]

    def __iter__(self):
        return iter([SimpleNamespace(number=row) for row in range(len(self))])


def linear(emitter):
    """⟨N⟩ = further_shift/10 + g/(100 p_strength): 1 + g/100 by default."""
    return Constant(100.0 * emitter.p_strength, emitter.further_shift_mev / 10.0, (600.0, 700.0))


def source(path, plus_minus):
    return SourcedNumber(path=path, value=1.0, source="assumed", plus_minus=plus_minus)


def errors_of(*sources, gain=50.0, pump=None):
    return couple(Table([650.0], [gain]), Emitter(), pump or Pump(), model=linear, sources=sources)


# -- errors ------------------------------------------------------------------------------------------------------


def test_the_threshold_itself():
    lines = errors_of()
    assert lines.pairs_per_shell[0] == pytest.approx(1.5, rel=1e-10)
    assert lines.value[0] == pytest.approx(1.5 * LEVEL_PER_PAIR, rel=1e-9)
    assert lines.transparency_pairs[0] == pytest.approx(1.0, rel=1e-10)
    assert lines.unit == "uJ/cm2"
    assert lines.contributions == ((),)
    assert lines.value_err[0] == lines.pairs_err[0] == 0.0


@pytest.mark.parametrize(
    ("path", "plus_minus", "pairs", "level"),
    [
        ("emitter.further_shift_mev", 2.0, 0.2, 0.2),
        ("emitter.p_strength", 0.25, 0.5 * (0.5 / 0.75 - 0.5 / 1.25), 0.5 * (0.5 / 0.75 - 0.5 / 1.25)),
        ("emitter.absorption_cross_section_cm2", 0.5e-13, 0.0, 1.5 * 0.5 * (1.7 / 1.2 - 1.7 / 2.2)),
        ("pump.wavelength_nm", 8.0, 0.0, 1.5 * 0.5 * (400.0 / 392.0 - 400.0 / 408.0)),
        ("pump.transmission", 0.3, 0.0, 1.5 * (1.0 / 0.7 - 1.0)),  # 1.3 is not allowed: one side
    ],
)
def test_half_the_range_is_the_contribution(path, plus_minus, pairs, level):
    lines = errors_of(source(path, plus_minus))
    (found,) = lines.contributions[0]
    assert (found.input, found.plus_minus) == (path, plus_minus)
    assert found.pairs_err == pytest.approx(pairs, rel=1e-8)
    assert found.value_err == pytest.approx(level * LEVEL_PER_PAIR, rel=1e-8)
    assert lines.value_err[0] == pytest.approx(found.value_err, rel=1e-12)
    assert lines.lost_if == ((),)


@pytest.mark.parametrize(
    ("path", "plus_minus"),
    [
        ("pump.wavelength_nm", 20.0),  # both sides beyond what the cross-section holds for
        ("emitter.exciton_lifetime_ns", 45.0),  # short pulses do not see it
        ("emitter.p_strength", None),
        ("emitter.p_strength", 0.0),
        ("emitter.no_such", 1.0),
        ("emitter.stokes_shift_mev", 1.0),  # not given, so there is nothing to move
        ("film.thickness_nm", 5.0),
    ],
)
def test_what_contributes_nothing(path, plus_minus):
    lines = errors_of(source(path, plus_minus))
    assert lines.contributions == ((),)
    assert lines.value_err[0] == 0.0


def test_squares_are_added_and_the_largest_comes_first():
    three = [
        source("emitter.further_shift_mev", 2.0),
        source("pump.transmission", 0.3),
        source("pump.wavelength_nm", 8.0),
    ]
    lines = errors_of(*three)
    names = [c.input for c in lines.contributions[0]]
    assert names == ["pump.transmission", "emitter.further_shift_mev", "pump.wavelength_nm"]
    parts = np.array([1.5 * (1.0 / 0.7 - 1.0), 0.2, 0.75 * (400.0 / 392.0 - 400.0 / 408.0)])
    assert lines.value_err[0] == pytest.approx(math.sqrt((parts**2).sum()) * LEVEL_PER_PAIR, rel=1e-8)
    assert lines.pairs_err[0] == pytest.approx(0.2, rel=1e-8)


def test_a_threshold_that_is_lost_says_by_what():
    """With p_strength 0.04, ⟨N⟩ would be 13.5, beyond what is looked at; the other side is 1 + 0.5/1.96."""
    lines = errors_of(source("emitter.p_strength", 0.96), source("emitter.further_shift_mev", 2.0))
    assert lines.lost_if == (("emitter.p_strength",),)
    by_name = {c.input: c for c in lines.contributions[0]}
    assert by_name["emitter.p_strength"].pairs_err == pytest.approx(0.5 - 0.5 / 1.96, rel=1e-8)


def test_no_threshold_no_errors():
    table = Table([650.0, 650.0, 750.0], [50.0, 1e4, 50.0])
    lines = couple(table, Emitter(), Pump(), model=linear, sources=[source("emitter.further_shift_mev", 2.0)])
    assert np.isfinite(lines.value_err).tolist() == [True, False, False]
    assert lines.contributions[1:] == ((), ())
    assert lines.lost_if == ((), (), ())
    without = couple(table, Emitter(), Pump(), model=linear, errors=False)
    assert np.isnan(without.value_err).all()
    assert np.isnan(without.pairs_err).all()


def test_the_defaults_records_are_taken_unless_others_are_given():
    lines = couple(Table([650.0], [50.0]), Emitter(p_strength=0.9), Pump(), model=linear)
    names = {c.input for c in lines.contributions[0]}
    assert {"emitter.further_shift_mev", "emitter.absorption_cross_section_cm2", "pump.transmission"} <= names
    assert "emitter.p_strength" not in names  # written out, so its default's error is not its own


# -- order -------------------------------------------------------------------------------------------------------


def coupled(*args, model=linear, **kwargs):
    dark_last = kwargs.pop("dark_last", True)
    return couple(Table(*args, **kwargs), Emitter(), Pump(), model=model, errors=False, dark_last=dark_last)


def test_lowest_threshold_first_and_those_without_last():
    """Of those without, the one that gets transparent at all comes first."""
    lines = coupled([650.0, 750.0, 640.0, 630.0, 620.0], [80.0, 1.0, 20.0, 1e4, 50.0])
    assert list(lines.mode_index) == [2, 4, 0, 3, 1]
    assert [mode.number for mode in lines.modes] == [2, 4, 0, 3, 1]
    np.testing.assert_array_equal(lines.required_gain_per_cm, [20.0, 50.0, 80.0, 1e4, 1.0])
    assert lines.status[3:] == (LineStatus.NO_GAIN, LineStatus.OUT_OF_BAND)


def test_dark_modes_stand_behind_bright_ones():
    gain, dark = [80.0, 1.0, 1e4, 20.0], [False, True, False, True]
    assert list(coupled([650.0] * 4, gain, dark=dark).mode_index) == [0, 1, 3, 2]
    lines = coupled([650.0] * 4, gain, dark=dark, dark_last=False)
    assert list(lines.mode_index) == [1, 3, 0, 2]
    assert list(lines.dark) == [True, True, False, False]


@dataclass
class Sloped(GainModel):
    """Transparent at (λ - 600)/100 pairs, and lasing at two wherever there is gain."""

    window_nm: tuple[float, float] = (600.0, 700.0)
    given_pairs: float | None = 2.0

    def gain_per_cm(self, wavelengths_nm, filling):
        return filling.pairs_per_shell - (wavelengths_nm - 600.0) / 100.0


def test_of_equal_thresholds_the_first_transparent_then_the_redder():
    lines = coupled([690.0, 620.0, 650.0], [1.0] * 3, model=lambda emitter: Sloped())
    assert lines.status == (LineStatus.GIVEN,) * 3
    assert list(lines.wavelength_nm) == [620.0, 650.0, 690.0]
    np.testing.assert_allclose(lines.transparency_pairs, [0.2, 0.5, 0.9], rtol=1e-9)
    alike = coupled([620.0, 690.0, 650.0], [50.0] * 3)
    assert list(alike.wavelength_nm) == [690.0, 650.0, 620.0]


# -- the gain that a mode needs ----------------------------------------------------------------------------------


def test_an_unknown_loss_has_transparency_only():
    lines = coupled([650.0, 640.0], [math.nan, 50.0], q=math.nan)
    assert lines.status == (LineStatus.LASES, LineStatus.UNKNOWN_LOSS)
    assert np.isnan(lines.required_gain_per_cm[1])
    assert np.isnan(lines.value[1])
    assert lines.transparency_pairs[1] == pytest.approx(1.0, rel=1e-10)


def test_estimate_of_the_needed_gain():
    """2π n / (λ Q Γ); an infinite Q needs none; a number of the table's own wins, and is never negative."""
    table = Table(
        [650.0, 650.0, 650.0, 650.0, 650.0],
        [math.nan, math.nan, 12.0, -4.0, math.nan],
        q=[2000.0, math.inf, 2000.0, 2000.0, -5.0],
        confinement=[0.4, 0.4, 0.4, 0.4, 0.4],
    )
    expected = 2.0 * math.pi * 1.9 / (650e-7 * 2000.0 * 0.4)
    np.testing.assert_allclose(
        required_gain_per_cm(table, film_index=1.9), [expected, 0.0, 12.0, 0.0, math.nan]
    )
    np.testing.assert_allclose(required_gain_per_cm(table), [math.nan, 0.0, 12.0, 0.0, math.nan])


def test_the_film_index_reaches_the_estimate():
    table = Table([650.0], [math.nan], q=50_000.0)
    lines = couple(table, Emitter(), Pump(), model=linear, film_index=1.9, errors=False)
    needed = 2.0 * math.pi * 1.9 / (650e-7 * 50_000.0 * 0.5)
    assert lines.pairs_per_shell[0] == pytest.approx(1.0 + needed / 100.0, rel=1e-9)
