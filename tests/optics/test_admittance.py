"""M(k0): against the plain transfer matrix, at any interface, on any sheet; its fields solve Maxwell's equations."""

import math

import numpy as np
import pytest
from scipy.linalg import expm

from cavitydesign import units
from cavitydesign.optics.patterned.admittance import BlockProblem, Sheets
from cavitydesign.optics.patterned.fields import fields
from cavitydesign.optics.patterned.resonance import polish
from tests.optics.cells import block_problem, circle, film_cell, layer, polygon, stack

K0 = np.array(units.k0_per_nm(640.0) - 2e-4j)
TRIANGLE = [(80.0 * math.cos(a), 80.0 * math.sin(a)) for a in 2.0 * math.pi * np.arange(3) / 3]
THREE = stack(
    [
        layer(1.7, 40.0),
        layer(2.0, 90.0, circle(1.5 + 0.02j, 100.0)),
        layer(1.6, 30.0),
        layer(2.2, 60.0, circle(1.3, 60.0)),
        layer(1.5, 50.0),
    ]
)


def _plain_matrix(problem: BlockProblem, k0, sheets: Sheets):
    """M by the plain formula: exp of the whole layer operator, (F, h)' = i ((0, k0 A), (k0 B, 0)) (F, h)."""
    eps = problem.stack.eps(k0)

    def carried(indices, y):
        f, h = np.eye(problem.size, dtype=complex), np.diag(y)
        for index in indices:
            ka, kb = (np.diag(x) if x.ndim == 1 else x for x in problem.operators(index, eps, k0))
            zero = np.zeros_like(ka)
            # towards the interface: z falls, hence the minus sign
            step = expm(-1j * problem.stack.layers[index].thickness_nm * np.block([[zero, ka], [kb, zero]]))
            f, h = (
                step[: len(ka), : len(ka)] @ f + step[: len(ka), len(ka) :] @ h,
                (step[len(ka) :, : len(ka)] @ f + step[len(ka) :, len(ka) :] @ h),
            )
        return h @ np.linalg.inv(f)

    last = len(problem.stack.layers)
    up = carried(range(problem.interface), problem.half_space(eps[problem.stack.superstrate], k0, sheets.up))
    down = carried(
        range(last - 1, problem.interface - 1, -1),
        problem.half_space(eps[problem.stack.substrate], k0, sheets.down),
    )
    return up + down


@pytest.mark.parametrize("label", ["A1", "B2", "E"])
@pytest.mark.parametrize("interface", [0, 1, 2, 3, 4])
def test_against_plain_transfer_matrices(label, interface):
    """Few waves and thin layers, where growing exponentials do not yet hurt: equal to 1e-8."""
    problem = block_problem(THREE, label, waves=13, interface=interface)
    sheets = problem.sheets_at(complex(K0))
    expected = _plain_matrix(problem, K0, sheets)
    found = problem.sides(K0, sheets)
    total = sum(np.diag(y) if y.ndim == 1 else y for y in found[:2])
    np.testing.assert_allclose(total, expected, atol=1e-8 * np.abs(expected).max())


@pytest.mark.parametrize("label", ["A2", "B2"])
def test_poles_do_not_depend_on_the_interface(label):
    near = units.k0_per_nm(631.19 if label == "A2" else 630.07) + 0j
    found = []
    for interface in (0, 1):
        pole = polish(
            block_problem(film_cell(film=1.85 + 0.001j), label, waves=49, interface=interface), near
        )
        assert pole is not None
        found.append(pole.k0)
    assert found[0] == pytest.approx(found[1], rel=1e-11)


def test_many_points_at_once():
    problem = block_problem(THREE, "E")
    sheets = problem.sheets_at(complex(K0))
    points = K0 * np.array([0.98, 1.0, 1.02 - 0.01j])
    together = problem.matrix(points, sheets)
    for point, one in zip(points, together, strict=True):
        np.testing.assert_allclose(
            problem.matrix(np.asarray(point), sheets), one, atol=1e-9 * np.abs(one).max()
        )


def test_thick_layers_do_not_overflow():
    """20 µm of spacer: nothing but decaying exponentials, so M stays finite (warnings are errors)."""
    problem = block_problem(
        stack([layer(2.0, 170.0, circle(1.5, 100.0)), layer(1.46, 20000.0)]), "E", waves=97
    )
    assert np.isfinite(problem.matrix(K0, problem.sheets_at(complex(K0)))).all()


def test_sheets():
    """Open past the threshold, closed before it; the radiating root grows below the real axis, the bound one decays."""
    problem = block_problem(film_cell(period_nm=440.0), "E")
    eps = np.asarray(1.46**2 + 0j)
    for wavelength, open_ in ((630.0, True), (650.0, False)):
        k0 = np.asarray(units.k0_per_nm(wavelength) - 1e-4j)
        sheets = problem.sheets_at(complex(k0))
        first = np.isclose(problem.length, 2.0 * math.pi / 440.0)
        assert first.any()
        assert (sheets.down[first] == open_).all()
        kz = problem.kz(eps, k0, sheets.down)
        if open_:
            assert (kz[first].real > 0.0).all()
            assert (kz[first].imag < 0.0).all()
        else:
            assert (kz[first].imag > 0.0).all()
        np.testing.assert_allclose(kz**2, eps * k0**2 - problem.length**2, rtol=1e-12)


def test_half_space_is_the_fresnel_admittance():
    """Normal incidence: Y = n for both components; TE kz/k0 and TM ε k0/kz elsewhere."""
    problem = block_problem(film_cell(), "E")
    y = problem.half_space(np.asarray(1.46**2 + 0j), K0, np.ones(problem.size, dtype=bool))
    np.testing.assert_allclose(y[problem.length == 0.0], 1.46, rtol=1e-12)


@pytest.mark.parametrize(
    ("made", "label", "near"),
    [
        (film_cell(film=1.85 + 0.002j), "E", 630.3),
        (stack([layer(1.6, 60.0), layer(2.0, 170.0, polygon(1.7, TRIANGLE))]), "A'", 600.0),
    ],
)
@pytest.mark.parametrize("left", [False, True])
def test_fields_solve_the_layer_equations(made, label, near, left):
    """F' = i k0 A h and h' = i k0 B F inside, F and h continuous, h = ± Y F outside; left: with A and B transposed."""
    problem = block_problem(made, label)
    pole = polish(problem, units.k0_per_nm(near) + 0j, reach=0.003, steps=30)
    assert pole is not None
    k0 = np.asarray(pole.k0)
    sides = problem.sides(k0, pole.sheets)
    field = fields(problem, pole.left if left else pole.right, sides, left=left)
    eps = problem.stack.eps(k0)

    def at(item, z):
        rise, fall = np.exp(1j * item.q * z), np.exp(1j * item.q * (item.thickness_nm - z))
        return item.w @ (rise * item.a + fall * item.b), item.v @ (rise * item.a - fall * item.b)

    ends = {}
    for item in field.layers:
        ka, kb = (np.diag(x) if x.ndim == 1 else x for x in problem.operators(item.index, eps, k0))
        ka, kb = (ka.T, kb.T) if left else (ka, kb)
        z, step = 0.4 * item.thickness_nm, 0.02
        slopes = [(b - a) / (2.0 * step) for a, b in zip(at(item, z - step), at(item, z + step), strict=True)]
        f, h = at(item, z)
        np.testing.assert_allclose(slopes[0], 1j * ka @ h, atol=1e-4 * np.abs(slopes[0]).max())
        np.testing.assert_allclose(slopes[1], 1j * kb @ f, atol=1e-4 * np.abs(slopes[1]).max())
        near_face, far_face = at(item, 0.0), at(item, item.thickness_nm)
        top, bottom = (far_face, near_face) if item.sign < 0 else (near_face, far_face)
        ends[item.index] = [(part[0], item.sign * part[1]) for part in (top, bottom)]
    tolerance = 1e-6 * np.abs(pole.right).max() * 3.0
    for index in range(len(problem.stack.layers) - 1):
        for below, above in zip(ends[index][1], ends[index + 1][0], strict=True):
            np.testing.assert_allclose(below, above, atol=tolerance)
    y_down = problem.half_space(eps[problem.stack.substrate], k0, pole.sheets.down)
    y_up = problem.half_space(eps[problem.stack.superstrate], k0, pole.sheets.up)
    np.testing.assert_allclose(ends[len(ends) - 1][1][1], y_down * ends[len(ends) - 1][1][0], atol=tolerance)
    np.testing.assert_allclose(ends[0][0][1], -y_up * ends[0][0][0], atol=tolerance)
