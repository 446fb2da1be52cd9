"""Matching of two witnesses, on tables made up for the purpose."""

import math

import pytest

from cavitydesign.errors import Status
from cavitydesign.solvers.solution import Modes, Solution
from cavitydesign.study.verify import compare

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
    assert [(pair.fast.q, pair.fdtd.q) for pair in pairs] == [(math.inf, math.inf), (200.0, 203.0)]


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
