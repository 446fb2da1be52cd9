"""Calibration at its edges: the real solver, what it says when it refuses, ties, and modes that are lost on the way."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from cavitydesign import Poles, design_from_dict
from cavitydesign.errors import InputError, SolverError, Status
from cavitydesign.solvers.solution import Modes
from cavitydesign.study import calibrate as subject
from cavitydesign.study.calibrate import calibrate
from tests.study.toy import FILM_INDEX, THICKNESS, Rule, Toy, assumed, film, peak

ONE = Toy((Rule(640.0, by_thickness=0.5),))


def plate():
    """A plate in air: m λ = 2 n d exactly, 648.667 nm for m = 6."""
    air = {"material": {"n": 1.0}}
    thickness = assumed(973.0, 10.0)
    layers = [air, {"material": {"n": 2.0}, "thickness_nm": thickness, "gain": True}, air]
    return design_from_dict(
        {"name": "plate", "family": "stack", "window_nm": [620.0, 680.0], "layers": layers}
    )


def test_the_pole_solver_on_a_plate_has_the_posterior_of_the_closed_form():
    """λ = 2 n d / 6 has the slope 2/3 nm per nm, so J = 20/3 nm; a peak 3 nm off with σ = 1 nm."""
    before = 2.0 * 2.0 * 973.0 / 6.0
    found = calibrate(plate(), [peak(before + 3.0)], Poles(q_min=1.0))
    slope = 20.0 / 3.0
    u = slope * 3.0 / (slope**2 + 1.0)
    (item,) = found.fitted
    assert item.value == pytest.approx(973.0 + 10.0 * u, rel=1e-6)
    assert item.error == pytest.approx(10.0 / math.sqrt(slope**2 + 1.0), rel=1e-4)
    (match,) = found.matches
    assert match.before_nm == pytest.approx(before, rel=1e-6)
    assert match.after_nm == pytest.approx(before + slope * u, rel=1e-6)
    assert found.converged


def test_few_waves_serve_the_slopes_and_many_the_modes():
    """A coarse table that lies elsewhere moves no fit: only its differences count."""
    asked = []

    class Waves(Poles):
        """Poles by name and settings; in truth a toy whose modes lie 2 nm off with few waves."""

        def run(self, ask):
            asked.append(self.waves)
            away = 0.0 if self.waves is None else 2.0
            return Toy((Rule(640.0 + away, by_thickness=0.5),)).run(ask)

    found = calibrate(film(), [peak(643.0, wavelength_err_nm=2.0)], Waves())
    u = (5.0 / 4.0) * 3.0 / 7.25
    assert found.fitted[0].pull == pytest.approx(u, rel=1e-8)
    assert found.matches[0].before_nm == pytest.approx(640.0)
    assert set(asked) == {None, 49}
    assert asked[:3] == [None, 49, 49], "the modes, the same with few waves, and those moved"


# -- what it says ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        (
            [FILM_INDEX],
            f"{FILM_INDEX}: needs a plus_minus in the design file, which says how far it may be off, got 2.0",
        ),
        (
            ["lattice.period_nm"],
            "lattice.period_nm: needs a plus_minus in the design file, which says how far it may be off, got 400.0",
        ),
        (["emitter.volume_fraction"], "emitter.volume_fraction: moves no mode, so peaks cannot calibrate it"),
        ([THICKNESS, THICKNESS], f"--fit: names an input twice, got ['{THICKNESS}', '{THICKNESS}']"),
    ],
)
def test_inputs_that_cannot_be_fitted(paths, said):
    design = film(emitter={"volume_fraction": assumed(0.4, 0.1)})
    with pytest.raises(InputError) as caught:
        calibrate(design, [peak(641.0)], ONE, paths=paths)
    assert str(caught.value) == said


def test_nothing_to_fit_and_nothing_to_fit_to():
    with pytest.raises(InputError) as caught:
        calibrate(film(thickness_err=None), [peak(641.0)], ONE)
    assert str(caught.value) == "sources: the design has no assumed number with a plus_minus to fit"
    with pytest.raises(InputError) as caught:
        calibrate(film(), [peak(threshold=3.0, unit="uJ/cm2")], ONE)
    assert str(caught.value) == "wavelength_nm: has no peak with a wavelength to fit to"


def test_a_peak_without_a_mode():
    with pytest.raises(SolverError) as caught:
        calibrate(film(), [peak(641.0), peak(642.0)], ONE)
    assert str(caught.value).startswith(
        "not every peak has a mode of its own in the window; widen --window, or look at"
    )
    assert caught.value.status is Status.NO_MODES


def test_a_kind_of_mode_that_is_lost_on_the_way():
    """A mode that is of another kind in every round: what the last one chose is not there any more."""
    asked = []

    class Fickle(Toy):
        name, version = "fickle", 1

        def run(self, ask):
            asked.append(1)  # twice a round: where the fit stands, and a step beside
            kind = "A1" if (len(asked) - 1) // 2 % 2 else "E"
            return Toy((Rule(640.0, by_thickness=0.5, symmetry=kind),)).run(ask)

    with pytest.raises(SolverError) as caught:
        calibrate(film(), [peak(640.0)], Fickle())
    assert str(caught.value) == "the modes that the peaks were given to were lost on the way"
    assert caught.value.status is Status.INCOMPLETE


def test_another_assignment_names_every_peak():
    rules = (
        Rule(640.0, by_thickness=0.5),
        Rule(641.0, by_thickness=0.5, symmetry="", polarization="TM"),
        Rule(660.0, by_thickness=0.5, symmetry="B1"),
    )
    found = calibrate(film(), [peak(640.0), peak(660.25)], Toy(rules))
    assert [match.symmetry for match in found.matches] == ["E", "B1"]
    assert found.ambiguous == ("? TM at 640 nm, B1 TE at 660.25 nm",)


# -- the fit -----------------------------------------------------------------------------------------------------


def test_a_mode_that_a_step_loses_is_no_candidate():
    """The nearer mode is gone in the table that the step makes: it has no slope, and the other one is taken."""

    class Half(Toy):
        name, version = "half", 1

        def run(self, ask):
            found = super().run(ask)
            moved = ask.stack.layers[1].thickness_nm != 200.0
            return replace(found, modes=found.modes[1:]) if moved and len(found.modes) > 1 else found

    rules = (Rule(643.0, by_thickness=0.5, symmetry="A1"), Rule(640.0, by_thickness=0.5))
    found = calibrate(film(), [peak(643.0)], Half(rules))
    assert found.matches[0].symmetry == "E"
    assert found.matches[0].before_nm == pytest.approx(640.0)


def test_a_device_of_another_number_has_its_own_slopes():
    """Two devices of other periods, whose modes move with the thickness at other rates."""

    class Rated(Toy):
        name, version = "rated", 1

        def run(self, ask):
            rate = 0.5 if ask.stack.lattice.period_nm == 400.0 else -0.3
            return Toy((Rule(640.0, by_thickness=rate),)).run(ask)

    devices = [{"lattice.period_nm": period} for period in (400.0, 410.0)]
    peaks = [peak(643.0, device=devices[0]), peak(639.0, device=devices[1])]
    for order in ([0, 1], [1, 0]):
        found = calibrate(film(), [peaks[row] for row in order], Rated())
        slopes, residual = np.array([5.0, -3.0]), np.array([3.0, -1.0])
        u = slopes @ residual / (slopes @ slopes + 1.0)
        assert found.fitted[0].pull == pytest.approx(u)
        after = dict(zip(order, (match.after_nm for match in found.matches), strict=True))
        assert [after[0], after[1]] == pytest.approx([640.0 + 5.0 * u, 640.0 - 3.0 * u])


def test_modes_are_given_where_the_first_peaks_mode_leads():
    """As the toy stands, B1 is nearer to the second peak than B2, and B3 is far off.

    The first peak asks for two half-widths less: B1 then lies 5 nm from the second peak, B2 2 nm, B3 20 nm.
    """
    rules = (
        Rule(660.0, by_thickness=0.5, symmetry="A1"),
        Rule(645.0, by_thickness=0.5, symmetry="B1"),
        Rule(632.0, by_thickness=-0.5, symmetry="B2"),
        Rule(670.0, by_thickness=0.5, symmetry="B3"),
        Rule(658.0, by_thickness=-0.5, symmetry="B4"),  # beside A1 in the table, and going the other way
    )
    errors = np.array([0.2, 5.0])
    peaks = [peak(650.0, wavelength_err_nm=0.2, symmetry="A1"), peak(640.0, wavelength_err_nm=5.0)]
    found = calibrate(film(), peaks, Toy(rules))
    assert [match.symmetry for match in found.matches] == ["A1", "B2"]
    assert [match.before_nm for match in found.matches] == pytest.approx([660.0, 632.0])
    scaled = np.array([5.0, -5.0]) / errors
    u = scaled @ (np.array([-10.0, 8.0]) / errors) / (scaled @ scaled + 1.0)
    assert found.fitted[0].pull == pytest.approx(u)
    assert [match.after_nm for match in found.matches] == pytest.approx([660.0 + 5.0 * u, 632.0 - 5.0 * u])
    assert found.chi2_before == pytest.approx((10.0 / 0.2) ** 2 + (8.0 / 5.0) ** 2)
    assert found.rounds == 2
    assert found.ambiguous == ()


def test_an_empty_table_of_another_device_is_no_assignment():
    class Blind(Toy):
        name, version = "blind", 1

        def run(self, ask):
            found = super().run(ask)
            return found if ask.stack.lattice.period_nm == 400.0 else replace(found, modes=Modes.empty())

    peaks = [peak(640.0), peak(641.0, device={"lattice.period_nm": 410.0})]
    with pytest.raises(SolverError, match="not every peak has a mode"):
        calibrate(film(), peaks, Blind((Rule(640.0, by_thickness=0.5),)))


def test_it_has_converged_when_nothing_moves_by_five_thousandths():
    """A mode that bends: λ = 640 + 5 u + c u², solved by Gauss-Newton within few rounds."""

    class Bent(Toy):
        name, version = "bent", 1

        def run(self, ask):
            u = (ask.stack.layers[1].thickness_nm - 200.0) / 10.0
            return Toy((Rule(640.0 + 5.0 * u + 0.6 * u * u),)).run(ask)

    found = calibrate(film(), [peak(648.0, wavelength_err_nm=0.01)], Bent())
    u = found.fitted[0].pull
    assert 640.0 + 5.0 * u + 0.6 * u * u == pytest.approx(648.0, abs=0.01)
    assert found.converged
    assert 3 <= found.rounds <= 5
    assert found.matches[0].after_nm == pytest.approx(640.0 + 5.0 * u + 0.6 * u * u)
    assert found.chi2 == pytest.approx(u * u + ((found.matches[0].after_nm - 648.0) / 0.01) ** 2, rel=1e-6)


def test_what_was_fitted_before_stays_among_the_sources():
    design = film(index_err=0.01)
    found = calibrate(design, [peak(643.0)], ONE, paths=[THICKNESS])
    again = calibrate(found.design, [peak(643.0)], ONE, paths=[THICKNESS])
    item = again.fitted[0]
    assert (item.prior, item.plus_minus) == (found.fitted[0].value, found.fitted[0].error)
    assert {source.path for source in again.design.all_sources()} >= {THICKNESS, FILM_INDEX}


def test_the_step_of_a_slope_is_a_twentieth_of_the_half_width():
    asked = []

    class Watching(Toy):
        name, version = "watching", 1

        def run(self, ask):
            asked.append(ask.stack.layers[1].thickness_nm)
            return super().run(ask)

    calibrate(film(), [peak(640.0)], Watching(ONE.rules))
    assert asked[:2] == [200.0, pytest.approx(200.0 + subject.STEP * 10.0)]
    assert subject.STEP == 0.05


def test_a_mode_that_enters_behind_leaves_the_others_their_places(monkeypatch):
    """Alike modes are counted from the longest wavelength: one that comes in at the short end moves none of them."""
    monkeypatch.setattr(subject, "ROUNDS", 1)
    toy = Toy((Rule(640.0, by_thickness=0.5), Rule(599.0, by_thickness=0.5)))
    found = calibrate(film(), [peak(643.0)], toy, window_nm=(600.0, 700.0))
    (match,) = found.matches
    assert [len(solution.modes) for solution in found.solutions] == [2], "the second came in with the fit"
    assert (match.before_nm, match.after_nm) == (pytest.approx(640.0), pytest.approx(640.0 + 75.0 / 26.0))
