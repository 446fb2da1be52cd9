"""All zeros, none missing: polynomials with planted roots, entire functions, pairs, poles, boundaries."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cavitydesign.optics.uniform.zeros import find_zeros, value_and_derivative

SQUARE = (-1.0, 1.0, -1.0, 1.0)


def unscaled(f):
    """A plain function in the form that find_zeros takes."""
    return lambda z: (f(z), np.zeros(np.shape(z)))


def polynomial(roots):
    return unscaled(lambda z: np.prod([z - root for root in roots], axis=0))


def match(found, wanted, tolerance):
    """Every wanted zero has its own found one."""
    left = list(found)
    for root in wanted:
        nearest = min(left, key=lambda z: abs(z - root))
        assert abs(nearest - root) < tolerance, (root, found)
        left.remove(nearest)
    assert not left


coordinate = st.integers(-95, 95).map(lambda i: i / 100.0)


@given(st.lists(st.tuples(coordinate, coordinate), min_size=0, max_size=9, unique=True))
def test_planted_roots_of_a_polynomial_are_all_found(points):
    roots = [complex(*point) for point in points]
    outside = [1.4 + 0.3j, -0.2 - 1.5j]
    zeros = find_zeros(polynomial(roots + outside), SQUARE, scale=0.5)
    assert zeros.complete
    assert zeros.count == len(roots)
    # neighbours may be 0.01 apart, nine of them: the conditioning costs up to six digits
    match(zeros.z, roots, 1e-8)


def test_zeros_of_a_long_sine_are_exact_to_rounding():
    zeros = find_zeros(unscaled(np.sin), (0.5, 100.5, -1.0, 1.0), scale=1.0)
    wanted = np.pi * np.arange(1, 32)
    assert zeros.complete
    assert np.max(np.abs(zeros.z - wanted) / wanted) < 4e-16
    assert np.max(zeros.residual) < 1e-13


@pytest.mark.parametrize("gap", [1e-3, 1e-5, 1e-7])
def test_nearly_degenerate_pair_comes_out_as_two(gap):
    roots = [0.31 + 0.1j, 0.31 + gap + 0.1j]
    zeros = find_zeros(unscaled(lambda z: (z - roots[0]) * (z - roots[1]) * np.exp(z)), SQUARE, scale=0.5)
    assert zeros.complete
    # the product form is evaluated to relative rounding, so the pair is as well conditioned as its gap
    match(zeros.z, roots, 1e-4 * gap)


def test_double_zero_counts_twice():
    zeros = find_zeros(unscaled(lambda z: np.sin(z - 0.2) ** 2), SQUARE, scale=0.5)
    assert zeros.count == len(zeros.z) == 2
    # a double zero is known to the square root of rounding
    assert np.max(np.abs(zeros.z - 0.2)) < 1e-7


def test_function_without_zeros():
    zeros = find_zeros(unscaled(lambda z: np.exp(3.0 * z)), SQUARE, scale=0.3)
    assert (zeros.count, len(zeros.z), zeros.complete) == (0, 0, True)


def test_zero_on_the_boundary_moves_the_boundary_and_is_kept():
    zeros = find_zeros(unscaled(np.sin), (0.0, 4.0, -1.0, 1.0), scale=1.0)
    assert zeros.complete
    assert zeros.region[0] < 0.0
    match(zeros.z, [0.0, np.pi], 1e-14)


def test_zero_on_a_boundary_that_may_not_move_is_no_silent_success():
    zeros = find_zeros(
        unscaled(np.sin), (0.0, 4.0, -1.0, 1.0), scale=1.0, may_grow=(False, True, False, False)
    )
    assert not zeros.complete


def test_pole_inside_is_not_mistaken_for_a_zero():
    zeros = find_zeros(unscaled(lambda z: 1.0 / (z - 0.1)), SQUARE, scale=0.5)
    assert zeros.count == -1
    assert not zeros.complete


def test_scale_that_would_overflow_is_harmless():
    def scaled(z):  # sin(z) exp(300 z), which leaves the range of doubles at Re z = 2.4
        return np.sin(z) * np.exp(300j * z.imag), 300.0 * z.real

    zeros = find_zeros(scaled, (0.5, 10.0, -1.0, 1.0), scale=1.0)
    assert zeros.complete
    match(zeros.z, np.pi * np.arange(1, 4), 1e-13)


def test_undersampled_phase_is_noticed():
    # 400 rad along a side whose first samples lie 1 rad of the stated scale apart
    zeros = find_zeros(unscaled(lambda z: np.sin(50.0 * z)), (0.01, 2.0, -0.1, 0.1), scale=1.0)
    assert zeros.complete
    assert zeros.count == int(2.0 * 50.0 / np.pi)


def test_square_root_at_the_corner_is_no_obstacle():
    f = unscaled(lambda z: np.sqrt(z + 0j) - 1e-3)  # zero at 1e-6, next to its branch point
    zeros = find_zeros(
        f, (0.0, 1.0, -0.5, 0.5), scale=0.5, branch_points=(0.0,), may_grow=(False, True, True, True)
    )
    assert zeros.complete
    assert abs(zeros.z[0] - 1e-6) < 1e-18


def test_derivative_is_exact_for_quartics():
    value, slope = value_and_derivative(unscaled(lambda z: z**4 - z), np.array([0.3 + 0.2j]), 0.01)
    z = 0.3 + 0.2j
    assert abs(value[0] - (z**4 - z)) < 1e-16
    assert abs(slope[0] - (4 * z**3 - 1)) < 1e-14
