"""The search for poles: planted poles come back, alone, in pairs, doubled, at edges; maps unfold thresholds."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cavitydesign.optics.patterned.search import Region, curve_around, loewner_poles

LOW, HIGH, DEPTH, HEIGHT = 0.0084, 0.0112, 0.0008, 0.0002
FREE = Region.around(LOW, HIGH, -DEPTH, HEIGHT)


def planted(u, poles, *, seed=0, size=4, ranks=None):
    """A response with given poles: a smooth background and random residues of rank one (or of the ranks given)."""
    random = np.random.default_rng(seed)
    centre, radius = u.mean(), np.abs(u - u.mean()).max()
    x = (u - centre) / radius
    total = np.exp(0.7 * x)[:, None, None] * random.normal(size=(size, size))
    residues = []
    for pole, rank in zip(poles, ranks or [1] * len(poles), strict=True):
        residue = radius * random.normal(size=(size, rank)) @ random.normal(size=(rank, size))
        residues.append(residue)
        total = total + residue / (u - pole)[:, None, None]
    return total, residues


PLANTED = {
    "one": ([0.0098 - 1e-4j], None),
    "sharp": ([0.0098 - 1e-10j, 0.0101 - 3e-4j], None),
    "many": ([0.0086 - 1e-5j, 0.0092 - 7e-4j, 0.0097 - 1e-6j, 0.0104 - 2e-4j, 0.0109 - 1e-4j], None),
    "near pair": ([0.0098 - 1e-5j, 0.0098 * (1.0 + 1e-5) - 1e-5j], None),
    "double": ([0.0098 - 1e-5j], [2]),
    "on the edges": ([LOW - 1e-5j, HIGH - 1e-5j, 0.0098 - DEPTH * 1j, 0.0099 + 0j], None),
    "just outside": ([0.0099 - 1e-4j, LOW * 0.985 - 1e-4j, HIGH * 1.015 - 1e-4j], None),
}


@pytest.mark.parametrize("name", PLANTED)
def test_planted_poles_come_back(name):
    """Positions to 1e-8 of the window's width, residues to 1e-5 of their size (near pairs lose what they share)."""
    poles, ranks = PLANTED[name]
    curve = curve_around(FREE, 64)
    f, residues = planted(curve.u, poles, ranks=ranks)
    model = loewner_poles(curve.u, f)
    for pole, residue in zip(poles, residues, strict=True):
        close = np.abs(model.poles - pole) < (1e-3 if name == "near pair" else 1e-8) * (HIGH - LOW)
        assert close.sum() == (np.linalg.matrix_rank(residue) if name != "near pair" else 2)
        if name != "near pair":
            np.testing.assert_allclose(
                model.residues[close].sum(axis=0), residue, atol=1e-4 * np.abs(residue).max()
            )
    for pole in poles if name == "near pair" else []:
        assert np.abs(model.poles - pole).min() < 1e-8 * (HIGH - LOW)


@given(
    seed=st.integers(0, 10**6),
    where=st.lists(st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)), min_size=1, max_size=6, unique=True),
)
def test_any_poles_come_back(seed, where):
    """Any set of poles that are 0.5 % of the window apart."""
    poles = [complex(LOW + a * (HIGH - LOW), -b * DEPTH) for a, b in where]
    apart = min((abs(p - q) for i, p in enumerate(poles) for q in poles[:i]), default=1.0)
    if apart < 0.005 * (HIGH - LOW):
        return
    curve = curve_around(FREE, 64)
    f, _ = planted(curve.u, poles, seed=seed)
    model = loewner_poles(curve.u, f)
    for pole in poles:
        assert np.abs(model.poles - pole).min() < 1e-5 * (HIGH - LOW)


@given(points=st.lists(st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)), min_size=20, max_size=20))
def test_curve_encloses_the_window(points):
    """Everything that counts as inside a free region is inside its curve (winding number 1)."""
    curve = curve_around(FREE, 256)
    for a, b in points:
        k0 = complex(LOW + a * (HIGH - LOW), HEIGHT - b * (DEPTH + HEIGHT))
        assert FREE.wants(k0)
        z = curve.u - k0
        assert round(float(np.angle(np.roll(z, -1) / z).sum() / (2.0 * math.pi))) == 1


T1, T2 = 0.0091 + 0j, 0.0105 + 0j
MAPPED = {
    "left": Region.around(T1.real, HIGH, -DEPTH, HEIGHT, left=T1),
    "right": Region.around(LOW, T1.real, -DEPTH, HEIGHT, right=T1),
    "both": Region.around(T1.real, T2.real, -DEPTH, HEIGHT, left=T1, right=T2),
    "absorbing": Region.around(T1.real, HIGH, -DEPTH, HEIGHT, left=T1 - 4e-5j),
    "free": FREE,
}


@pytest.mark.parametrize("name", MAPPED)
def test_maps_are_inverse_and_have_their_slope(name):
    region = MAPPED[name]
    for a in (0.03, 0.4, 0.97):
        for b in (-0.9, -0.1, 0.0):
            k0 = complex(region.low + a * (region.high - region.low), b * -region.bottom)
            u = region.u(k0)
            assert complex(region.k0(np.asarray(u))) == pytest.approx(k0, rel=1e-12)
            step = 1e-6 * max(abs(u), 1e-3)
            slope = (region.k0(np.asarray(u + step)) - region.k0(np.asarray(u - step))) / (2.0 * step)
            assert complex(region.slope(np.asarray(u))) == pytest.approx(complex(slope), rel=1e-6)


@pytest.mark.parametrize("name", ["left", "right", "both", "absorbing"])
def test_square_roots_are_analytic_in_u(name):
    """√(k0 - t), continued with ``root``, has no jump on the whole curve: its Taylor test is Cauchy's theorem.

    For an analytic f, ∮ f du = 0; one jump of sign on the curve leaves an integral of order 1. The principal root
    of the same k0 does jump, which shows that the test can fail.
    """
    region = MAPPED[name]
    curve = curve_around(region, 256)
    k0 = region.k0(curve.u)
    for threshold, left in ((region.left, True), (region.right, False)):
        if threshold is None:
            continue
        root = region.root(curve.u, left=left)
        squared = k0 - threshold if left else threshold - k0
        np.testing.assert_allclose(root**2, squared, rtol=1e-9, atol=1e-12)
        scale = np.abs(root).max() * curve.radius
        assert abs(np.sum(root * curve.du)) < 1e-10 * scale
        assert abs(np.sum(np.sqrt(squared) * curve.du)) > 1e-3 * scale


@pytest.mark.parametrize("name", MAPPED)
@pytest.mark.parametrize("gap", [math.inf, 3e-4])
def test_the_box_holds_the_strip_down_to_its_floor(name, gap):
    """Every k0 of the strip above ``floor`` lies in the box; without a neighbour the floor is as deep as wanted."""
    free = MAPPED[name]
    region = Region.around(
        free.low, free.high, free.bottom, free.top, left=free.left, right=free.right, gap=gap
    )
    if gap == math.inf or name == "free":
        assert region.floor == pytest.approx(-DEPTH, rel=1e-9)
    else:
        assert -DEPTH < region.floor < -0.5 * gap
    for a in np.linspace(0.0, 1.0, 21):
        for b in np.linspace(0.0, 1.0, 11):
            k0 = complex(region.low + a * (region.high - region.low), b * region.floor)
            assert region.distance(region.u(k0)) <= 1.0 + 1e-9


@pytest.mark.parametrize("name", ["left", "right", "both"])
def test_the_next_threshold_stays_outside_the_curve(name):
    """The branch point one gap beyond the edge is not enclosed, whatever depth was wanted."""
    free, gap = MAPPED[name], 3e-4
    region = Region.around(
        free.low, free.high, free.bottom, free.top, left=free.left, right=free.right, gap=gap
    )
    curve = curve_around(region, 256)
    for edge, way in ((region.left, -1.0), (region.right, 1.0)):
        if edge is not None:
            beyond = region.u(edge + way * gap)
            for u in (beyond, np.conj(beyond), -beyond):
                z = curve.u - u
                assert round(float(np.angle(np.roll(z, -1) / z).sum() / (2.0 * math.pi))) == 0


def test_halves_share_the_box():
    left, right = MAPPED["both"].halves()
    assert left.half_re == right.half_re == pytest.approx(0.25 * math.pi)
    assert (left.centre + right.centre) / 2.0 == pytest.approx(MAPPED["both"].centre)
    assert left.distance(left.centre + left.half_re) == pytest.approx(1.0)
