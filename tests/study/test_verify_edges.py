"""Who may be a pair, and how far apart it is: at the very limits, and with labels and errors missing."""

from __future__ import annotations

import math

import pytest

from cavitydesign.errors import Status
from cavitydesign.solvers.fdtd import Fdtd
from cavitydesign.solvers.solution import Modes, Rejected, Solution
from cavitydesign.study import verify as module
from cavitydesign.study.verify import SLACK, compare, verify
from tests.study.toy import Rule, Toy, film

WINDOW = (590.0, 640.0)
NAMES = ("wavelength_nm", "q", "symmetry", "degeneracy", "wavelength_err_nm", "q_err")


def solution(rows, **parts):
    columns = {name: [row[i] for row in rows] for i, name in enumerate(NAMES)}
    return Solution(Modes.from_columns(**columns) if rows else Modes.empty(), Status.OK, **parts)


def verified(fast, fdtd, *, q_min=20.0, window=WINDOW, **parts):
    return compare(solution(fast), solution(fdtd, **parts), window_nm=window, q_min=q_min)


def row(wavelength=620.0, q=1000.0, symmetry="E", degeneracy=2, err=0.1, q_err=5.0):
    return (wavelength, q, symmetry, degeneracy, err, q_err)


@pytest.mark.parametrize(
    ("one", "other", "pairs"),
    [
        (("E", 2), ("", 0), 1),
        (("", 0), ("E", 2), 1),
        (("", 0), ("", 0), 1),
        (("E", 2), ("E", 0), 1),
        (("E", 0), ("E", 2), 1),
        (("E", 2), ("A1", 2), 0),
        (("E", 2), ("E", 1), 0),
        (("", 1), ("E", 2), 0),
    ],
)
def test_labels_and_degeneracies_may_be_missing_on_either_side(one, other, pairs):
    found = verified([row(symmetry=one[0], degeneracy=one[1])], [row(symmetry=other[0], degeneracy=other[1])])
    assert len(found.pairs) == pairs
    assert len(found.only_fast) == len(found.only_fdtd) == 1 - pairs


@pytest.mark.parametrize("side", [1.0, -1.0])
@pytest.mark.parametrize(("err", "reach"), [(0.1, SLACK * 620.0), (2.0, 3.0 * math.hypot(2.0, 0.1))])
def test_how_far_a_partner_may_be(side, err, reach):
    """Half a per cent, or three joint errors where these are more."""
    for part, pairs in ((0.99, 1), (1.01, 0)):
        there = row(620.0 + side * part * reach, err=err)
        assert len(verified([row()], [there], window=(500.0, 700.0)).pairs) == pairs


@pytest.mark.parametrize(("low", "high"), [(1000.0, 2000.0), (math.inf, 1e5), (20.0, 40.0)])
def test_how_unlike_losses_may_be(low, high):
    """Up to half the larger loss and 1e-5 beside: 1/1000 - 1/Q = 5e-4 + 1e-5 at Q = 2040.8."""
    most = max(1.0 / low, 1.0 / high)
    limit = 0.5 * most + 1e-5
    for part, pairs in ((0.999, 1), (1.001, 0)):
        less = most - part * limit
        other = 1.0 / less
        for a, b in ((1.0 / most, other), (other, 1.0 / most)):
            assert len(verified([row(q=a)], [row(q=b)], q_min=1.0).pairs) == pairs


def test_the_nearer_of_two_alike_is_the_partner_in_wavelength_and_in_loss():
    near, far = row(620.4, err=0.3), row(619.0, err=0.3)
    found = verified([row()], [far, near])
    assert [pair.fdtd.wavelength_nm for pair in found.pairs] == [620.4]
    alike, unlike = row(620.4, 1010.0, err=0.3), row(620.4, 1500.0, err=0.3)
    for order in ([alike, unlike], [unlike, alike]):
        found = verified([row()], order)
        assert [pair.fdtd.q for pair in found.pairs] == [1010.0]
    # 1 nm of 3.1 nm weighs as much as a third of the loss: the nearer one of another Q loses to the farther one alike
    found = verified([row()], [row(620.0, 1600.0), row(620.9, 1000.0)])
    assert [pair.fdtd.q for pair in found.pairs] == [1000.0]
    found = verified([row()], [row(620.0, 1300.0), row(621.0, 1000.0)])
    assert [pair.fdtd.q for pair in found.pairs] == [1300.0]


def test_sigma_is_the_larger_of_the_two():
    by_wave = verified([row(err=0.3, q_err=30.0)], [row(621.0, 1010.0, err=0.4, q_err=40.0)]).pairs[0]
    assert by_wave.sigma == pytest.approx(1.0 / 0.5)
    by_q = verified([row(err=0.3, q_err=30.0)], [row(620.5, 900.0, err=0.4, q_err=40.0)]).pairs[0]
    assert by_q.sigma == pytest.approx(100.0 / 50.0)
    assert (by_q.wavelength_difference_nm, by_q.q_difference) == (pytest.approx(0.5), -100.0)


def test_the_floor_of_q_is_three_per_cent_of_the_fast_solvers():
    pair = verified([row(q=1000.0, q_err=0.0)], [row(q=1100.0, q_err=0.0)]).pairs[0]
    assert pair.q_joint_err == pytest.approx(30.0)


@pytest.mark.parametrize(("one", "other"), [(math.inf, 2e5), (2e5, math.inf), (math.inf, math.inf)])
def test_without_a_loss_on_one_side_the_losses_themselves_are_compared(one, other):
    pair = verified([row(q=one)], [row(q=other)]).pairs[0]
    assert math.isnan(pair.q_difference)
    assert math.isnan(pair.q_joint_err)
    assert pair.sigma == pytest.approx(abs(1.0 / one - 1.0 / other) / 2e-6)
    record = verified([row(q=one)], [row(q=other)]).record()["pairs"][0]
    assert record["q_difference"] is record["q_joint_err"] is None


def test_window_edges_belong_to_the_window():
    low, high = WINDOW
    for edge, beyond in ((low, low - 0.1), (high, high + 0.1)):
        assert len(verified([row(edge)], []).only_fast) == 1
        assert len(verified([], [row(edge)]).only_fdtd) == 1
        assert verified([row(beyond)], [row(beyond)]).pairs == ()
        assert len(verified([row(edge)], [row(beyond)]).pairs) == 1
        assert len(verified([row(beyond)], [row(edge)]).pairs) == 1


def test_the_document_has_every_number_and_name():
    found = verified(
        [row(), row(610.0, 12.0, "A1", 1), row(605.0, -50.0, "A2", 1), row(600.0, 900.0, "B1", 1)],
        [row(620.5, 1050.0, err=0.4, q_err=30.0), row(595.0, 800.0, "B2", 1)],
        rejected=(Rejected("E1", 630.123456, math.inf, "a spur"),),
    )
    record = found.record()
    assert set(record) == {
        "window_nm", "passed", "pairs", "only_fast", "only_fdtd", "ignored", "rejected_by_fdtd",
    }  # fmt: skip
    assert (record["window_nm"], record["passed"]) == (list(WINDOW), False)
    assert record["rejected_by_fdtd"] == [
        {"where": "E1", "wavelength_nm": 630.1235, "q": None, "reason": "a spur"}
    ]
    (pair,) = record["pairs"]
    assert pair["fast"] == {
        "wavelength_nm": 620.0, "q": 1000.0, "lossless": False, "symmetry": "E", "degeneracy": 2, "polarization": "",
        "wavelength_err_nm": 0.1, "q_err": 5.0,
    }  # fmt: skip
    assert (pair["fdtd"]["wavelength_nm"], pair["fdtd"]["q"]) == (620.5, 1050.0)
    assert pair["agrees"] is True
    assert pair["sigma"] == pytest.approx(50.0 / math.hypot(5.0, 30.0))
    assert pair["wavelength_difference_nm"] == pytest.approx(0.5)
    assert pair["wavelength_joint_err_nm"] == pytest.approx(math.hypot(0.1, 0.4))
    assert (pair["q_difference"], pair["q_joint_err"]) == (
        pytest.approx(50.0), pytest.approx(math.hypot(5.0, 30.0)),
    )  # fmt: skip
    assert [mode["wavelength_nm"] for mode in record["only_fast"]] == [600.0]
    assert [mode["wavelength_nm"] for mode in record["only_fdtd"]] == [595.0]
    assert [(item["mode"]["wavelength_nm"], item["reason"]) for item in record["ignored"]] == [
        (610.0, "Q below 30: too short a ring-down for FDTD"),
        (605.0, "amplified: a ring-down does not decay"),
    ]
    assert verified([], []).record()["rejected_by_fdtd"] == []


@pytest.mark.parametrize(("q", "excused"), [(29.9, True), (30.0, False), (1e-9, True), (-1e-9, True)])
def test_below_one_and_a_half_times_the_least_q_a_mode_is_excused(q, excused):
    found = verified([row(q=q)], [])
    assert (len(found.ignored), len(found.only_fast)) == ((1, 0) if excused else (0, 1))


def test_a_mode_of_unknown_loss_is_not_excused():
    found = verified([row(q=math.nan)], [])
    assert (len(found.only_fast), found.ignored) == (1, ())


def test_the_least_q_is_that_of_the_fdtd_settings(monkeypatch):
    """Poles and Fdtd stand in where nothing is given; Fdtd's own q_min says what is too short a ring-down."""
    asked = []

    def answers(subject, settings, **question):
        asked.append((type(settings).__name__, question))
        rows = [row(650.0, 1.4 * Fdtd().q_min, "A1", 1)] if type(settings).__name__ == "Poles" else []
        return solution(rows)

    monkeypatch.setattr(module, "solve", answers)
    found = verify(film())
    assert [name for name, _ in asked] == ["Poles", "Fdtd"]
    assert asked[0][1] == asked[1][1] == {
        "window_nm": (pytest.approx(600.0 * 0.995), pytest.approx(700.0 * 1.005)), "device": None,
    }  # fmt: skip
    assert len(found.ignored) == 1
    assert found.passed


def test_a_solver_without_a_least_q_excuses_nothing():
    found = verify(film(), Toy((Rule(650.0, q=0.5),)), Toy(()))
    assert (len(found.only_fast), found.ignored) == (1, ())
