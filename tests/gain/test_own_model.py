"""A gain model of one's own goes through the whole coupler, and the constant one has a threshold in closed form."""

import math
import re

import numpy as np
import pytest

from cavitydesign import load_design
from cavitydesign.errors import InputError
from cavitydesign.gain import Constant, GainModel, couple
from cavitydesign.gain.model import maker_of, model_of
from cavitydesign.gain.pump import Pumping
from cavitydesign.gain.threshold import LineStatus, thresholds
from cavitydesign.geometry import Emitter, Pump, SourcedNumber
from cavitydesign.geometry.emitter import GainTable
from cavitydesign.solvers.solution import Modes
from cavitydesign.study.predict import lasing_lines

SHORT = Pump()
LONG = Pump(wavelength_nm=532.0, pulse_ns=7.0, absorption_cross_section_cm2=1e-14)
CONSTANT = Constant(slope_per_cm=50.0, transparency_pairs=1.2, window_nm=(600.0, 700.0))
MODES = Modes.from_columns(wavelength_nm=[650.0, 610.0, 720.0], threshold_gain_per_cm=[20.0, 40.0, 1.0])


class Toy(GainModel):
    """Saturating gain whose strength is a number of the emitter; it calls everything XX."""

    window_nm = (600.0, 700.0)

    def __init__(self, emitter):
        self.strength = 1e3 * emitter.volume_fraction

    def gain_per_cm(self, wavelengths_nm, filling):
        pairs = filling.pairs_per_shell
        return self.strength * (pairs - 1.0) / (pairs + 1.0) + 0.0 * wavelengths_nm

    def shares(self, wavelengths_nm, filling):
        return super().shares(wavelengths_nm, filling) + np.array([0.0, 1.0, 0.0])


def test_a_model_of_ones_own_gives_thresholds_labels_and_errors():
    """s (N-1)/(N+1) = g at N = (s+g)/(s-g), so dN/ds = -2g/(s-g)²."""
    record = SourcedNumber(path="emitter.volume_fraction", value=0.5, source="assumed", plus_minus=1e-4)
    lines = couple(MODES, Emitter(), SHORT, model=Toy, sources=[record])
    np.testing.assert_array_equal(lines.wavelength_nm, [650.0, 610.0, 720.0])
    np.testing.assert_allclose(lines.pairs_per_shell[:2], [520.0 / 480.0, 540.0 / 460.0], rtol=1e-9)
    np.testing.assert_allclose(lines.transparency_pairs[:2], 1.0, rtol=1e-9)
    np.testing.assert_allclose(lines.pairs_err[:2], [0.1 * 40.0 / 480.0**2, 0.1 * 80.0 / 460.0**2], rtol=1e-5)
    assert list(lines.transition) == ["XX", "XX", ""]
    assert lines.status == (LineStatus.LASES, LineStatus.LASES, LineStatus.OUT_OF_BAND)


@pytest.mark.parametrize("pump", [SHORT, LONG])
def test_constant_gain_has_a_threshold_in_closed_form(pump):
    lines = couple(MODES, Emitter(), pump, model=lambda _: CONSTANT, errors=False)
    np.testing.assert_allclose(lines.pairs_per_shell[:2], [1.2 + 20.0 / 50.0, 1.2 + 40.0 / 50.0], rtol=1e-9)
    np.testing.assert_allclose(lines.transparency_pairs[:2], 1.2, rtol=1e-9)
    assert list(lines.transition) == [""] * 3  # it tells no transitions apart
    assert lines.status[2] is LineStatus.OUT_OF_BAND


TABLE = GainTable(
    table="gain.csv",
    level="pairs_per_shell",
    levels=(0.0, 0.0, 4.0, 4.0),
    wavelengths_nm=(600.0, 700.0, 600.0, 700.0),
    gain_per_cm=(-60.0, -60.0, 140.0, 140.0),
)


@pytest.mark.parametrize("emitter", [Emitter(), Emitter(spectrum=TABLE)])
@pytest.mark.parametrize("pump", [SHORT, LONG])
def test_every_model_keeps_to_the_protocol(emitter, pump):
    pumping = Pumping.of(emitter, pump)
    for model in (model_of(emitter), Toy(emitter), CONSTANT):
        levels = model.levels(pumping)
        assert (np.diff(levels) > 0.0).all()
        filling = pumping.at(levels)
        wavelengths = np.linspace(*model.window_nm, 7)
        grid = model.gain_per_cm(wavelengths[:, None], filling)
        shares = model.shares(wavelengths[:, None], filling)
        assert grid.shape == (7, len(levels))
        assert shares.shape == (7, len(levels), 3)
        for row, level in enumerate(levels[[0, -1]]):  # at one level for each wavelength: the same numbers
            one = pumping.at(np.full(7, level))
            np.testing.assert_allclose(
                model.gain_per_cm(wavelengths, one), grid[:, -row], rtol=1e-9, atol=1e-9
            )
            np.testing.assert_allclose(model.shares(wavelengths, one), shares[:, -row], atol=1e-12)


def test_a_table_that_starts_at_nothing_gives_no_upper_bound():
    emitter = Emitter(spectrum=TABLE)
    found = thresholds(model_of(emitter), Pumping.of(emitter, SHORT), np.array([650.0]), np.array([-60.0]))
    assert found.status == (LineStatus.LASES,)
    assert found.pairs_per_shell[0] == 0.0


def test_a_table_and_the_constant_model_agree():
    """The table is the line through -60 and 140 at 0 and 4 pairs: slope 50, transparency 1.2, as CONSTANT has it."""
    table = couple(MODES, Emitter(spectrum=TABLE), LONG, errors=False)
    constant = couple(MODES, Emitter(), LONG, model=lambda _: CONSTANT, errors=False)
    np.testing.assert_allclose(table.value, constant.value, rtol=1e-9)


def test_a_design_takes_a_model_too():
    design = load_design("layouts/nanopillar.toml")
    lines = lasing_lines(design, MODES, model=lambda _: CONSTANT, errors=False)
    np.testing.assert_allclose(lines.pairs_per_shell[:2], [1.6, 2.0], rtol=1e-9)


def test_a_model_serves_as_it_is_as_a_class_and_as_what_makes_it():
    made = couple(MODES, Emitter(), SHORT, model=lambda _: CONSTANT, errors=False)
    given = couple(MODES, Emitter(), SHORT, model=CONSTANT, errors=False)
    np.testing.assert_array_equal(given.value, made.value)
    made = maker_of(Toy)(Emitter(volume_fraction=0.25))
    assert isinstance(made, Toy), "a class is asked for a model of each emitter"
    assert made.strength == 250.0
    assert maker_of(CONSTANT)(Emitter()) is CONSTANT


class Broken(GainModel):
    """Says what it is told to say."""

    def __init__(self, gain=1.0, window_nm=(600.0, 700.0)):
        self.gain, self.window_nm = gain, window_nm

    def gain_per_cm(self, wavelengths_nm, filling):
        return np.full(np.broadcast_shapes(wavelengths_nm.shape, filling.pairs_per_shell.shape), self.gain)


class Silent(GainModel):
    """Forgot its gain."""

    window_nm = (600.0, 700.0)


@pytest.mark.parametrize(
    ("model", "key", "rule"),
    [
        (Broken(math.nan), "model", "no finite number"),
        (Broken(math.inf), "model", "no finite number"),
        (Broken(window_nm=(700.0, 600.0)), "model.window_nm", "(shorter, longer)"),
        (Broken(window_nm=(math.nan, 600.0)), "model.window_nm", "(shorter, longer)"),
        (Broken(window_nm="600:700"), "model.window_nm", "(shorter, longer)"),
        (Silent(), "model", "Silent has none"),
        (lambda emitter: Silent(), "model", "Silent has none"),
        (lambda emitter: None, "model", "NoneType has none"),
        ("shells", "model", "must be a gain model"),
    ],
)
def test_a_model_that_is_none_is_refused(model, key, rule):
    modes = Modes.from_columns(wavelength_nm=[650.0], threshold_gain_per_cm=[20.0])
    with pytest.raises(InputError, match=re.escape(rule)) as caught:
        couple(modes, Emitter(), Pump(), model=model)
    assert caught.value.key == key


def test_gain_that_nobody_asks_for_may_be_anything():
    modes = Modes.from_columns(wavelength_nm=[750.0], threshold_gain_per_cm=[20.0])
    (line,) = couple(modes, Emitter(), Pump(), model=Broken(math.nan))
    assert line.status.name == "OUT_OF_BAND"
