"""Calibration against closed forms: the modes of a toy are linear, so posterior and fit are known exactly."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from cavitydesign.errors import InputError, SolverError, Status
from cavitydesign.study import calibrate as subject
from cavitydesign.study.calibrate import Fitted, calibrate, fittable, is_pulled
from tests.study.toy import FILM_INDEX, THICKNESS, Rule, Toy, assumed, film, peak

ONE = Toy((Rule(640.0, by_thickness=0.5),))
TWO = Toy(
    (
        Rule(640.0, by_thickness=0.5, by_index=40.0, symmetry="E"),
        Rule(620.0, by_thickness=-0.2, by_index=100.0, symmetry="A1"),
    )
)


def test_one_input_has_the_posterior_of_the_closed_form():
    found = calibrate(film(), [peak(643.0, wavelength_err_nm=2.0)], ONE)
    (item,) = found.fitted
    # in units of σ_p = 10 nm: J = 5 nm, σ = 2 nm; (J²/σ² + 1)⁻¹ = 1/7.25, u = (J/σ²) 3 / 7.25
    u = (5.0 / 4.0) * 3.0 / 7.25
    assert item.value == pytest.approx(200.0 + 10.0 * u, rel=1e-10)
    assert item.error == pytest.approx(10.0 / math.sqrt(7.25), rel=1e-10)
    assert item.pull == pytest.approx(u, rel=1e-9)
    assert (item.path, item.prior, item.plus_minus) == (THICKNESS, 200.0, 10.0)
    assert found.chi2 == pytest.approx(((5.0 * u - 3.0) / 2.0) ** 2 + u * u, rel=1e-9)
    assert found.chi2_before == pytest.approx((3.0 / 2.0) ** 2)
    assert found.correlation == pytest.approx(np.ones((1, 1)))
    (match,) = found.matches
    assert (match.measured_nm, match.error_nm, match.before_nm) == (643.0, 2.0, pytest.approx(640.0))
    assert match.after_nm == pytest.approx(640.0 + 5.0 * u, rel=1e-10)
    assert (match.symmetry, match.polarization) == ("E", "TE")
    assert found.converged
    assert found.rounds == 2, "a linear problem is solved in one round, and the second sees it"
    assert not found.ambiguous


@pytest.mark.parametrize("loose", [1.0, 1e-3])
def test_two_inputs_have_the_posterior_of_the_closed_form(loose):
    """With peaks 1000 times as sure the prior weighs nothing: they alone decide, p = p0 + J⁻¹ r."""
    sigma, errors = np.array([20.0, 0.1]), loose * np.array([0.5, 0.8])
    slopes = np.array([[0.5, 40.0], [-0.2, 100.0]])
    residual = np.array([0.6, -0.9])
    peaks = [
        peak(wave + r, wavelength_err_nm=e)
        for wave, r, e in zip((640.0, 620.0), residual, errors, strict=True)
    ]
    design = film(thickness_err=sigma[0], index_err=sigma[1])
    found = calibrate(design, peaks, TWO, paths=[THICKNESS, FILM_INDEX])
    scaled = slopes * sigma / errors[:, None]
    covariance = np.linalg.inv(scaled.T @ scaled + np.eye(2))
    u = covariance @ scaled.T @ (residual / errors)
    start = np.array([200.0, 2.0])
    assert [item.path for item in found.fitted] == [THICKNESS, FILM_INDEX]
    assert [item.value for item in found.fitted] == pytest.approx(start + u * sigma, rel=1e-8)
    assert [item.error for item in found.fitted] == pytest.approx(
        sigma * np.sqrt(np.diag(covariance)), rel=1e-6
    )
    between = covariance[0, 1] / math.sqrt(covariance[0, 0] * covariance[1, 1])
    assert found.correlation == pytest.approx(np.array([[1.0, between], [between, 1.0]]), rel=1e-6)
    if loose < 1.0:
        alone = np.linalg.solve(slopes, residual)
        assert [item.value for item in found.fitted] == pytest.approx(start + alone, rel=1e-5)


def test_no_fittable_input_moves_when_the_peaks_are_where_the_modes_are():
    found = calibrate(film(), [peak(640.0)], ONE)
    assert found.fitted[0].value == pytest.approx(200.0)
    assert (found.rounds, found.converged, found.chi2) == (1, True, pytest.approx(0.0))


def test_a_peak_that_gives_no_error_has_the_default_one():
    peaks = [peak(643.0, wavelength_err_nm=0.25), peak(620.5)]
    found = calibrate(film(index_err=0.01), peaks, TWO, peak_error_nm=3.0)
    assert [match.error_nm for match in found.matches] == [0.25, 3.0]
    assert calibrate(film(), [peak(641.0)], ONE).matches[0].error_nm == 1.0


def test_the_fitted_design_says_so():
    found = calibrate(film(index_err=0.01), [peak(643.0)], TWO, paths=[THICKNESS], note="bench")
    by_path = {item.path: item for item in found.design.sources}
    item = by_path[THICKNESS]
    assert (item.source, item.note) == ("fitted", "bench")
    assert item.value == found.design.value_at(THICKNESS) == found.fitted[0].value
    assert item.plus_minus == found.fitted[0].error
    assert by_path[FILM_INDEX].source == "assumed", "what was not fitted stays assumed"
    plain = calibrate(film(), [peak(643.0), peak(threshold=3.0, unit="uJ/cm2")], ONE)
    assert plain.design.sources[0].note == "calibrated to 1 measured peak(s)"


def test_ambiguity_is_named():
    twins = Toy(
        (
            Rule(640.0, by_thickness=0.5),
            Rule(650.0, by_thickness=0.5, symmetry="A1", polarization=""),
            Rule(690.0, by_thickness=0.5, symmetry="B2"),
        )
    )
    found = calibrate(film(), [peak(644.0, wavelength_err_nm=1.0)], twins)
    # optima: χ² = r²/(J² + 1) = 16/26 and 36/26, and 46²/26 = 81 of the third
    assert found.matches[0].symmetry == "E"
    assert found.chi2 == pytest.approx(16.0 / 26.0)
    assert found.ambiguous == ("A1 ? at 644 nm",)


@pytest.mark.parametrize(("away", "named"), [(-9.9, False), (-9.7, True)])
def test_another_assignment_is_named_up_to_two_standard_deviations(away, named):
    # J = 0 makes χ² plain: 0 of the first, away²/σ² of the second
    rules = (Rule(640.0), Rule(640.0 + away, symmetry="A1"))
    found = calibrate(film(), [peak(640.0, wavelength_err_nm=4.9)], Toy(rules))
    assert (away / 4.9) ** 2 - 4.0 == pytest.approx(0.0, abs=0.1)
    assert bool(found.ambiguous) is named


def test_a_pull_beyond_two_half_widths_is_one_on_either_side():
    item = Fitted(THICKNESS, prior=200.0, plus_minus=10.0, value=219.9, error=1.0)
    assert not is_pulled(item)
    assert is_pulled(replace(item, value=220.1))
    assert not is_pulled(replace(item, value=180.1))
    assert is_pulled(replace(item, value=179.9))


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_no_input_moves_by_more_than_four_half_widths(side):
    found = calibrate(film(), [peak(640.0 + side * 35.0, wavelength_err_nm=0.01)], ONE)
    assert found.fitted[0].pull == pytest.approx(side * subject.FURTHEST)
    assert found.fitted[0].value == pytest.approx(200.0 + side * 40.0)
    assert found.matches[0].after_nm == pytest.approx(640.0 + side * 20.0)


def test_each_peak_may_only_belong_to_the_kind_that_it_names():
    rules = (Rule(640.0, by_thickness=0.5), Rule(648.0, by_thickness=0.5, symmetry="A1", polarization="TM"))
    assert calibrate(film(), [peak(641.0, symmetry="A1")], Toy(rules)).matches[0].symmetry == "A1"
    assert calibrate(film(), [peak(641.0, polarization="TM")], Toy(rules)).matches[0].polarization == "TM"
    with pytest.raises(SolverError, match="not every peak has a mode") as caught:
        calibrate(film(), [peak(641.0, symmetry="B1")], Toy(rules))
    assert caught.value.status is Status.NO_MODES


def test_two_peaks_never_share_a_mode():
    with pytest.raises(SolverError, match="not every peak has a mode"):
        calibrate(film(), [peak(641.0), peak(642.0)], ONE)


def test_modes_of_one_kind_are_kept_apart_by_their_order():
    rules = (Rule(660.0, by_thickness=0.1), Rule(640.0, by_thickness=0.5))
    found = calibrate(
        film(), [peak(661.0, wavelength_err_nm=0.5), peak(645.0, wavelength_err_nm=0.5)], Toy(rules)
    )
    assert [match.before_nm for match in found.matches] == pytest.approx([660.0, 640.0])
    u = (2.0 * 2.0 + 10.0 * 10.0) / (2.0**2 + 10.0**2 + 1.0)
    assert found.fitted[0].pull == pytest.approx(u)


def test_peaks_of_other_periods_are_those_of_other_devices():
    toy = Toy((Rule(640.0, by_period=1.2, by_thickness=0.5),))
    peaks = [
        peak(643.0, device={"lattice.period_nm": 400.0}),
        peak(643.0 + 1.2 * 15.0, device={"lattice.period_nm": 415.0}),
    ]
    found = calibrate(film(), peaks, toy)
    assert [match.before_nm for match in found.matches] == pytest.approx([640.0, 658.0])
    u = 2.0 * 5.0 * 3.0 / (2.0 * 25.0 + 1.0)
    assert found.fitted[0].pull == pytest.approx(u)
    assert found.design.value_at("lattice.period_nm") == 400.0
    assert calibrate(film(), peaks[1:], toy).design.value_at("lattice.period_nm") == 400.0


def test_the_window_is_widened_to_hold_every_peak():
    seen = []

    class Watching(Toy):
        name = "watching"
        version = 1

        def run(self, ask):
            seen.append(ask.window_nm)
            return super().run(ask)

    wide = Watching((Rule(590.0, by_thickness=0.1), Rule(705.0, by_thickness=0.1)))
    calibrate(film(), [peak(590.5), peak(704.0)], wide)
    assert set(seen) == {(570.5, 724.0)}
    seen.clear()
    calibrate(film(), [peak(640.5)], Watching())
    assert set(seen) == {(600.0, 700.0)}
    seen.clear()
    calibrate(film(), [peak(640.5)], Watching(), window_nm=(610.0, 650.0))
    assert set(seen) == {(610.0, 650.0)}


def test_rounds_end_when_it_does_not_converge():
    class Restless(Toy):
        """A mode that the fit never reaches: it answers a step by another place."""

        name = "restless"
        version = 1

        def run(self, ask):
            away = math.sin(1e3 * (ask.stack.layers[1].thickness_nm - 200.0))
            return Toy((Rule(640.0 + 8.0 * away, by_thickness=0.5),)).run(ask)

    found = calibrate(film(), [peak(645.0)], Restless())
    assert not found.converged
    assert found.rounds == subject.ROUNDS


def test_progress_counts_the_solutions_of_a_round():
    told = []
    calibrate(
        film(index_err=0.01),
        [peak(640.0, device={"lattice.period_nm": 400.0}), peak(645.0, device={"lattice.period_nm": 410.0})],
        Toy((Rule(640.0, by_period=0.5),)),
        progress=lambda done, total, what="": told.append((done, total)),
    )
    assert told[:6] == [(count, 6) for count in range(1, 7)]


def test_what_is_fitted_unless_told_otherwise():
    design = film(index_err=0.01, emitter={"volume_fraction": assumed(0.4, 0.1)})
    assert [item.path for item in fittable(design)] == [FILM_INDEX, THICKNESS]
    assert [item.path for item in fittable(film(thickness_err=None, index_err=0.01))] == [FILM_INDEX]


@pytest.mark.parametrize(
    ("paths", "rule", "key"),
    [
        (["layers.1.thickness"], "thickness", "layers.1.thickness"),
        (["layers.1.material.n"], "needs a plus_minus", FILM_INDEX),
        (["emitter.volume_fraction"], "moves no mode", "emitter.volume_fraction"),
        (["pump.transmission"], "moves no mode", "pump.transmission"),
        ([THICKNESS, THICKNESS], "twice", "--fit"),
    ],
)
def test_inputs_that_cannot_be_fitted_are_refused(paths, rule, key):
    design = film(emitter={"volume_fraction": assumed(0.4, 0.1)}, pump={"transmission": assumed(0.8, 0.1)})
    with pytest.raises(InputError) as caught:
        calibrate(design, [peak(641.0)], ONE, paths=paths)
    assert rule in str(caught.value)
    assert caught.value.key == key


def test_nothing_to_fit_and_nothing_to_fit_to_are_refused():
    with pytest.raises(InputError, match="no assumed number"):
        calibrate(film(thickness_err=None), [peak(641.0)], ONE)
    with pytest.raises(InputError, match="no peak with a wavelength"):
        calibrate(film(), [peak(threshold=3.0, unit="uJ/cm2")], ONE)


def test_a_mode_that_leaves_the_window_on_the_way_is_an_error():
    toy = Toy((Rule(640.0, by_thickness=0.5),), breaks_at_nm=203.0)
    with pytest.raises(SolverError, match="too thick"):
        calibrate(film(), [peak(650.0, wavelength_err_nm=0.1)], toy)
