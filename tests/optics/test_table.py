"""Tables of closed forms: what comes back between the rows and off the real axis, and what is said of it."""

import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cavitydesign import units
from cavitydesign.optics.media.rows import half_digit, noise, pieces, shaped
from cavitydesign.optics.media.table import Continuation


def lorentz(w):
    """A film with an absorption line of 40 meV at 2.05 eV (12 nm at 605 nm), as nanocrystals have."""
    e = units.nm_to_ev(w)
    return np.sqrt(2.2 + 19.5 / (6.5**2 - e * e) + 0.02 * 2.05 / (2.05**2 - e * e - 0.04j * e))


def metal(w):
    """Drude and Lorentz; the root that goes on past the negative real axis."""
    e = units.nm_to_ev(w)
    root = np.sqrt(5.0 - 81.0 / (e * (e + 0.07j)) + 21.9 / (2.7**2 - e * e - 0.5j * e) + 0j)
    return np.where(root.imag < -root.real, -root, root)


def glass(w):
    return np.sqrt(1.0 + 1.5 * w**2 / (w**2 - 2e4) + 0.4 * w**2 / (w**2 - 5e4) + 0j)


def tabulated(form, *, step=2.0, digits=None, noise=0.0):
    w = np.arange(400.0, 1000.0 + 0.5 * step, step)
    n = form(w)
    if noise:
        spread = np.random.default_rng(3).normal(size=(2, len(w)))
        n = n + noise * (spread[0] + 1j * spread[1])
        n = n.real + 1j * np.maximum(n.imag, 0.0)
    if digits is not None:
        n = np.round(n.real, digits) + 1j * np.round(n.imag, digits)
    return Continuation.of(w, n, "nk")


INSIDE = np.linspace(430.0, 900.0, 189)


def error(found, form, depth):
    """|Δε|/2|n|, but where |ε| is large by the pole of a line itself."""
    w = INSIDE * (1.0 + 1j * depth)
    exact = form(w) ** 2
    return np.where(
        np.abs(exact) < 40.0, np.abs(found.n(w) ** 2 - exact) / (2.0 * np.sqrt(np.abs(exact))), 0.0
    )


@pytest.mark.parametrize(
    ("form", "step", "digits", "within"),  # within: |Δn| on the axis, and at Im λ / Re λ = 0.05
    [
        (lorentz, 2.0, None, (1e-4, 1e-4)),  # near the peak of 12 nm two intervals of 2 nm remain cubics
        (lorentz, 2.0, 5, (1e-4, 1e-4)),
        (lorentz, 5.0, 5, (5e-3, 5e-3)),
        (metal, 2.0, None, (1e-6, 1e-6)),
        (metal, 5.0, 5, (3e-5, 3e-5)),
        (metal, 10.0, 3, (7e-4, 3e-3)),
        (glass, 5.0, None, (1e-6, 1e-6)),
        (glass, 10.0, 5, (6e-6, 6e-6)),
        (glass, 25.0, 3, (6e-4, 6e-4)),
    ],
)
def test_closed_forms_come_back(form, step, digits, within):
    found = tabulated(form, step=step, digits=digits)
    for depth, largest in zip((0.0, 0.05), within, strict=True):
        off = error(found, form, depth)
        assert off.max() < largest
        told = np.abs(found.uncertainty(INSIDE * (1.0 + 1j * depth)))
        assert np.median(off) <= 1.2 * np.median(told) + 1e-9  # and the table knows about how well


@pytest.mark.parametrize("form", [lorentz, metal, glass])
def test_noise_is_not_followed_off_the_axis(form):
    found = tabulated(form, step=1.0, noise=1e-3)
    assert np.median(error(found, form, 0.05)) < 5e-3
    assert np.median(np.abs(found.uncertainty(INSIDE))) == pytest.approx(2.5e-3, rel=0.3)


def test_a_narrow_line_is_a_pole_half_its_width_below():
    (line,) = tabulated(lorentz, digits=5).lines(1.5, 2.5)
    assert line == pytest.approx(np.sqrt(2.05**2 - 0.02**2) - 0.02j, abs=2e-5)


@pytest.mark.parametrize("form", [metal, glass])
def test_smooth_tables_have_no_lines_in_a_window(form):
    assert not tabulated(form, digits=4).lines(1.4, 2.4)


def test_past_its_ends_a_table_stays_bounded():
    found = tabulated(glass)
    edge = found.n(np.array([400.0, 1000.0]))
    beyond = found.n(np.array([250.0, 390.0, 1030.0, 2000.0]) * (1.0 + 0.1j))
    assert np.abs(beyond - edge[[0, 0, 1, 1]]).max() < 0.1


def test_an_index_without_k_has_none():
    w = np.linspace(400.0, 1000.0, 61)
    assert not Continuation.of(w, np.round(glass(w).real, 4) + 0j, "nk").n(INSIDE).imag.any()


@given(st.lists(st.floats(1.3, 3.0), min_size=5, max_size=12))
def test_a_few_rows_are_not_overshot(n):
    w = np.linspace(500.0, 800.0, len(n))
    fine = np.linspace(500.0, 800.0, 400)
    found = Continuation.of(w, np.array(n) + 0j, "nk").n(fine).real
    spread = np.ptp(n)
    assert found.min() > min(n) - 0.15 * spread - 2e-4
    assert found.max() < max(n) + 0.15 * spread + 2e-4


def test_steps_are_not_overshot_at_all():
    x = np.arange(8.0)
    y = np.array([1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0])
    assert not shaped(x, y, np.full(8, 0.7)).any()


def test_gaps():
    w = np.array([400.0, 405.0, 410.0, 415.0, 420.0, 500.0, 505.0, 510.0, 515.0])
    assert [(part.start, part.stop) for part in pieces(w)] == [(0, 5), (5, 9)]
    assert len(pieces(np.array([400.0, 450.0, 500.0, 600.0, 800.0]))) == 1  # sparse all over
    assert len(pieces(np.array([400.0, 401.0, 402.0, 415.0, 416.0, 417.0]))) == 1  # 13 nm


def test_digits():
    assert half_digit(np.array([1.85, 1.8, 1.873])) == pytest.approx([5e-4] * 3)
    assert half_digit(np.array([4.81e-08, 4.17e-08, 0.0])) == pytest.approx([5e-11] * 3)
    assert half_digit(np.array([0.25, 12.5, 0.0])) == pytest.approx([5e-3, 5e-2, 5e-3])


def test_noise_is_told_from_shape():
    x = np.linspace(1.0, 3.0, 200)
    smooth = np.cos(3.0 * x) + 0.3 / ((x - 2.0) ** 2 + 0.01)
    assert noise(x, smooth) == 0.0
    rough = smooth + 1e-2 * np.random.default_rng(1).normal(size=200)
    assert noise(x, rough) == pytest.approx(1e-2, rel=0.3)


@pytest.mark.parametrize("count", [25_000, 60_000])
def test_large_tables_take_linear_time_and_memory(count):
    w = np.linspace(390.0, 1710.0, count)
    n = np.round(lorentz(w).real, 6) + 1j * np.round(lorentz(w).imag, 7)
    tracemalloc.start()
    start = time.process_time()
    found = Continuation.of(w, n, "nk")
    for window in ((400.0, 1000.0), (700.0, 1700.0)):
        assert np.isfinite(found.n(np.linspace(*window, 65) * (1.0 + 0.05j))).all()
    assert time.process_time() - start < 1.0 * count / 25_000  # 0.2 s for 60 000 rows, on a quiet machine
    assert tracemalloc.get_traced_memory()[1] < 100e6
    tracemalloc.stop()
