"""Matching of two witnesses, on tables made up for the purpose."""

import math

import pytest

from cavitydesign.errors import Status
from cavitydesign.solvers.solution import Modes, Solution
from cavitydesign.study.verify import compare, verify
from tests.study.toy import Rule, Toy, film

WINDOW = (590.0, 640.0)


def solution(*rows):
    names = ("wavelength_nm", "q", "symmetry", "degeneracy", "wavelength_err_nm", "q_err")
    columns = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    modes = Modes.from_columns(**columns) if rows else Modes.empty()
    return Solution(modes, Status.OK, {})


POLES = (
    (631.18, math.inf, "A2", 1, 0.01, math.nan),
    (630.32, 1308.0, "E", 2, 0.01, 1.0),
    (630.07, math.inf, "B2", 1, 0.01, math.nan),
    (602.30, 15325.0, "E", 2, 0.01, 20.0),
)
FDTD = (
    (631.22, math.inf, "A2", 1, 0.2, math.nan),
    (630.30, 1298.0, "E", 2, 0.2, 8.0),
    (630.09, math.inf, "B2", 1, 0.2, math.nan),
    (602.21, 15590.0, "E", 2, 0.2, 600.0),
)


def verified(fast, fdtd):
    return compare(solution(*fast), solution(*fdtd), window_nm=WINDOW, q_min=20.0)


def test_every_mode_finds_its_partner_and_the_document_says_so():
    found = verified(POLES, FDTD)
    assert found.passed
    assert [(p.fast.symmetry, p.fdtd.symmetry) for p in found.pairs] == [
        ("A2", "A2"),
        ("E", "E"),
        ("B2", "B2"),
        ("E", "E"),
    ]
    record = found.record()
    assert record["passed"] is True
    assert record["pairs"][0]["fast"]["q"] is None
    assert record["pairs"][1]["wavelength_difference_nm"] == pytest.approx(-0.02)
    assert record["pairs"][1]["q_difference"] == pytest.approx(-10.0)


def test_near_neighbours_are_told_apart_by_loss_where_labels_are_missing():
    # a dark mode between two lossy ones: the nearest in wavelength is the wrong partner
    fast = [(630.0, 200.0, "", 0, 0.01, 1.0), (630.5, math.inf, "", 0, 0.01, math.nan)]
    fdtd = [(630.4, 203.0, "", 0, 0.3, 3.0), (630.9, math.inf, "", 0, 0.3, math.nan)]
    pairs = verified(fast, fdtd).pairs
    assert [(found.fast.q, found.fdtd.q) for found in pairs] == [(math.inf, math.inf), (200.0, 203.0)]


def test_what_stays_alone_is_named_on_both_sides():
    found = verified(POLES, [*FDTD[:2], FDTD[3], (615.0, 900.0, "B1", 1, 0.2, 5.0)])
    assert not found.passed
    assert [mode.symmetry for mode in found.only_fast] == ["B2"]
    assert [mode.symmetry for mode in found.only_fdtd] == ["B1"]


def test_labels_that_contradict_each_other_never_pair():
    found = verified([POLES[0]], [(631.18, math.inf, "B1", 1, 0.2, math.nan)])
    assert found.pairs == ()
    assert len(found.only_fast) == len(found.only_fdtd) == 1


@pytest.mark.parametrize(("wavelength", "q"), [(604.5, 15325.0), (602.3, 20000.0)])
def test_a_pair_that_disagrees_does_not_pass(wavelength, q):
    # 2.2 nm off with 0.3 nm joint error; 30 % off in Q with 3 %
    found = verified([POLES[3]], [(wavelength, q, "E", 2, 0.2, 100.0)])
    assert len(found.pairs) == 1
    assert not found.pairs[0].agrees
    assert not found.passed


def test_a_mode_at_the_window_edge_may_have_its_partner_outside():
    found = verified([(640.1, 500.0, "E", 2, 0.01, 1.0)], [(639.9, 501.0, "E", 2, 0.2, 5.0)])
    assert len(found.pairs) == 1
    assert found.passed


def test_modes_too_lossy_for_a_ring_down_are_left_out_with_the_reason():
    found = verified([(620.0, 12.0, "E", 2, 0.01, 0.1), *POLES], FDTD)
    assert found.passed
    assert "too short a ring-down" in found.ignored[0][1]


def test_nothing_on_either_side_is_an_agreement():
    assert verified([], []).passed
    assert not verified(POLES[:1], []).passed


ONE = (620.0, 1000.0, "E", 2, 0.3, 40.0)


def one(fast, fdtd):
    (found,) = verified([fast], [fdtd]).pairs
    return found


def test_a_stranger_on_either_side_fails():
    stranger = (610.0, 900.0, "B1", 1, 0.1, 5.0)
    assert verified([ONE], [ONE]).passed
    assert not verified([ONE, stranger], [ONE]).passed
    assert not verified([ONE], [ONE, stranger]).passed


def test_strangers_outside_the_window_are_not_looked_at():
    outside = (640.5, 900.0, "B1", 1, 0.1, 5.0)
    assert verified([ONE, outside], [ONE]).passed
    assert verified([ONE], [ONE, outside]).passed


def test_differences_are_fdtd_minus_fast_with_joint_errors():
    found = one(ONE, (620.5, 1100.0, "E", 2, 0.4, 30.0))
    assert found.wavelength_difference_nm == pytest.approx(0.5)
    assert found.wavelength_joint_err_nm == pytest.approx(0.5)
    assert (found.q_difference, found.q_joint_err) == (pytest.approx(100.0), pytest.approx(50.0))
    assert found.sigma == pytest.approx(2.0)
    assert found.agrees


def test_three_joint_errors_are_the_limit():
    assert one(ONE, (620.0, 1149.0, "E", 2, 0.4, 30.0)).agrees
    assert not one(ONE, (620.0, 1151.0, "E", 2, 0.4, 30.0)).agrees
    assert one(ONE, (621.49, 1000.0, "E", 2, 0.4, 30.0)).agrees
    assert not one(ONE, (621.51, 1000.0, "E", 2, 0.4, 30.0)).agrees
    assert not one(ONE, (618.49, 1000.0, "E", 2, 0.4, 30.0)).agrees


def test_errors_have_floors():
    found = one((620.0, 1000.0, "E", 2, 0.0, 0.0), (620.1, 990.0, "E", 2, 0.0, 0.0))
    assert found.wavelength_joint_err_nm == pytest.approx(5e-4 * 620.0)
    assert found.q_joint_err == pytest.approx(30.0)
    # a single resolution knows no error of its own: half a per cent
    assert one(ONE, (622.0, 1000.0, "E", 2, math.nan, math.nan)).wavelength_joint_err_nm == pytest.approx(3.1)


def test_an_unknown_error_adds_nothing_to_the_joint_one():
    found = one((620.0, 1000.0, "E", 2, math.nan, math.nan), (620.1, 990.0, "E", 2, 0.4, 40.0))
    assert (found.wavelength_joint_err_nm, found.q_joint_err) == (0.4, 40.0)


def test_without_a_measurable_loss_losses_are_compared():
    found = one((620.0, math.inf, "E", 2, 0.3, math.nan), (620.0, 250_000.0, "E", 2, 0.4, 1.0))
    assert math.isnan(found.q_difference)
    assert found.sigma == pytest.approx(4e-6 / 2e-6)


@pytest.mark.parametrize(
    ("other", "pairs"),
    [
        ((623.0, 1000.0, "", 0, 0.1, 5.0), 1),
        ((623.2, 1000.0, "E", 2, 0.1, 5.0), 0),
        ((623.2, 1000.0, "E", 2, 1.1, 5.0), 1),
        ((620.0, 1000.0, "E", 1, 0.1, 5.0), 0),
        ((620.0, 1990.0, "E", 2, 0.1, 5.0), 1),
        ((620.0, 2050.0, "E", 2, 0.1, 5.0), 0),
    ],
)
def test_who_may_be_a_pair(other, pairs):
    assert len(verified([ONE], [other]).pairs) == pairs


@pytest.mark.parametrize(("q", "ignored"), [(29.9, 1), (0.5, 1), (-0.5, 1), (-500.0, 1), (30.1, 0)])
def test_fading_and_growing_modes_are_ignored_with_the_reason(q, ignored):
    found = verified([ONE, (610.0, q, "A1", 1, 0.1, 5.0)], [ONE])
    assert len(found.ignored) == ignored
    assert found.passed is bool(ignored)
    assert len(found.record()["ignored"]) == ignored
    if ignored:
        reason = (
            "amplified: a ring-down does not decay"
            if q < 0.0
            else "Q below 30: too short a ring-down for FDTD"
        )
        assert found.ignored[0][1] == reason


def test_verify_asks_both_beyond_the_window_and_for_the_infinite_array():
    asked = []

    class Witness(Toy):
        name = "witness"
        version = 1

        def run(self, ask):
            asked.append((ask.window_nm, ask.device))
            return super().run(ask)

    design = film(device={"periods": [20, 20]})
    assert verify(design, Witness(), Witness()).passed
    assert asked == [((pytest.approx(597.0), pytest.approx(703.5)), None)] * 2
    other = Witness((Rule(650.0),))
    assert not verify(design, Witness(), other).passed
    found = verify(design, Witness((Rule(650.0), Rule(702.0))), other, window_nm=(620.0, 680.0))
    assert found.window_nm == (620.0, 680.0)
    assert found.passed
