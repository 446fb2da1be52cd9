"""All solvers of the package through one list: closed form, version, columns, unknown values, edges, no modes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.optimize import brentq

from cavitydesign.errors import Status
from cavitydesign.geometry import Circle, Constant, Inclusion, Layer, SquareLattice, Stack
from cavitydesign.geometry.device import Device
from cavitydesign.solvers import Bragg, Fdtd, Finite, Mode, Poles, Solver, known, solve
from cavitydesign.solvers.solution import MODE_COLUMNS

AIR, PERIOD = Layer(material=Constant(n=1.0)), 360.0
INDEX, THICKNESS, ORDER = 5.0, 650.0, 10
PLATE = Stack(layers=(AIR, Layer(material=Constant(n=INDEX), thickness_nm=THICKNESS, gain=True), AIR))
"""Ten half waves at 650 nm, between two faces that reflect (4/6)² of the power."""
HOLE = Inclusion(pattern=Circle(radius_nm=108.0), material=Constant(n=1.5))
SLAB = Layer(material=Constant(n=2.2), thickness_nm=200.0, gain=True)
SQUARE = SquareLattice(period_nm=PERIOD)
UNIFORM = Stack(lattice=SQUARE, layers=(AIR, SLAB, AIR))
PATTERNED = Stack(
    lattice=SQUARE, layers=(AIR, SLAB.replace(inclusions=(HOLE,)), Layer(material=Constant(n=1.46)))
)


def of_plate(error):
    """m λ = 2 n d and Q = m π / ln(1/R), exactly."""

    def check(mode: Mode) -> None:
        q = ORDER * math.pi / -math.log(((INDEX - 1.0) / (INDEX + 1.0)) ** 2)
        assert mode.wavelength_nm == pytest.approx(2.0 * INDEX * THICKNESS / ORDER, rel=error)
        assert mode.q == pytest.approx(q, rel=50.0 * error)

    return check


def of_guide(mode: Mode) -> None:
    """m λ = 2 n_eff Λ with the lowest TE guided wave of a symmetric slab, ``tan(κd/2) = γ/κ``."""

    def mismatch(wavelength: float) -> float:
        k0 = 2.0 * math.pi / wavelength
        n_eff = wavelength / PERIOD
        kappa, gamma = k0 * math.sqrt(2.2**2 - n_eff**2), k0 * math.sqrt(n_eff**2 - 1.0)
        return kappa * math.tan(kappa * 100.0) - gamma

    assert mode.wavelength_nm == pytest.approx(brentq(mismatch, 620.0, 760.0), rel=1e-9)
    assert (mode.order, mode.polarization) == (2, "TE")
    assert mode.n_eff == pytest.approx(mode.wavelength_nm / PERIOD)


def of_large_array(mode: Mode) -> None:
    """An array of a million cells has the modes of the infinite one."""
    infinite = solve(PATTERNED, Poles(waves=21), window_nm=(600.0, 670.0)).modes
    nearest = min(infinite, key=lambda other: abs(other.wavelength_nm - mode.wavelength_nm))
    assert mode.symmetry == nearest.symmetry
    assert mode.wavelength_nm == pytest.approx(nearest.wavelength_nm, rel=1e-5)


@dataclass(frozen=True)
class Case:
    """One solver, a question with an answer in closed form, and what it cannot know."""

    settings: Solver
    stack: Stack
    window_nm: tuple[float, float]
    check: Callable[[Mode], None]
    unknown: tuple[str, ...]
    nothing: Stack
    device: Device | None = None

    def solve(self, **changes):
        case = replace(self, **changes)
        return solve(case.stack, case.settings, window_nm=case.window_nm, device=case.device)


def quick(name):
    """The case at one resolution, where the answer is compared with another one on the same grid."""
    settings = CASES[name].settings
    return replace(CASES[name], settings=Fdtd(pixels_per_um=(25.0,)) if name == "fdtd" else settings)


THIN = Stack(layers=(AIR, Layer(material=Constant(n=1.5), thickness_nm=20.0, gain=True), AIR))
SHORT = Stack(lattice=SquareLattice(period_nm=100.0), layers=UNIFORM.layers)
SHORT_HOLES = Stack(
    lattice=SquareLattice(period_nm=100.0),
    layers=(AIR, SLAB.replace(inclusions=(HOLE.replace(pattern=Circle(radius_nm=30.0)),)), AIR),
)
CASES = {
    "bragg": Case(
        Bragg(orders=(2,)), UNIFORM, (600.0, 790.0), of_guide,
        ("q", "threshold_gain_per_cm", "q_edges", "q_err", "outward_share"), SHORT,
    ),
    "poles": Case(
        Poles(), PLATE, (630.0, 670.0), of_plate(1e-9), ("q_edges",), THIN,
    ),
    "finite": Case(
        Finite(poles=Poles(waves=21)), PATTERNED, (600.0, 670.0), of_large_array, (), SHORT_HOLES,
        Device(periods=(1000, 1000)),
    ),
    "fdtd": Case(
        Fdtd(pixels_per_um=(25.0, 35.0)), PLATE, (630.0, 670.0), of_plate(4e-4),
        ("q_edges", "n_eff", "threshold_gain_per_cm"), THIN,
    ),
}  # fmt: skip
NAMES = [pytest.param(name, marks=pytest.mark.meep if name == "fdtd" else ()) for name in CASES]


def test_every_solver_of_the_package_is_in_the_list():
    assert sorted(CASES) == list(known())
    for name, case in CASES.items():
        assert type(case.settings) is known()[name]
        assert case.settings.name == name
        assert isinstance(case.settings.version, int)
        assert case.settings.version >= 1


@pytest.mark.parametrize("name", NAMES)
def test_every_solver_answers_alike(name):
    case = CASES[name]
    found = case.solve()
    assert found.status in (Status.OK, Status.APPROXIMATE)
    assert (found.solver, found.window_nm, found.design_id) == (name, case.window_nm, case.stack.id)
    assert found.provenance["solver_version"] == case.settings.version
    modes = found.modes
    assert set(modes.columns) == set(MODE_COLUMNS)
    assert all(len(column) == len(modes) for column in modes.columns.values())
    assert np.all(np.diff(modes["wavelength_nm"]) <= 0.0), "longest wavelength first"
    case.check(modes[0])
    for unknown in case.unknown:
        assert np.isnan(modes[unknown]).all(), unknown
        assert modes[0].record()[unknown] is None
    assert np.isfinite(modes["wavelength_nm"]).all()
    low, high = case.window_nm
    assert ((modes["wavelength_nm"] >= low) & (modes["wavelength_nm"] <= high)).all()


# the finite solver wants whole families of band edges in its window: every edge of it cuts one
@pytest.mark.parametrize("name", [name for name in NAMES if name.values != ("finite",)])
def test_a_window_ends_at_its_edges(name):
    case = quick(name)
    at = case.solve().modes[0].wavelength_nm
    inside = case.solve(window_nm=(case.window_nm[0], at + 1.0)).modes
    assert inside[0].wavelength_nm == pytest.approx(at, rel=1e-3)
    beside = case.solve(window_nm=(at + 1.0, at + 30.0))
    assert not len(beside.modes)
    assert beside.status is Status.NO_MODES


@pytest.mark.parametrize("name", NAMES)
def test_no_modes_is_an_answer(name):
    case = quick(name)
    found = case.solve(stack=case.nothing)
    assert not len(found.modes)
    assert found.status is Status.NO_MODES
    assert set(found.modes.columns) == set(MODE_COLUMNS)
