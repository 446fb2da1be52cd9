"""The one matcher: most pairs first, then the smallest price; partners by what a mode keeps."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from cavitydesign.solvers.match import column_of, identity, pair, partners
from cavitydesign.solvers.solution import Mode, Modes

INF = math.inf


@pytest.mark.parametrize(
    ("price", "pairs"),
    [
        ([[1.0, 2.0], [1.0, 5.0]], [(0, 1), (1, 0)]),
        ([[0.0, 9.0], [9.0, 0.0]], [(0, 0), (1, 1)]),
        ([[1.0, INF], [0.0, 1e9]], [(0, 0), (1, 1)]),
        ([[INF, INF], [INF, 3.0]], [(1, 1)]),
        ([[INF]], []),
        ([[5.0], [4.0], [6.0]], [(1, 0)]),
        ([[5.0, 4.0, 6.0]], [(0, 1)]),
        ([[0.0, 0.0], [0.0, INF]], [(0, 1), (1, 0)]),
        ([[-5.0, INF], [-4.0, -1.0]], [(0, 0), (1, 1)]),
    ],
)
def test_pairs(price, pairs):
    assert pair(np.array(price)) == pairs


def test_nothing_to_pair():
    assert pair(np.zeros((0, 3))) == pair(np.zeros((3, 0))) == []


def test_against_all_pairings_there_are():
    random = np.random.default_rng(7)
    for _ in range(60):
        price = random.uniform(0.0, 10.0, (4, 3))
        price[random.uniform(size=price.shape) < 0.45] = INF
        best = (0, 0.0)
        for rows in itertools.permutations(range(4), 3):
            taken = [price[row, column] for column, row in enumerate(rows) if price[row, column] < INF]
            best = min(best, (-len(taken), sum(taken)))
        found = pair(price)
        assert (-len(found), sum(price[at] for at in found)) == pytest.approx(best)
        assert len({i for i, _ in found}) == len({j for _, j in found}) == len(found)


BASE = Mode(640.0, symmetry="E", polarization="TE", order=2, degeneracy=2)


def test_identity_is_what_a_mode_keeps():
    assert identity(BASE) == ("E", "TE", 2, 2)


@pytest.mark.parametrize(
    "change", [{"symmetry": "A1"}, {"polarization": "TM"}, {"order": 3}, {"degeneracy": 1}]
)
def test_modes_of_another_identity_are_no_partners(change):
    other = Mode(
        **{"wavelength_nm": 640.0, "symmetry": "E", "polarization": "TE", "order": 2, "degeneracy": 2}
        | change
    )
    assert partners([BASE], [other]).tolist() == [-1]
    assert partners([BASE], [replace(BASE, wavelength_nm=650.0)]).tolist() == [0]


def test_partners_are_nearest_in_squares_within_a_kind():
    one = [Mode(640.0), Mode(643.0)]
    assert partners(one, [Mode(643.0), Mode(646.0)]).tolist() == [0, 1]
    assert partners(one, [Mode(646.0), Mode(643.0)]).tolist() == [1, 0]
    assert partners(one, [Mode(641.0)]).tolist() == [0, -1]
    assert partners(one, []).tolist() == [-1, -1]
    assert partners([], one).tolist() == []


def test_partners_are_looked_for_where_they_are_expected():
    one, other = [Mode(640.0), Mode(643.0)], [Mode(660.0), Mode(630.0)]
    assert partners(one, other).tolist() == [1, 0]
    assert partners(one, other, near_nm=[661.0, 631.0]).tolist() == [0, 1]


def test_a_price_of_ones_own_knows_no_identity():
    other = [Mode(640.0, symmetry="A1", q=50.0), Mode(640.0, symmetry="E", q=10.0)]
    one = [Mode(640.0, symmetry="E", q=49.0)]
    assert partners(one, other, price=lambda a, b: abs(a.q - b.q)).tolist() == [0]
    assert partners(one, other, price=lambda a, b: INF).tolist() == [-1]


def test_columns_in_the_order_of_the_partners():
    others = Modes.from_columns(wavelength_nm=[650.0, 640.0], q=[5.0, 7.0])
    found = column_of(others, "q", np.array([1, -1, 0]))
    assert found[[0, 2]].tolist() == [7.0, 5.0]
    assert math.isnan(found[1])
