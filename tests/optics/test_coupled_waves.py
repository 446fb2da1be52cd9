"""Coupled waves against closed forms: Kogelnik and Shank in one dimension, the infinite array in two."""

import cmath
import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from cavitydesign.optics.arrays.coupled_waves import FourWaves, array_modes, chebyshev, quadrature
from tests.coupled import bands, dfb_modes

K = 2.0 * math.pi / 360.0
LOSSLESS = FourWaves.from_poles(
    bright=9.9326e-3, dark_even=9.5626e-3, dark_odd=9.8862e-3, velocity=0.4655, wavenumber=K
)
LEAKY = FourWaves.from_poles(
    bright=9.9326e-3 - 4.739e-5j, dark_even=9.5626e-3, dark_odd=9.8862e-3, velocity=0.4655, wavenumber=K
)


def fundamental(waves, periods, part=0, *, points=16):
    length = periods * 360.0
    parity, exchange = ((1, 1), 1 - 2 * part) if part < 2 else ((-1, 1), 0)
    near = (*waves.dark, waves.bright)[part] - 0.5j * waves.velocity / length
    found = array_modes(
        waves, lengths_nm=(length, length), parity=parity, exchange=exchange, near=near, points=points
    )
    return max(found, key=lambda mode: mode.uniform[part])


def q(mode):
    return -mode.k0.real / (2.0 * mode.k0.imag)


@pytest.mark.parametrize(
    ("coupling", "gain", "detuning"),
    [
        (0.5, 2.609465, 2.315010),
        (1.0, 1.754815, 2.666332),
        (2.0, 0.984669, 3.379719),
        (3.0, 0.622615, 4.148565),
        (5.0, 0.301904, 5.832174),
    ],
)
def test_thresholds_of_kogelnik_and_shank(coupling, gain, detuning):
    """Known answers; the table is rounded to six decimals."""
    lower, upper = dfb_modes(coupling, count=2)
    assert lower.real == pytest.approx(gain, abs=1e-6)
    assert abs(lower.imag) == pytest.approx(detuning, abs=1e-6)
    assert upper == pytest.approx(lower.conjugate(), abs=1e-12)


@pytest.mark.parametrize("coupling", [0.1, 0.7, 4.0, 12.0, 1.5j, 2.0 + 0.3j])
def test_every_dfb_mode_fulfils_its_equation(coupling):
    modes = dfb_modes(coupling, count=5)
    assert np.all(np.diff(modes.real) > -1e-9)
    for mode in modes:
        value = mode.conjugate()
        gamma = cmath.sqrt(coupling**2 + value**2)
        assert value == pytest.approx(gamma / cmath.tanh(gamma), abs=1e-10)
        ratio = gamma / cmath.sinh(gamma) / coupling
        assert min(abs(ratio - 1j), abs(ratio + 1j)) < 1e-9


def test_gain_coupling_puts_the_lowest_mode_on_the_bragg_line():
    """Kogelnik and Shank, section IV: with imaginary κ there is a mode at δ = 0, below all others."""
    lowest, second = dfb_modes(1.0j, count=2)
    assert lowest.imag == pytest.approx(0.0, abs=1e-12)
    assert second.real > lowest.real + 0.5


def test_coefficients_return_the_poles_that_they_came_from():
    found = bands(LEAKY, 0.0, 0.0)
    wanted = sorted([*LEAKY.dark, LEAKY.bright, LEAKY.bright], key=lambda k0: k0.real)
    assert np.abs(found - np.array(wanted)).max() < 1e-15


def test_the_sum_of_squares_grows_by_twice_v_squared_q_squared():
    """What the finite solver takes v from, in a model whose v is known; the curvature v q²/2K is of higher order."""
    step = 1e-3 * K
    at_rest, moving = bands(LEAKY, 0.0, 0.0), bands(LEAKY, step, 0.0)
    flat = LEAKY.bright + 0.5 * LEAKY.velocity / K * step**2  # R_y - S_y takes no part
    moving = np.delete(moving, np.argmin(np.abs(moving - flat)))
    at_rest = np.delete(at_rest, np.argmin(np.abs(at_rest - LEAKY.bright)))
    growth = np.sum((moving - moving.mean()) ** 2) - np.sum((at_rest - at_rest.mean()) ** 2)
    assert np.sqrt(growth / 2.0).real / step == pytest.approx(LEAKY.velocity, rel=5e-3)


@pytest.mark.parametrize("coupling", [1.0, 2.0, 4.0])
def test_without_crossing_waves_and_diffraction_the_array_is_a_dfb(coupling):
    """d = 0 and K → ∞ leave independent lines of a 1D DFB: α L and δ L of Kogelnik and Shank."""
    length, v = 6120.0, 0.5
    c = 0.01
    waves = FourWaves(c, coupling * v / length, 0.0, v, 1e6)
    exact = dfb_modes(coupling)[0]
    wanted = c + v / length * (-abs(exact.imag) - 1j * exact.real)
    options = {"lengths_nm": (length, length), "parity": (1, 1), "near": wanted, "count": 6, "points": 20}
    found = [mode for swap in (1, -1) for mode in array_modes(waves, exchange=swap, **options)]
    both = [
        array_modes(waves, **{**options, "parity": parity}) for parity in itertools.product((1, -1), repeat=2)
    ]
    nearest = min(abs(mode.k0 - wanted) for mode in [*found, *itertools.chain(*both)])
    assert nearest < 1e-5 * v / length


def test_an_infinite_array_returns_the_poles_at_gamma():
    """Monotonically, as 1/L²: (π/L)² v²/gap is 2e-5 of k0 at 1000 periods for the nearest two edges."""
    for part, pole in enumerate((*LEAKY.dark, LEAKY.bright)):
        far = [abs(fundamental(LEAKY, periods, part).k0 - pole) / abs(pole) for periods in (60, 250, 1000)]
        assert far[0] > far[1] > far[2]
        assert far[2] < 4e-5


def test_q_of_the_dark_edge_grows_as_the_cube_of_the_length():
    """Nothing radiates here, so all loss is through the sides: exactly L³ once κL ≫ 1."""
    sizes = (150, 300, 600)
    values = [q(fundamental(LOSSLESS, periods)) for periods in sizes]
    slopes = np.diff(np.log(values)) / math.log(2.0)
    assert slopes == pytest.approx([3.0, 3.0], abs=0.12)  # corrections of order 1/κL, κL ≥ 12


def test_the_bright_edge_keeps_its_radiation_however_large_the_array():
    assert q(fundamental(LEAKY, 600, 2)) == pytest.approx(
        -LEAKY.bright.real / (2.0 * LEAKY.bright.imag), rel=0.02
    )


def test_loss_is_that_of_the_bright_component_and_of_the_sides():
    """Radiation added to the same mode costs the bright component's share of it, to first order.

    The first order of a mode that is open at its sides is E·E rather than |E|²; at 300 periods they differ by 2 %.
    """
    weak = replace(LOSSLESS, centre=LOSSLESS.centre - 5e-8j, back=LOSSLESS.back + 5e-8j)
    dark, leaky = fundamental(LOSSLESS, 300), fundamental(weak, 300)
    share = 0.5 * (dark.shares[2] + leaky.shares[2])
    assert leaky.k0.imag - dark.k0.imag == pytest.approx(share * weak.bright.imag, rel=0.05)
    assert sum(leaky.shares) == pytest.approx(1.0, abs=1e-12)


def test_the_grid_has_converged():
    coarse, fine = (fundamental(LEAKY, 17, points=points) for points in (12, 22))
    assert coarse.k0 == pytest.approx(fine.k0, rel=1e-5)
    assert q(coarse) == pytest.approx(q(fine), rel=1e-3)


def test_diffraction_separates_transverse_profiles():
    """Without it modes of any transverse profile lie at one frequency; with it no two of a symmetry coincide."""
    length = 60 * 360.0
    near = LOSSLESS.centre + LOSSLESS.back - 0.2j * LOSSLESS.velocity / length
    options = {"lengths_nm": (length, length), "parity": (1, 1), "exchange": 1, "near": near, "points": 16}
    spacing = []
    for waves in (replace(LOSSLESS, wavenumber=1e4 * K, cross=0.0), replace(LOSSLESS, cross=0.0)):
        k0 = np.array([mode.k0 for mode in array_modes(waves, **options)])
        gaps = np.abs(k0[:, None] - k0[None, :]) + np.eye(len(k0))
        spacing.append(gaps.min() * length / LOSSLESS.velocity)
    assert spacing[0] < 1e-3
    assert spacing[1] > 10.0 * spacing[0]


def test_a_rectangle_turned_by_a_quarter_is_the_same_array():
    near = LEAKY.bright
    wide = array_modes(LEAKY, lengths_nm=(9000.0, 14000.0), parity=(-1, 1), near=near, points=12, count=3)
    tall = array_modes(LEAKY, lengths_nm=(14000.0, 9000.0), parity=(1, -1), near=near, points=12, count=3)
    assert [mode.k0 for mode in wide] == pytest.approx([mode.k0 for mode in tall], rel=1e-9)


def test_exchange_splits_the_even_class_without_changing_it():
    options = {"lengths_nm": (6120.0, 6120.0), "parity": (1, 1), "near": LEAKY.dark[0], "points": 12}
    whole = array_modes(LEAKY, **options, count=3)
    parts = [mode.k0 for swap in (1, -1) for mode in array_modes(LEAKY, **options, exchange=swap, count=3)]
    for mode in whole:
        assert min(abs(mode.k0 - k0) for k0 in parts) < 1e-9 * abs(mode.k0)


def test_grid_differentiates_and_integrates_polynomials():
    x, d = chebyshev(9)
    assert d @ x**5 == pytest.approx(5.0 * x**4, abs=1e-12)
    assert quadrature(9) @ x**8 == pytest.approx(2.0 / 9.0, abs=1e-14)
