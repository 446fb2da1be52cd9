"""The search for a threshold where it is hard: narrow maxima, first levels, rows side by side, unknown losses."""

from __future__ import annotations

import numpy as np
import pytest

from cavitydesign.gain import GainModel, LineStatus, Pumping
from cavitydesign.gain.pump import HIGHEST_PAIRS, Occupation, pumped_occupation
from cavitydesign.gain.threshold import thresholds
from cavitydesign.geometry import Emitter, Pump

EMITTER = Emitter()
PUMPING = Pumping.of(EMITTER, Pump())
LONG = Pump(wavelength_nm=532.0, pulse_ns=7.0, absorption_cross_section_cm2=1e-14)


class Curve(GainModel):
    """Gain by a formula of pairs (and wavelength), searched between given levels; the share of XX grows with pairs."""

    window_nm = (600.0, 700.0)

    def __init__(self, formula, levels, *, given=None):
        self.formula, self.known, self.given_pairs = formula, np.asarray(levels, dtype=float), given
        self.asked = []

    def gain_per_cm(self, wavelengths_nm, filling):
        self.asked.append(np.broadcast_shapes(np.shape(wavelengths_nm), np.shape(filling.pairs_per_shell)))
        return self.formula(filling.pairs_per_shell) + 0.0 * wavelengths_nm

    def shares(self, wavelengths_nm, filling):
        pairs = filling.pairs_per_shell + 0.0 * wavelengths_nm
        return np.stack([1.0 - pairs / 10.0, pairs / 10.0, 0.0 * pairs], axis=-1)

    def levels(self, pumping):
        return self.known


def found(formula, levels, required, wavelengths=None, **options):
    required = np.asarray(required, dtype=float)
    wavelengths = np.full(required.shape, 650.0) if wavelengths is None else np.asarray(wavelengths)
    return thresholds(Curve(formula, levels, **options), PUMPING, wavelengths, required)


@pytest.mark.parametrize("place", [1, 2, 38, 39])
def test_a_maximum_between_grid_points_is_found_wherever_it_is(place):
    """On the grid 0.995 at 2, the highest; a tooth of 1.005 on one of the 39 points looked at between 1 and 3."""
    at = 1.0 + 2.0 * place / 40.0

    def tooth(pairs):
        base = 0.995 - 0.3 * np.abs(pairs - 2.0)
        return np.maximum(base, 1.005 - 40.0 * np.abs(pairs - at))

    result = found(tooth, [0.0, 1.0, 2.0, 3.0, 4.0], [1.0])
    assert result.status == (LineStatus.LASES,)
    assert result.pairs_per_shell[0] == pytest.approx(at - 0.005 / 40.0, rel=1e-9)


@pytest.mark.parametrize(("short", "status"), [(0.0099, LineStatus.LASES), (0.0101, LineStatus.NO_GAIN)])
def test_only_what_nearly_makes_it_is_looked_at_more_closely(short, status):
    """Within a hundredth of the largest gain or loss on the grid, here the loss of -2 at nothing."""

    def curve(pairs):
        hill = 1.0 - 0.25 * (pairs - 2.0) ** 2
        return np.where(np.abs(pairs - 2.5) < 1e-3, 3.0, np.where(pairs == 0.0, -2.0, hill))

    result = found(curve, [0.0, 1.0, 2.0, 3.0, 4.0], [1.0 + 2.0 * short])
    assert result.status == (status,)


def test_a_maximum_at_an_end_is_no_maximum_between():
    falls = found(lambda n: 1.0 - 0.1 * n, [0.0, 1.0, 2.0], [1.001])
    rises = found(lambda n: 0.1 * n, [0.0, 1.0, 2.0], [0.2001])
    assert falls.status == rises.status == (LineStatus.NO_GAIN,)


def test_of_several_crossings_the_first_counts_and_rows_do_not_disturb_each_other():
    def wave(pairs):
        return np.sin(2.0 * pairs)

    required = np.array([0.5, 0.9, -0.5, 2.0, 0.0])
    result = found(wave, np.linspace(0.0, 6.0, 61), required)
    expected = [0.5 * np.arcsin(0.5), 0.5 * np.arcsin(0.9), 0.0, np.nan, 0.0]
    np.testing.assert_allclose(result.pairs_per_shell, expected, rtol=1e-9)
    assert [status.name for status in result.status] == ["LASES", "LASES", "LASES", "NO_GAIN", "LASES"]


def test_steep_and_curved_crossings_are_polished_to_eleven_digits():
    for power in (0.6, 1.0, 3.0, 9.0):
        result = found(lambda n, power=power: n**power, [0.0, 0.3, 4.0, 9.0], [2.0])
        assert result.pairs_per_shell[0] == pytest.approx(2.0 ** (1.0 / power), rel=1e-9)


def test_a_step_is_found_where_it_is():
    """False position alone would creep; the bracket shrinks all the same."""
    result = found(lambda n: np.where(n < 2.2, -1.0, 50.0), [0.0, 1.0, 4.0], [0.0])
    assert result.pairs_per_shell[0] == pytest.approx(2.2, abs=1e-6)


def test_shares_are_those_at_threshold_else_at_transparency_else_at_the_first_level():
    line = lambda n: 10.0 * (n - 1.0)  # noqa: E731
    lases, dark, never = found(line, [0.0, 1.0, 5.0], [20.0, np.nan, 100.0]).share
    np.testing.assert_allclose(lases, [0.7, 0.3, 0.0], rtol=1e-9)
    np.testing.assert_allclose(dark, [0.9, 0.1, 0.0], rtol=1e-9)
    np.testing.assert_allclose(never, [0.9, 0.1, 0.0], rtol=1e-9)
    (first,) = found(lambda n: n - 9.0, [0.5, 2.0], [1.0]).share
    np.testing.assert_allclose(first, [0.95, 0.05, 0.0], rtol=1e-9)


def test_outside_the_window_the_model_is_not_asked_and_nothing_is_said():
    def steep(pairs):
        return 10.0 * pairs

    result = found(steep, [0.0, 1.0, 2.0], [5.0] * 4, [600.0, 700.0, 599.999, 700.001])
    assert [status.name for status in result.status] == ["LASES", "LASES", "OUT_OF_BAND", "OUT_OF_BAND"]
    np.testing.assert_allclose(result.created_per_shell, [0.5, 0.5, np.nan, np.nan], rtol=1e-9)
    np.testing.assert_allclose(result.transparency_pairs, [0.0, 0.0, np.nan, np.nan])
    np.testing.assert_array_equal(result.share[2:], 0.0)
    unknown = found(steep, [0.0, 1.0], [np.nan, np.nan], [650.0, 720.0])
    assert [status.name for status in unknown.status] == ["UNKNOWN_LOSS", "OUT_OF_BAND"]


def test_a_model_that_starts_above_nothing_bounds_from_above():
    """Reached at the first level: an upper bound, and of transparency nothing is known; else as always."""
    line = lambda n: 10.0 * (n - 1.0)  # noqa: E731
    result = found(line, [2.0, 3.0, 4.0], [5.0, 10.0, 25.0, 40.0])
    assert [status.name for status in result.status] == ["UPPER_BOUND", "UPPER_BOUND", "LASES", "NO_GAIN"]
    np.testing.assert_allclose(result.pairs_per_shell, [2.0, 2.0, 3.5, np.nan], rtol=1e-9)
    assert np.isnan(result.transparency_pairs).all()
    later = found(line, [0.5, 3.0], [5.0])
    assert later.transparency_pairs[0] == pytest.approx(1.0, rel=1e-9)


def test_a_given_threshold_counts_where_the_gain_is_above_nothing():
    line = lambda n: 10.0 * (n - 2.0)  # noqa: E731
    for given, status in ((2.0, "NO_GAIN"), (2.0001, "GIVEN"), (1.0, "NO_GAIN")):
        result = found(line, [0.0, 1.0, 5.0], [1e9, np.nan], given=given)
        assert [item.name for item in result.status] == [status] * 2
        known = given if status == "GIVEN" else np.nan
        np.testing.assert_array_equal(result.created_per_shell, [known] * 2)
        np.testing.assert_allclose(result.transparency_pairs, 2.0, rtol=1e-9)
    (out,) = found(line, [0.0, 5.0], [1.0], [720.0], given=3.0).status
    assert out is LineStatus.OUT_OF_BAND


@pytest.mark.parametrize(
    ("status", "has"),
    [
        ("LASES", True), ("GIVEN", True), ("UPPER_BOUND", True), ("NO_GAIN", False), ("OUT_OF_BAND", False),
        ("UNKNOWN_LOSS", False),
    ],
)  # fmt: skip
def test_which_statuses_have_a_threshold(status, has):
    assert LineStatus[status].has_threshold is has


def test_the_levels_of_a_modelled_film_reach_from_nothing_to_twelve_pairs():
    for pump in (Pump(), LONG):
        occupation = Occupation.of(EMITTER, pump)
        assert occupation.created[0] == 0.0
        assert occupation.created[1] == pytest.approx(1e-3)
        assert HIGHEST_PAIRS <= occupation.mean[-1] < 1.3 * HIGHEST_PAIRS
        steps = np.diff(np.log(occupation.created[1:]))
        np.testing.assert_allclose(steps, steps[0], rtol=1e-9)
        assert len(occupation.created) == (241 if pump.quasi_cw else 401)


def test_a_long_pulse_between_its_nodes_is_what_the_exponential_gives():
    """To 1e-6, also below the first node, where it goes linearly, and at the nodes and ends themselves."""
    occupation = Occupation.of(EMITTER, LONG)
    nodes = occupation.created
    between = np.sqrt(nodes[1:-1] * nodes[2:])
    at = np.concatenate([[0.0, 2e-4, 1e-3], between[[0, 1, 2, 100, -3, -2, -1]], nodes[[2, 50, -2, -1]]])
    classes, mean = occupation(at)
    exact_classes, exact_mean = pumped_occupation(EMITTER, LONG, at)
    np.testing.assert_allclose(classes, exact_classes, atol=2e-6)
    np.testing.assert_allclose(mean, exact_mean, rtol=5e-5, atol=1e-9)
