"""What a resonance's fields tell: polishing, confinement, thresholds, where the losses go."""

import math

import numpy as np
import pytest

from cavitydesign import units
from cavitydesign.optics.patterned.resonance import polish
from cavitydesign.solvers.poles import exact_threshold_kappa
from tests.optics.cells import block_problem, circle, film_cell, layer, polygon, stack

TRIANGLE = [(80.0 * math.cos(a), 80.0 * math.sin(a)) for a in 2.0 * math.pi * np.arange(3) / 3]


def pole(made, label, near_nm, **options):
    found = polish(
        block_problem(made, label, **options), units.k0_per_nm(near_nm) + 0j, reach=0.002, steps=30
    )
    assert found is not None
    return found


def loss(k0):
    return -2.0 * k0.imag / k0.real


BRIGHT = ("E", 630.3)


def test_polish_is_quick_and_singular_at_the_pole():
    """From 1 % off: M's smallest singular value falls by ten orders against its largest."""
    problem = block_problem(film_cell(), "E")
    found = polish(problem, units.k0_per_nm(631.0) + 0j)
    assert found is not None
    again = polish(problem, found.k0, steps=1)
    assert again is not None  # one step from the pole settles
    s = np.linalg.svd(problem.matrix(np.asarray(again.k0), again.sheets), compute_uv=False)
    assert s[-1] < 1e-10 * s[0]
    assert again.residual < 1e-10


def test_polish_gives_up_where_there_is_nothing():
    problem = block_problem(film_cell(), "B2")
    assert polish(problem, units.k0_per_nm(700.0) + 0j, reach=1e-4) is None


@pytest.mark.parametrize(
    ("made", "label", "near"),
    [
        (film_cell(film=1.85 + 0.003j), "E", 630.3),
        (film_cell(film=1.85 + 0.003j), "A1", 597.0),
        (stack([layer(1.6, 60.0, gain=True), layer(2.0, 170.0, polygon(1.7, TRIANGLE))]), "A'", 600.0),
    ],
)
def test_norm_is_the_slope_of_m(made, label, near):
    """v_lᵀ (∂M/∂k0) v from the fields equals the same by differences of M itself (five points, error step⁴)."""
    found = pole(made, label, near)
    problem, h = found.problem, 2e-5 * found.k0.real
    points = found.k0 + h * np.array([-2.0, -1.0, 1.0, 2.0])
    sheets = problem.sheets_at(found.k0)
    # the stored vectors belong to the last iterate, at most one quadratically small step away
    m = problem.matrix(points, sheets)
    slope = (m[0] - 8.0 * m[1] + 8.0 * m[2] - m[3]) / (12.0 * h)
    assert found.left @ slope @ found.right == pytest.approx(found.norm, rel=3e-6)


@pytest.mark.parametrize(("label", "near"), [("E", 630.3), ("A2", 631.2), ("B1", 607.0)])
def test_confinement_is_the_shift_by_the_film_index(label, near):
    """-(n/k0) dk0/dn by differences of solved poles; the film is a layer and the filling of the holes."""
    step = 1e-4
    k0 = [pole(film_cell(film=1.85 + d), label, near).k0 for d in (-step, 0.0, step)]
    expected = (-1.85 / k0[1] * (k0[2] - k0[0]) / (2.0 * step)).real
    assert pole(film_cell(), label, near).confinement() == pytest.approx(expected, rel=1e-6)


def test_confinements_add_up():
    """The shares of all materials, half-spaces included, make up the whole of a dark mode: ∫E·D = ∫H·B."""
    found = pole(film_cell(), "A2", 631.2)
    n = found.problem.stack.index(np.asarray(found.k0))
    shares = [(-n[i] / found.k0 * found.shift_by_index(np.eye(1, len(n), i)[0])).real for i in range(len(n))]
    assert all(share > 0.0 for share in shares)
    assert sum(shares) == pytest.approx(1.0, abs=1e-7)  # the last polishing step moves k0 by 1e-8


@pytest.mark.parametrize("film", [1.85, 1.85 + 0.01j])
@pytest.mark.parametrize(("label", "near"), [("E", 630.3), ("E", 602.3)])
def test_exact_threshold_brings_the_pole_to_the_axis(film, label, near):
    found = pole(film_cell(film=film), label, near)
    kappa = exact_threshold_kappa(found)
    lasing = pole(film_cell(film=film - 1j * kappa), label, near)
    assert abs(loss(lasing.k0)) < 1e-9
    assert lasing.k0.real == pytest.approx(found.k0.real, rel=1e-4)
    below = pole(film_cell(film=film - 0.9j * kappa), label, near)
    assert below.k0.imag < 0.0


def test_first_order_threshold_is_the_limit_of_high_q():
    """Their relative difference falls with 1/Q: by more than ten from the bright Q = 1300 to the bright Q = 15000."""
    differences = []
    for near in (630.3, 602.3):
        found = pole(film_cell(), "E", near)
        differences.append(abs(found.threshold_kappa() / exact_threshold_kappa(found) - 1.0))
    assert differences[0] < 1e-3
    assert differences[1] < 0.2 * differences[0]


def test_threshold_makes_up_for_absorption_exactly():
    """A dark mode whose only loss is the film's own κ: the film's gain that cancels it is κ itself."""
    found = pole(film_cell(film=1.85 + 0.004j), "A2", 631.2)
    assert exact_threshold_kappa(found) == pytest.approx(0.004, rel=1e-9)


@pytest.mark.parametrize(
    ("label", "near"), [("E", 630.3), ("E", 602.3), ("A2", 631.2), ("B1", 607.0), ("A1", 597.0)]
)
def test_gain_moves_every_pole_up(label, near):
    k0 = [pole(film_cell(film=1.85 - 1j * kappa), label, near).k0 for kappa in (-0.01, 0.0, 0.01)]
    assert k0[0].imag < k0[1].imag < k0[2].imag
    # perturbation theory: Im k0 moves by Γ k0 Δκ/n, to first order in κ
    expected = pole(film_cell(), label, near).confinement() * k0[1].real * 0.01 / 1.85
    assert (k0[2] - k0[0]).imag / 2.0 == pytest.approx(expected, rel=5e-3)


@pytest.mark.parametrize(("label", "near"), [("A2", 631.2), ("B2", 630.07), ("A1", 597.0)])
def test_dark_modes_of_a_lossless_stack_have_no_loss(label, near):
    found = pole(film_cell(), label, near)
    assert found.is_lossless
    assert abs(loss(found.k0)) < 1e-13
    assert not pole(film_cell(film=1.85 + 1e-6j), label, near).is_lossless


def test_losses_add_up_and_absorption_is_its_own():
    """The split adds up exactly; its absorption is the rise of 1/Q as absorption is switched on (first order)."""
    lossy = pole(film_cell(film=1.85 + 1e-4j), *BRIGHT)
    up, down, absorbed = lossy.losses()
    assert up + down + absorbed == pytest.approx(loss(lossy.k0), rel=1e-12)
    assert min(up, down, absorbed) > 0.0
    clear = pole(film_cell(), *BRIGHT)
    assert absorbed == pytest.approx(loss(lossy.k0) - loss(clear.k0), rel=5e-3)
    assert up + down == pytest.approx(loss(clear.k0), rel=5e-3)


def test_symmetric_membrane_radiates_equally():
    """One layer between equal half-spaces: its modes are even or odd, so Q_up : Q_down = 1 : 1."""
    membrane = stack([layer(2.0, 170.0, circle(1.6, 100.0))], above=1.3, below=1.3)
    up, down, absorbed = pole(membrane, "E", 575.0, waves=49).losses()
    assert up > 0.0
    assert up == pytest.approx(down, rel=1e-6)
    assert absorbed == 0.0


def test_turning_the_stack_over_swaps_up_and_down():
    radius = math.sqrt(0.3 / math.pi) * 360.0
    layers = [layer(1.85, 60.0), layer(2.0, 170.0, circle(1.85, radius))]
    upright = pole(stack(layers), *BRIGHT)
    over = pole(stack(layers[::-1], above=1.46, below=1.0), *BRIGHT)
    assert over.k0 == pytest.approx(upright.k0, rel=1e-9)
    assert over.losses()[:2] == pytest.approx(upright.losses()[1::-1], rel=1e-5)


def test_flux_out_is_the_energy_lost():
    """High Q: (power out) / (k0 × energy stored per cell) from the fields is 1/Q from the pole.

    Energy density ¼(ε|E|² + |H|²), of which the electric half ∫ε|E|² k0/2 is taken from F and E_z = -K ε⁻¹ h; the
    imaginary parts that this drops are of order 1/Q² = 4e-9.
    """
    found = pole(film_cell(), "E", 602.3, waves=25)
    problem, k0 = found.problem, found.k0
    eps = problem.stack.eps(np.asarray(k0))
    energy = 0.0
    for item in found.right_field.layers:
        d_ka, d_kb = (
            np.diag(x) if x.ndim == 1 else x
            for x in problem.slopes(item.index, eps, k0, d_eps=np.zeros(len(eps)), d_k=1.0)
        )
        points, weights = np.polynomial.legendre.leggauss(24)
        for point, weight in zip(points, weights, strict=True):
            z = 0.5 * item.thickness_nm * (1.0 + point)
            rise, fall = np.exp(1j * item.q * z), np.exp(1j * item.q * (item.thickness_nm - z))
            f = item.w @ (rise * item.a + fall * item.b)
            h = item.v @ (rise * item.a - fall * item.b)
            # ∂(k0 B)/∂k0 and ∂(k0 A)/∂k0 between fields: the whole energy (Poynting's theorem, time-averaged × 4)
            energy += 0.5 * weight * item.thickness_nm * (f.conj() @ d_kb @ f + h.conj() @ d_ka @ h).real
    power = 0.0
    for number, open_, face in (
        (problem.stack.superstrate, found.sheets.up, found.right_field.top),
        (problem.stack.substrate, found.sheets.down, found.right_field.bottom),
    ):
        y = problem.half_space(np.asarray(eps[number]), np.asarray(k0), open_)
        power += float(np.sum(np.where(open_, y.real, 0.0) * np.abs(face) ** 2))
        # bound channels store energy outside: ∂Y/∂k0 of their tails, -i F†(∂Y/∂k0)F
        tail = problem.half_space_slope(complex(eps[number]), k0, open_, d_eps=0.0, d_k=1.0)
        energy += float(np.sum(np.where(open_, 0.0, (1j * tail).real) * np.abs(face) ** 2))
    assert 2.0 * power / (energy * k0.real) == pytest.approx(loss(k0), rel=2e-3)
