"""The scalar Bragg solver: self-consistency, completeness over orders, averages, lattices."""

import math

import numpy as np
import pytest

from cavitydesign.errors import InputError, Status
from cavitydesign.geometry import (
    Circle,
    Constant,
    HexagonalLattice,
    Inclusion,
    Layer,
    Library,
    RectangularLattice,
    SquareLattice,
    Stack,
)
from cavitydesign.optics.media.numeric import resolve_stack
from cavitydesign.optics.uniform.slab import slab_modes
from cavitydesign.solvers.ask import solve
from cavitydesign.solvers.bragg import Bragg, averaged, bragg_lines

GLASS = Library(library="main/SiO2/Malitson")
SQUARE = SquareLattice(period_nm=360.0)


def grating(lattice=SQUARE, *, index=2.01, thickness=170.0, substrate=GLASS, radius=100.0):
    hole = Inclusion(pattern=Circle(radius_nm=radius), material=Constant(n=1.8), gain=True)
    return Stack(
        lattice=lattice,
        layers=(
            Layer(material=Constant(n=1.0)),
            Layer(material=Constant(n=1.8), thickness_nm=50.0, gain=True),
            Layer(material=Constant(n=index), thickness_nm=thickness, inclusions=(hole,)),
            Layer(material=substrate),
        ),
    )


@pytest.mark.parametrize("thickness", [170.0, 900.0])
def test_every_solution_satisfies_the_condition_and_none_is_missing(thickness):
    """The other way round: n_eff(λ) on a grid of λ by the slab solver; every sign change of mλ - 2 n_eff Λ counts."""
    window = (450.0, 900.0)
    stack = grating(thickness=thickness)
    solution = solve(stack, Bragg(), window_nm=window)
    assert solution.status is Status.APPROXIMATE
    uniform = averaged(resolve_stack(stack, window_nm=window))
    grid = np.linspace(*window, 46)
    for polarization in ("TE", "TM"):
        rows = [row for row in solution.modes if row.polarization == polarization and math.isinf(row.q_down)]
        for row in rows:
            modes = slab_modes(uniform, wavelength_nm=row.wavelength_nm, polarization=polarization)
            wanted = row.order * row.wavelength_nm / (2.0 * 360.0)
            assert row.n_eff == pytest.approx(wanted, rel=1e-14)
            assert min(abs(mode.n_eff - wanted) for mode in modes) < 1e-12
        n_eff = [slab_modes(uniform, wavelength_nm=w, polarization=polarization) for w in grid]
        crossings = 0
        for index in range(max(len(modes) for modes in n_eff)):
            n = np.array([modes[index].n_eff.real if index < len(modes) else np.nan for modes in n_eff])
            for order in range(1, 20):
                misfit = order * grid - 2.0 * n * 360.0
                crossings += int(np.count_nonzero(misfit[:-1] * misfit[1:] < 0.0))
        assert crossings == len(rows) > 0


def test_orders_can_be_chosen():
    every = solve(grating(), Bragg(), window_nm=(400.0, 700.0)).modes
    assert set(every["order"]) == {2, 3}
    third = solve(grating(), Bragg(orders=(3,)), window_nm=(400.0, 700.0)).modes
    assert sorted(third["wavelength_nm"]) == sorted(every["wavelength_nm"][every["order"] == 3])
    with pytest.raises(InputError, match="orders"):
        solve(grating(), Bragg(orders=(0,)), window_nm=(400.0, 700.0))


def test_nothing_in_the_window_is_a_status():
    solution = solve(grating(), Bragg(), window_nm=(700.0, 900.0))
    assert solution.status is Status.NO_MODES
    assert len(solution.modes) == 0


def test_what_the_theory_cannot_know_stays_blank():
    modes = solve(grating(), Bragg(), window_nm=(560.0, 700.0)).modes
    assert len(modes) == 2  # TE and TM
    for row in modes:
        assert math.isnan(row.q)
        assert math.isnan(row.threshold_gain_per_cm)
        assert row.degeneracy == 4
        assert 0.0 < row.confinement < 1.0


def test_average_is_by_area_and_counts_nested_shapes_once():
    ring = (
        Inclusion(pattern=Circle(radius_nm=120.0), material=Constant(n=1.5)),
        Inclusion(pattern=Circle(radius_nm=80.0), material=Constant(n=1.8, k=0.01)),
    )
    stack = Stack(
        lattice=SQUARE,
        layers=(
            Layer(material=Constant(n=1.0)),
            Layer(material=Constant(n=2.0), thickness_nm=100.0, inclusions=ring),
            Layer(material=Constant(n=1.45)),
        ),
    )
    uniform = averaged(resolve_stack(stack, window_nm=(600.0, 700.0)))
    eps = uniform.eps(np.array(0.01))[uniform.layers[0].material]
    cell, outer, inner = 360.0**2, math.pi * 120.0**2, math.pi * 80.0**2
    wanted = ((cell - outer) * 4.0 + (outer - inner) * 2.25 + inner * (1.8 + 0.01j) ** 2) / cell
    assert eps == pytest.approx(wanted, rel=1e-14)


def test_confinement_counts_the_film_inside_the_holes():
    """-(n/λ') dλ... by moving the film's index and solving again: λ ∝ 1/k, so Γ = (n/λ) dλ/dn."""
    window = (560.0, 700.0)

    def first(n):
        stack = grating()
        film = stack.layers[1].replace(material=Constant(n=n))
        hole = stack.layers[2].inclusions[0].replace(material=Constant(n=n), gain=True)
        grown = stack.replace(
            layers=(stack.layers[0], film, stack.layers[2].replace(inclusions=(hole,)), stack.layers[3])
        )
        return next(row for row in solve(grown, Bragg(), window_nm=window).modes if row.polarization == "TE")

    up, down = first(1.8 + 1e-4), first(1.8 - 1e-4)
    slope = (up.wavelength_nm - down.wavelength_nm) / 2e-4
    middle = first(1.8)
    assert middle.confinement == pytest.approx(1.8 / middle.wavelength_nm * slope, rel=1e-6)


def test_lattices_and_what_their_period_means():
    assert list(RectangularLattice(period_x_nm=360.0, period_y_nm=340.0).bragg_periods_nm) == [
        360.0,
        340.0,
    ]
    hexagonal = HexagonalLattice(period_nm=400.0)
    (period,) = hexagonal.bragg_periods_nm
    # m = 2 is the Γ point: kx = 2π/period is the length of the shortest reciprocal vectors, 4π/(√3 a)
    assert 2.0 * math.pi / period == pytest.approx(np.linalg.norm(hexagonal.reciprocal_per_nm[0]), rel=1e-14)
    window = (560.0, 700.0)
    one = solve(grating(radius=90.0), Bragg(), window_nm=window).modes
    lattice = RectangularLattice(period_x_nm=360.0, period_y_nm=360.0 * 1.02)
    both = solve(grating(lattice, radius=90.0 * math.sqrt(1.02)), Bragg(), window_nm=window).modes
    assert len(both) == 2 * len(one)  # the same average, two periods
    assert set(one["wavelength_nm"]) < set(np.round(both["wavelength_nm"], 9)) | set(
        both["wavelength_nm"]
    ) or min(abs(w - one.wavelength_nm[0]) for w in both.wavelength_nm) == pytest.approx(0.0, abs=1e-9)
    assert solve(grating(hexagonal), Bragg(orders=(2,)), window_nm=window).modes["degeneracy"][0] == 6


def test_leaky_guide_on_silicon_is_listed_with_its_leakage():
    """Q of n_eff at real wavelength, n_g/(2 Im n_eff), and that of the pole at real kx agree to first order in 1/Q."""
    silicon = Constant(n=3.8438, k=0.0144)
    film = Layer(material=Constant(n=1.9), thickness_nm=800.0, gain=True)
    lattice = SquareLattice(period_nm=345.0)
    stack = Stack(lattice=lattice, layers=(Layer(material=Constant(n=1.0)), film, Layer(material=silicon)))
    line = next(
        line
        for line in bragg_lines(resolve_stack(stack, window_nm=(600.0, 700.0)), window_nm=(600.0, 700.0))
        if line.wave.polarization == "TE" and line.order == 2 and line.wave.n_eff > 1.85
    )
    mode = slab_modes(stack, wavelength_nm=line.wave.wavelength_nm, polarization="TE", leaky=True)[0]
    assert mode.kind == "leaky"
    assert line.wave.n_eff == pytest.approx(mode.n_eff.real, abs=2.0 / line.wave.q**2)
    assert line.wave.q == pytest.approx(mode.q, rel=0.01)
    assert line.wave.q > 300.0
    row = solve(stack, Bragg(), window_nm=(600.0, 700.0)).modes
    assert np.all(row["q_down"] < 1e4)


def test_stack_without_lattice_is_told_where_to_go():
    stack = Stack(layers=(Layer(material=Constant(n=1.0)), Layer(material=Constant(n=1.45))))
    with pytest.raises(InputError, match="poles solver"):
        solve(stack, Bragg(), window_nm=(600.0, 700.0))
