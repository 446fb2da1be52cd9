"""Fourier factorisation: classes do not mix, the lamellar layer has its exact modes, normals beat the naive rule."""

import math

import numpy as np
import pytest

from cavitydesign import units
from cavitydesign.geometry.pattern import Circle, Ellipse, Rectangle
from cavitydesign.optics.patterned.admittance import BlockProblem, Sheets
from cavitydesign.optics.patterned.fourier import _normal_field, _scaled, symmetry_group
from cavitydesign.optics.patterned.planewaves import blocks, plane_waves
from cavitydesign.optics.patterned.resonance import polish
from cavitydesign.optics.patterned.symmetry import point_group
from tests.optics.cells import block_problem, circle, layer, material, numeric, polygon, rectangle, stack

PINWHEEL = [
    point
    for j in range(4)
    for point in (
        (90 * math.cos(math.pi * j / 2), 90 * math.sin(math.pi * j / 2)),
        (40 * math.cos(math.pi * j / 2 + 0.5), 40 * math.sin(math.pi * j / 2 + 0.5)),
    )
]
TRIANGLE = [(80.0 * math.cos(a), 80.0 * math.sin(a)) for a in 2.0 * math.pi * np.arange(3) / 3]


def ellipse(n, semi_axes_nm, **more):
    return {"shape": "ellipse", "semi_axes_nm": semi_axes_nm, "material": material(n), **more}


def rounded(n, size_nm, radius_nm):
    return {**rectangle(n, size_nm), "corner_radius_nm": radius_nm}


CELLS = {
    "C4v": stack([layer(2.0, 170.0, circle(1.5, 100.0))]),
    "C4": stack([layer(2.0, 170.0, polygon(1.5, PINWHEEL))]),
    "C2v": stack([layer(2.0, 170.0, rectangle(1.5, (190.0, 90.0)))]),
    "C2": stack([layer(2.0, 170.0, ellipse(1.5, (110.0, 60.0), rotation_deg=20.0))]),
    "C4v, round corners": stack([layer(2.0, 170.0, rounded(1.5, (190.0, 190.0), 40.0))]),
    "C6v": stack([layer(2.0, 170.0, circle(1.5, 100.0))], kind="hexagonal"),
    "C3v": stack([layer(2.0, 170.0, polygon(1.5, TRIANGLE))], kind="hexagonal"),
    "Cs": stack(
        [layer(2.0, 100.0, polygon(1.5, TRIANGLE)), layer(1.7, 90.0, circle(2.2 + 0.1j, 40.0, (30.0, 0.0)))]
    ),
}


@pytest.mark.parametrize("factorisation", ["normal", "naive"])
@pytest.mark.parametrize("name", CELLS)
def test_classes_do_not_mix(name, factorisation):
    """M in the whole basis, turned into the classes, has nothing outside its blocks, and inside them what they compute.

    Tolerance: the field of normals sums 16 copies of the cell, which breaks its symmetry by what the next ones weigh.
    """
    made = numeric(CELLS[name])
    waves = plane_waves(made.lattice, bloch=(0.0, 0.0), count=25)
    (everything,) = blocks(waves, point_group(1))
    group = symmetry_group(made, bloch=(0.0, 0.0))
    assert group.name == name.split(",")[0]
    k0 = np.array(units.k0_per_nm(640.0) - 1e-4j)

    def matrix(block):
        problem = BlockProblem(made, waves, block, factorisation=factorisation)
        return problem.matrix(k0, problem.sheets_at(complex(k0)))

    def columns(block):
        return np.concatenate([block.l_part, block.t_part])

    whole = columns(everything) @ matrix(everything) @ columns(everything).T
    scale = np.abs(whole).max()
    found = blocks(waves, group)
    for block in found:
        own = columns(block)
        np.testing.assert_allclose(own.T @ whole @ own, matrix(block), atol=1e-8 * scale)
        for other in found:
            if other is not block:
                assert np.abs(columns(other).T @ whole @ own).max() < 1e-8 * scale


def test_symmetric_with_inversion_and_left_vectors_without():
    """Real Fourier coefficients (a centre of inversion): M is complex symmetric. Without one it is not."""
    k0 = np.array(0.0098 - 1e-4j)
    with_centre = block_problem(CELLS["C2v"], "A1")
    m = with_centre.matrix(k0, with_centre.sheets_at(complex(k0)))
    assert with_centre.symmetric
    np.testing.assert_allclose(m, m.T, atol=1e-11 * np.abs(m).max())
    without = block_problem(CELLS["C3v"], "E")
    m = without.matrix(k0, without.sheets_at(complex(k0)))
    assert not without.symmetric
    assert np.abs(m - m.T).max() > 1e-3


# -- the lamellar grating -------------------------------------------------------------------------------------------

GRATING = (400.0, 30.0)  # so short in y that the first 15 plane waves have G_y = 0
BAR, N_BAR, N_GAP, K0 = 150.0, 2.6, 1.3, 2.0 * math.pi / 650.0


def _lamellar(kz2, k0, *, tm, bar=BAR, inside=N_BAR, outside=N_GAP, kx=0.0):
    """Dispersion of the modes of a lamellar layer, zero at each kz² (Botten et al., Opt. Acta 28, 413 (1981)).

    ``cos αa cos βb - ½ (p + 1/p) sin αa sin βb - cos kx Λ``, α² = ε k0² - kz²; p = β/α for E along the lines (TE),
    (β/ε_b)/(α/ε_a) for H along them (TM).
    """
    a, b = bar, GRATING[0] - bar
    alpha, beta = (np.sqrt(n**2 * k0**2 - kz2 + 0j) for n in (inside, outside))
    p = beta / alpha * (inside**2 / outside**2 if tm else 1.0)
    mixed = 0.5 * (p + 1.0 / p) * np.sin(alpha * a) * np.sin(beta * b)
    return (np.cos(alpha * a) * np.cos(beta * b) - mixed).real - math.cos(kx * GRATING[0])


def _exact_kz2(tm, count=3):
    from scipy.optimize import brentq

    # at kx = 0 even modes touch or cross; a small kx keeps all zeros simple
    kx = 0.1 * 2.0 * math.pi / GRATING[0]
    grid = np.linspace((N_BAR * K0) ** 2, -((2.0 * K0) ** 2), 4001)
    values = np.array([_lamellar(x, K0, tm=tm, kx=kx) for x in grid])
    roots = [
        brentq(lambda x: _lamellar(x, K0, tm=tm, kx=kx), grid[i + 1], grid[i], xtol=1e-18)
        for i in range(len(grid) - 1)
        if values[i] * values[i + 1] < 0.0
    ]
    return kx, np.array(sorted(roots, reverse=True)[:count])


def _layer_kz2(made, label, waves, kx, factorisation="normal"):
    problem = block_problem(made, label, waves=waves, bloch=(kx, 0.0), factorisation=factorisation)
    assert not problem.waves.vectors[:, 1].any()
    k0 = np.array(K0 + 0j)
    ka, kb = problem.operators(0, problem.stack.eps(k0), k0)
    return np.sort(np.linalg.eigvals(ka @ kb).real)[::-1]


def _grating(inside=N_BAR, outside=N_GAP):
    return stack([layer(outside, 200.0, rectangle(inside, (BAR, GRATING[1])))], period_nm=GRATING)


@pytest.mark.parametrize(("tm", "label"), [(False, "A''"), (True, "A'")])
def test_lamellar_layer_has_its_exact_modes(tm, label):
    """Lines along y: kz² of the layer's modes against the closed dispersion relation of a periodic lamellar medium."""
    kx, exact = _exact_kz2(tm)
    errors = [
        np.abs(_layer_kz2(_grating(), label, count, kx)[: len(exact)] - exact).max() / K0**2
        for count in (9, 17, 25)
    ]
    assert errors[-1] < 1e-3
    assert errors[-1] < 0.1 * errors[0]


def _independent_kz2(tm, orders, kx, *, rule):
    """Lamellar layer by textbook RCWA with Li's rules, written here from scratch (Li, JOSA A 13, 1870 (1996))."""
    n = np.arange(-orders, orders + 1)
    k = (kx + 2.0 * math.pi * n / GRATING[0]) / K0
    d = n[:, None] - n[None, :]
    chi = BAR / GRATING[0] * np.sinc(d * BAR / GRATING[0])

    def toeplitz(inner, outer):
        return outer * np.eye(len(n)) + (inner - outer) * chi

    eps, inverse = toeplitz(N_BAR**2, N_GAP**2), toeplitz(N_BAR**-2, N_GAP**-2)
    if not tm:
        operator = eps - np.diag(k**2)
    else:
        across = np.linalg.inv(inverse) if rule == "normal" else eps
        operator = across @ (np.eye(len(n)) - k[:, None] * np.linalg.inv(eps) * k[None, :])
    return np.sort(np.linalg.eigvals(operator).real)[::-1] * K0**2


def test_naive_rule_is_laurents():
    """To rounding the same operators as a textbook RCWA with the naive rule, TE and TM; TE needs no other."""
    kx, _ = _exact_kz2(False)
    for tm, label in ((False, "A''"), (True, "A'")):
        mine = _layer_kz2(_grating(), label, 15, kx, "naive")
        orders = (len(mine) - 1) // 2
        np.testing.assert_allclose(
            mine, _independent_kz2(tm, orders, kx, rule="naive"), rtol=1e-9, atol=1e-9 * K0**2
        )


def test_lines_across_the_cell_are_li_s():
    """A bar that runs through from cell to cell has no ends: the normal rule is then Li's inverse rule, to rounding."""
    kx, exact = _exact_kz2(True)
    mine = _layer_kz2(_grating(), "A'", 21, kx)
    orders = (len(mine) - 1) // 2
    li = _independent_kz2(True, orders, kx, rule="normal")
    np.testing.assert_allclose(mine, li, rtol=1e-9, atol=1e-9 * K0**2)
    naive = _independent_kz2(True, orders, kx, rule="naive")
    assert np.abs(mine[:3] - exact).max() < 0.1 * np.abs(naive[:3] - exact).max()


# -- convergence ----------------------------------------------------------------------------------------------------

HARD = {
    "circle": (stack([layer(1.6, 200.0, circle(3.0, 70.0))]), 614.83),
    "rectangle": (stack([layer(1.6, 200.0, rectangle(3.0, (130.0, 130.0)))]), 618.70),
    "ellipse": (stack([layer(1.6, 200.0, ellipse(3.0, (85.0, 60.0)))]), 615.62),
    "round corners": (stack([layer(1.6, 200.0, rounded(3.0, (150.0, 110.0), 30.0))]), 614.99),
    "turned": (stack([layer(1.6, 200.0, rectangle(3.0, (130.0, 130.0), rotation_deg=45.0))]), 618.43),
}


def _pole(made, label, waves, factorisation, near_nm):
    problem = block_problem(made, label, waves=waves, factorisation=factorisation)
    found = polish(problem, units.k0_per_nm(near_nm) + 0j, reach=0.02 * units.k0_per_nm(near_nm))
    assert found is not None
    return units.wavelength_nm_of(found.k0)


@pytest.mark.parametrize("shape", HARD)
def test_normals_converge_faster(shape):
    """The TM-like dark mode, whose E crosses the walls: errors at 49 to 193 waves against 385 waves with normals."""
    made, near = HARD[shape]
    counts = (49, 97, 193)
    limit = _pole(made, "A1", 385, "normal", near)
    normal = [abs(_pole(made, "A1", count, "normal", near) - limit) for count in counts]
    naive = []
    for count in counts:
        near = _pole(made, "A1", count, "naive", near + (3.0 if count == counts[0] else 0.0))
        naive.append(abs(near - limit))
    assert all(a < 0.15 * b for a, b in zip(normal, naive, strict=True))
    assert naive[0] > naive[1] > naive[2]  # the naive rule creeps towards the same limit


def test_naive_rule_has_the_same_limit():
    """The TE-like dark mode of the circle, where the naive rule arrives within the waves of a test."""
    made, _ = HARD["circle"]
    normal, naive = (_pole(made, "A2", 385, rule, 592.2) for rule in ("normal", "naive"))
    assert naive == pytest.approx(normal, abs=0.05)  # naive: 591.6 at 49 waves


def _sampled(shape, points):
    """P of a shape from its Fourier series, in a cell of side 1, at the given points: (xx, xy, yy)."""
    n = np.arange(-31, 32)
    orders = np.stack(np.meshgrid(n, n, indexing="ij"), axis=-1).reshape(-1, 2)
    xx, xy, yy = _normal_field((shape,), ((1.0, 0.0), (0.0, 1.0)), orders)
    phase = np.exp(2j * math.pi * points @ orders.T)
    return (phase @ xx).real, (phase @ xy).real, (phase @ yy).real


def test_normals_on_the_interface():
    """On a circle's rim P = n nᵀ; its trace is 1 everywhere. Tolerance: a series of 63 × 63 terms of a smooth field."""
    angle = np.linspace(0.0, 2.0 * math.pi, 16, endpoint=False) + 0.1
    normals = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    xx, xy, yy = _sampled(("circle", 0.0, 0.0, 0.28), 0.28 * normals)
    np.testing.assert_allclose(xx, normals[:, 0] ** 2, atol=0.02)
    np.testing.assert_allclose(xy, normals[:, 0] * normals[:, 1], atol=0.02)
    np.testing.assert_allclose(xx + yy, 1.0, atol=1e-12)


RIMS = {
    "ellipse": Ellipse(semi_axes_nm=(0.35, 0.2), rotation_deg=30.0),
    "round corners": Rectangle(size_nm=(0.6, 0.4), corner_radius_nm=0.15),
    "circle of arcs": Rectangle(size_nm=(0.56, 0.56), corner_radius_nm=0.28 * (1.0 - 1e-9)),
}


@pytest.mark.parametrize("name", RIMS)
def test_normals_on_curved_rims(name):
    outline = RIMS[name].outline(64)
    steps = np.roll(outline, -1, axis=0) - outline
    chords = np.hypot(*steps.T)
    kept = chords > 0.5 * np.median(chords)
    points = (outline + 0.5 * steps)[kept]
    normals = (np.stack([steps[:, 1], -steps[:, 0]], axis=1) / chords[:, None])[kept]
    xx, xy, yy = _sampled(_scaled(RIMS[name], 1.0), points)
    # an ellipse is as good as the circle above; where a side ends the arc's curvature jumps, and the series rings
    atol = 0.02 if name == "ellipse" else 0.06
    np.testing.assert_allclose(xx, normals[:, 0] ** 2, atol=atol)
    np.testing.assert_allclose(xy, normals[:, 0] * normals[:, 1], atol=atol)
    np.testing.assert_allclose(xx + yy, 1.0, atol=1e-12)


def test_shapes_that_are_circles_are_treated_as_such():
    circle_key = _scaled(Circle(radius_nm=90.0, center_nm=(5.0, 0.0)), 1 / 360.0)
    for shape in (
        Ellipse(semi_axes_nm=(90.0, 90.0), rotation_deg=12.0, center_nm=(5.0, 0.0)),
        Rectangle(size_nm=(180.0, 180.0), corner_radius_nm=90.0, center_nm=(5.0, 0.0)),
    ):
        assert _scaled(shape, 1 / 360.0) == circle_key


def test_modes_follow_the_corner_radius():
    """Of the TE-like dark mode: sharp corners at r → 0, the circle at half the side, and no step between."""

    def at(inclusion, near):
        return _pole(stack([layer(1.6, 200.0, inclusion)]), "A2", 97, "normal", near)

    sharp = at(rectangle(3.0, (130.0, 130.0)), 598.0)
    radii = [0.0, 1e-3, *np.arange(5.0, 61.0, 5.0), 65.0 * (1.0 - 1e-9), 65.0]
    found = [sharp]
    for radius in radii:
        ahead = found[-1] - found[-2] if radius > 10.0 else 0.0
        found.append(at(rounded(3.0, (130.0, 130.0), radius), found[-1] + ahead))
    disc = at(circle(3.0, 65.0), found[-1])
    assert found[1:3] == pytest.approx([sharp, sharp], abs=1e-4)
    assert found[-2:] == pytest.approx([disc, disc], abs=1e-3)
    bent = np.diff(found[2:-2], n=2)  # what is cut off grows as r², and so does the shift
    assert (bent < 0.0).all()
    assert np.abs(np.diff(bent)).max() < 0.2


def test_uniform_layers_are_diagonal_and_patterned_ones_reduce_to_them():
    """An inclusion of its background's own index changes nothing: operators to rounding those of the plain layer."""
    k0 = np.array(0.0097 - 2e-4j)
    plain = block_problem(stack([layer(2.0, 170.0, circle(1.5, 90.0)), layer(1.7, 50.0)]), "E")
    null = block_problem(
        stack([layer(2.0, 170.0, circle(1.5, 90.0)), layer(1.7, 50.0, circle(1.7, 120.0))]), "E"
    )
    for flat, full in zip(
        plain.operators(1, plain.stack.eps(k0), k0), null.operators(1, null.stack.eps(k0), k0), strict=True
    ):
        np.testing.assert_allclose(full, np.diag(flat), atol=1e-14)
    sheets = plain.sheets_at(complex(k0))
    assert isinstance(sheets, Sheets)
    np.testing.assert_allclose(plain.matrix(k0, sheets), null.matrix(k0, sheets), rtol=1e-9, atol=1e-10)
