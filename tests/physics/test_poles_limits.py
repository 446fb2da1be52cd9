"""Exact limits of the mode engine: no contrast, other units, moved, turned or doubled cells."""

import math

import numpy as np
import pytest

from cavitydesign import units
from cavitydesign.errors import Status
from cavitydesign.geometry.stack import Stack
from cavitydesign.optics.uniform.resonator import uniform_resonances
from cavitydesign.solvers.ask import solve
from cavitydesign.solvers.poles import Poles
from tests.optics.cells import WINDOW, circle, film_cell, layer, material, numeric, polygon, rectangle, stack


def _modes(subject, window_nm=WINDOW, *, bloch=(0.0, 0.0), **options):
    solution = solve(subject, Poles(**options), window_nm=window_nm, bloch=bloch)
    assert solution.status in (Status.OK, Status.UNCONVERGED)
    return solution.modes


def _same(first, second, *, rel):
    assert list(first["symmetry"]) == list(second["symmetry"])
    np.testing.assert_allclose(first["k0_per_nm"], second["k0_per_nm"], rtol=rel, atol=0.0)


# -- a layer of an outer medium's index ---


@pytest.mark.parametrize("patterned", [False, True])
@pytest.mark.parametrize("below", [False, True])
@pytest.mark.parametrize("bars", [False, True])
def test_a_layer_of_an_outer_mediums_index_changes_no_mode(bars, below, patterned):
    """Uniform or patterned with its own material: the layer is part of the half-space behind it."""

    def bar(n, width):
        return {"shape": "bar", "width_nm": width, "material": material(n)}

    item = bar if bars else circle
    n = 1.46 if below else 1.0
    lattice = {"kind": "line" if bars else "square", "period_nm": 360.0}
    film = [layer(1.85, 60.0), layer(2.0, 170.0, item(1.85, 111.0))]
    outer = layer(n, 100.0, *([item(n, 80.0)] if patterned else []))
    layers = [*film, outer] if below else [outer, *film]
    found, plain = (
        _modes(
            Stack.model_validate(
                {
                    "lattice": lattice,
                    "layers": [{"material": material(1.0)}, *inner, {"material": material(1.46)}],
                }
            ),
            waves=25,
        )
        for inner in (layers, film)
    )
    _same(found, plain, rel=2e-6)


# -- no contrast ----------------------------------------------------------------------------------------------------

FLAT = [(1.85, 60.0), (2.0, 170.0)]
ZONE = 2.0 * math.pi / 360.0


@pytest.mark.parametrize("absorbing", [0.0, 0.01])
@pytest.mark.parametrize("shape", ["circle", "rectangle"])
def test_no_contrast_is_the_folded_slab(absorbing, shape):
    """A pattern of the slab's own index: each slab wave of k = G, with the irreps that G's star holds, to 1e-10."""
    core = 2.0 + 1j * absorbing
    item = circle(core, 111.0) if shape == "circle" else rectangle(core, (150.0, 150.0))
    found = _modes(stack([layer(1.85, 60.0), layer(core, 170.0, item)]), (590.0, 750.0), waves=25)
    flat = stack([layer(1.85, 60.0), layer(core, 170.0)])
    plain = numeric(Stack(layers=flat.layers))
    expected = []
    for order, star in ((1, {"TE": ["A2", "B2", "E"], "TM": ["A1", "B1", "E"]}),):
        for resonance in uniform_resonances(
            plain, window_nm=(590.0, 750.0), q_min=5.0, bloch=(order * ZONE, 0.0)
        ):
            expected += [
                (resonance.k0, label, resonance.polarization) for label in star[resonance.polarization]
            ]
    for resonance in uniform_resonances(plain, window_nm=(590.0, 750.0), q_min=5.0):
        expected.append((resonance.k0, "E", ""))
    expected.sort(key=lambda item: (item[0].real, item[1]))
    rows = sorted(found, key=lambda row: (round(row.k0_per_nm.real, 12), row.symmetry))
    assert len(rows) == len(expected)
    for row, (k0, label, polarization) in zip(rows, expected, strict=True):
        assert row.symmetry == label
        assert abs(row.k0_per_nm - k0) < 1e-10 * abs(k0)
        assert not polarization or row.polarization == f"{polarization}-like"


def test_no_contrast_off_gamma():
    """At a Bloch wavevector k on the Δ line: slab waves of |k + G|, even and odd."""
    k = 0.06 * ZONE
    found = _modes(
        stack([layer(1.85, 60.0), layer(2.0, 170.0, circle(2.0, 90.0))]),
        (590.0, 660.0),
        waves=25,
        bloch=(k, 0.0),
    )
    plain = numeric(Stack(layers=stack([layer(1.85, 60.0), layer(2.0, 170.0)]).layers))
    expected = []
    for kx, ky, times in ((ZONE + k, 0.0, 1), (ZONE - k, 0.0, 1), (k, ZONE, 2)):
        for item in uniform_resonances(
            plain, window_nm=(590.0, 660.0), q_min=5.0, bloch=(math.hypot(kx, ky), 0.0)
        ):
            expected += [item.k0] * times
    np.testing.assert_allclose(np.sort(found["k0_per_nm"].real), np.sort(np.array(expected).real), rtol=1e-10)


def test_two_inclusions_that_make_one_layer():
    """Two half-cell bars of one index in a background of another: the layer of the bars."""
    bars = [rectangle(2.0, (180.0, 360.0), (-90.0, 0.0)), rectangle(2.0, (180.0, 360.0), (90.0, 0.0))]
    made = stack([layer(1.85, 60.0), layer(1.3, 170.0, *bars)])
    whole = stack([layer(1.85, 60.0), layer(2.0, 170.0, circle(2.0, 90.0))])
    ours, plain = (_modes(item, (620.0, 660.0), waves=49) for item in (made, whole))
    np.testing.assert_allclose(
        np.unique(np.round(ours["wavelength_nm"], 6)), np.unique(np.round(plain["wavelength_nm"], 6))
    )


# -- invariances ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [0.37, 2.9])
def test_all_lengths_times_s_is_wavelength_times_s(scale):
    base = _modes(film_cell(film=1.85 + 0.002j), waves=49)
    scaled = _modes(
        film_cell(period_nm=360.0 * scale, film_nm=60.0 * scale, core_nm=170.0 * scale, film=1.85 + 0.002j),
        (WINDOW[0] * scale, WINDOW[1] * scale),
        waves=49,
    )
    np.testing.assert_allclose(scaled["wavelength_nm"], base["wavelength_nm"] * scale, rtol=1e-10)
    np.testing.assert_allclose(scaled["q"], base["q"], rtol=1e-7)
    np.testing.assert_allclose(scaled["confinement"], base["confinement"], rtol=1e-6)
    np.testing.assert_allclose(
        scaled["threshold_gain_per_cm"] * scale, base["threshold_gain_per_cm"], rtol=1e-6
    )


def test_scaling_of_the_loss_to_1e_9():
    base = _modes(film_cell(film=1.85 + 0.002j), (629.0, 632.0), waves=49)
    scaled = _modes(
        film_cell(period_nm=720.0, film_nm=120.0, core_nm=340.0, film=1.85 + 0.002j),
        (1258.0, 1264.0),
        waves=49,
    )
    np.testing.assert_allclose(scaled["q"], base["q"], rtol=1e-9)


TRIANGLE = [(90.0 * math.cos(a), 90.0 * math.sin(a)) for a in 2.0 * math.pi * np.arange(3) / 3]


@pytest.mark.parametrize("move", [(50.0, 0.0), (-31.0, 77.0), (180.0, 180.0)])
def test_moving_the_pattern_changes_nothing(move):
    """The origin follows the discs: equal to rounding, or to 1e-6 where they straddle the edge of the cell.

    There the field of normals sums other copies of the cell, and 25 waves have not yet forgotten it.
    """
    layers = [
        layer(1.85, 60.0),
        layer(2.0, 170.0, circle(1.6, 100.0, move)),
        layer(1.7, 40.0, circle(1.5, 50.0, move)),
    ]
    still = [layer(1.85, 60.0), layer(2.0, 170.0, circle(1.6, 100.0)), layer(1.7, 40.0, circle(1.5, 50.0))]
    _same(_modes(stack(layers), waves=25), _modes(stack(still), waves=25), rel=1e-6)


def test_moving_an_uneven_pattern_changes_nothing():
    """Two discs without common centre: the field of normals is sampled anew, its error is below 1e-5 here."""
    pair = [circle(1.5, 60.0, (-70.0, -40.0)), circle(1.7, 50.0, (60.0, 50.0))]
    moved = [
        {**item, "center_nm": (item["center_nm"][0] + 45.0, item["center_nm"][1] - 45.0)} for item in pair
    ]
    first, second = (
        _modes(stack([layer(2.0, 200.0, *items)]), (590.0, 650.0), waves=25) for items in (pair, moved)
    )
    np.testing.assert_allclose(first["wavelength_nm"], second["wavelength_nm"], rtol=1e-6)


def test_a_quarter_turn_changes_nothing_but_names():
    """Of a rectangular hole in a square cell, and of a rectangular cell with its periods exchanged."""
    long, tall = (stack([layer(2.0, 200.0, rectangle(1.5, size))]) for size in ((180.0, 90.0), (90.0, 180.0)))
    first, second = (_modes(item, (560.0, 650.0), waves=49) for item in (long, tall))
    np.testing.assert_allclose(first["k0_per_nm"], second["k0_per_nm"], rtol=1e-7)
    wide, high = (
        stack([layer(2.0, 200.0, circle(1.5, 90.0))], period_nm=periods)
        for periods in ((380.0, 350.0), (350.0, 380.0))
    )
    first, second = (_modes(item, (560.0, 650.0), waves=49) for item in (wide, high))
    np.testing.assert_allclose(first["k0_per_nm"], second["k0_per_nm"], rtol=1e-6)
    swap = {"B1": "B2", "B2": "B1", "A1": "A1", "A2": "A2"}
    assert [swap[name] for name in first["symmetry"]] == list(second["symmetry"])


def test_turning_the_wavevector_turns_nothing_physical():
    """C4v: k along x and along y; C6v: k and k turned by 60°."""
    k = 0.05 * ZONE
    cell = film_cell()
    first, second = (_modes(cell, (600.0, 660.0), waves=25, bloch=bloch) for bloch in ((k, 0.0), (0.0, k)))
    np.testing.assert_allclose(first["k0_per_nm"], second["k0_per_nm"], rtol=1e-7)
    assert list(first["symmetry"]) == list(second["symmetry"])
    hexagon = film_cell(kind="hexagonal", period_nm=400.0)
    turned = (0.5 * k, 0.5 * math.sqrt(3.0) * k)
    first, second = (_modes(hexagon, (580.0, 620.0), waves=19, bloch=bloch) for bloch in ((k, 0.0), turned))
    np.testing.assert_allclose(first["k0_per_nm"], second["k0_per_nm"], rtol=1e-6)


def test_whole_reciprocal_vector_is_gamma():
    gamma = _modes(film_cell(), (600.0, 660.0))
    next_zone = _modes(film_cell(), (600.0, 660.0), bloch=(ZONE, 0.0))
    np.testing.assert_allclose(gamma["wavelength_nm"], next_zone["wavelength_nm"], atol=0.02)


# -- doubled cells --------------------------------------------------------------------------------------------------


def test_square_in_its_doubled_cell():
    """Two columns of the square cell as one rectangular cell: Γ of the small cell, and its X point folded in."""
    small, n = 360.0, 73
    single = film_cell()
    gamma = _modes(single, (590.0, 640.0), waves=n)
    radius = math.sqrt(0.3 / math.pi) * small
    pair = [circle(1.85, radius, (x, 0.0), gain=True) for x in (-0.5 * small, 0.5 * small)]
    double = stack([layer(1.85, 60.0, gain=True), layer(2.0, 170.0, *pair)], period_nm=(2.0 * small, small))
    folded = _modes(double, (590.0, 640.0), waves=2 * n)
    _contained(gamma, folded, rel=3e-5)


def test_hexagonal_in_its_rectangular_cell():
    """The hexagonal lattice as a centred rectangular cell a × √3 a with two discs: all of its Γ modes are there."""
    a = 400.0
    gamma = _modes(film_cell(kind="hexagonal", period_nm=a), (585.0, 625.0), waves=61)
    radius = math.sqrt(0.3 * 0.5 * math.sqrt(3.0) / math.pi) * a
    pair = [
        circle(1.85, radius, centre, gain=True)
        for centre in ((0.0, 0.0), (0.5 * a, 0.5 * math.sqrt(3.0) * a))
    ]
    double = stack(
        [layer(1.85, 60.0, gain=True), layer(2.0, 170.0, *pair)], period_nm=(a, math.sqrt(3.0) * a)
    )
    folded = _modes(double, (585.0, 625.0), waves=121)
    _contained(gamma, folded, rel=3e-5)


def _contained(gamma, folded, *, rel):
    """Each Γ mode (twice if degenerate) is among the folded ones: λ to ``rel``, loss to 1 % (the waves differ)."""
    left = [row.k0_per_nm for row in folded for _ in range(row.degeneracy)]
    for row in gamma:
        for _ in range(row.degeneracy):
            k0 = row.k0_per_nm
            best = min(left, key=lambda other: abs(other - k0))
            assert best.real == pytest.approx(k0.real, rel=rel)
            if math.isfinite(row.q):
                assert best.imag == pytest.approx(k0.imag, rel=0.03)
            else:
                assert abs(best.imag) < 1e-7 * k0.real
            left.remove(best)


# -- passive and lossless -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "subject",
    [
        film_cell(core=2.6),
        film_cell(period_nm=430.0),
        stack([layer(1.9, 150.0, polygon(2.6, TRIANGLE)), layer(2.0, 80.0, circle(1.5, 80.0))]),
        film_cell(kind="hexagonal", period_nm=400.0, below=1.46 + 0.01j),
    ],
)
def test_passive_stacks_have_no_gain(subject):
    modes = _modes(subject, (600.0, 720.0), waves=25)
    assert len(modes) > 0
    assert (modes["q"] > 0.0).all()
    assert (modes["k0_per_nm"].imag <= 1e-13).all()
    assert ((modes["q_up"] > 0.0) & (modes["q_down"] > 0.0) & (modes["q_absorbed"] > 0.0)).all()


def test_units_module_agrees():
    """Q from k0 and the printed Q are one."""
    for row in _modes(film_cell(film=1.85 + 0.001j), (600.0, 640.0), waves=25):
        assert units.quality_factor(row.k0_per_nm) == pytest.approx(row.q, rel=1e-12)
