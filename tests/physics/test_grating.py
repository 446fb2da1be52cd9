"""Gratings of one dimension: the plane-wave engine on lines, and distributed feedback against closed forms.

Sources: H. Kogelnik and C. V. Shank, J. Appl. Phys. 43, 2327 (1972); R. F. Kazarinov and C. H. Henry, IEEE J. Quantum
Electron. 21, 144 (1985) for the second order, whose two waves are coupled directly (second Fourier coefficient) and by
way of the light that the first one radiates.
"""

import math

import numpy as np
import pytest
from scipy.optimize import brentq

from cavitydesign.errors import InputError
from cavitydesign.geometry import design_from_dict
from cavitydesign.optics.patterned.spectra import spectrum
from cavitydesign.solvers import Bragg, Poles, solve
from cavitydesign.solvers.fdtd import Fdtd
from tests.coupled import dfb_modes
from tests.optics.cells import circle, layer, numeric, rectangle, stack

PERIOD = 400.0
LINE = {"kind": "line", "period_nm": PERIOD}


def bar(n, width_nm, x_nm=0.0, *, gain=False):
    return {
        "shape": "bar", "width_nm": width_nm, "center_nm": (x_nm, 0.0), "material": {"n": n}, "gain": gain
    }  # fmt: skip


def poles(subject, window_nm, *, bloch=(0.0, 0.0), **options):
    return solve(subject, Poles(**options), window_nm=window_nm, bloch=bloch).modes


# -- lines and oblique cells in the plane-wave engine ---------------------------------------------------------------


@pytest.mark.parametrize("bloch", [(0.0, 0.0), (0.001, 0.0), (0.0, 0.002), (0.0007, 0.0011)])
def test_lines_are_a_cell_too_short_for_orders_along_them(bloch):
    """The same 25 orders, hence the same matrices, to rounding; conical incidence included."""
    short = {"kind": "rectangular", "period_x_nm": PERIOD, "period_y_nm": 20.0}
    lines = stack([layer(2.0, 170.0, bar(1.6, 150.0, 30.0, gain=True))], lattice=LINE)
    cell = stack([layer(2.0, 170.0, rectangle(1.6, (150.0, 20.0), (30.0, 0.0), gain=True))], lattice=short)
    one = poles(lines, (560.0, 700.0), waves=25, bloch=bloch)
    two = poles(cell, (560.0, 700.0), waves=25, bloch=bloch)
    assert len(one) >= 4
    assert list(one["symmetry"]) == list(two["symmetry"])
    np.testing.assert_allclose(one["k0_per_nm"], two["k0_per_nm"], rtol=1e-10)
    np.testing.assert_allclose(one["confinement"], two["confinement"], rtol=1e-7)


@pytest.mark.parametrize(("angle", "azimuth"), [(0.0, 0.0), (20.0, 0.0), (20.0, 35.0)])
@pytest.mark.parametrize("polarization", ["TE", "TM"])
def test_spectra_of_lines_are_those_of_the_short_cell(angle, azimuth, polarization):
    short = {"kind": "rectangular", "period_x_nm": PERIOD, "period_y_nm": 20.0}
    lines = numeric(stack([layer(2.0, 170.0, bar(1.6, 150.0))], lattice=LINE))
    cell = numeric(stack([layer(2.0, 170.0, rectangle(1.6, (150.0, 20.0)))], lattice=short))
    one, two = (
        spectrum(
            item, wavelength_nm=[590.0, 640.0, 700.0], angle_deg=angle, azimuth_deg=azimuth,
            polarization=polarization, waves=25,
        )
        for item in (lines, cell)
    )  # fmt: skip
    np.testing.assert_allclose(one.reflectance, two.reflectance, atol=1e-10)
    np.testing.assert_allclose(one.reflectance + one.transmittance, 1.0, atol=1e-10)


@pytest.mark.parametrize(
    ("plain", "told", "rel"),
    [
        ({"kind": "hexagonal", "period_nm": 400.0}, (400.0, 400.0, 60.0), 1e-10),
        ({"kind": "hexagonal", "period_nm": 400.0}, (400.0, 400.0, 120.0), 2e-5),
        ({"kind": "square", "period_nm": 360.0}, (360.0, 360.0, 90.0), 1e-10),
        ({"kind": "square", "period_nm": 360.0}, (360.0, 360.0 * math.sqrt(2.0), 45.0), 2e-5),
        ({"kind": "rectangular", "period_x_nm": 360.0, "period_y_nm": 330.0}, (360.0, 330.0, 90.0), 1e-10),
    ],
)
def test_an_oblique_cell_of_another_lattice_has_its_modes(plain, told, rel):
    """Same orders, classes and degeneracies. Where the cell is skew, the field of normals is sampled elsewhere, which
    moves an unconverged pole (61 waves) by 1e-5; the exact cases differ by rounding."""
    skew = dict(zip(("period_1_nm", "period_2_nm", "angle_deg"), told, strict=True), kind="oblique")
    layers = [layer(1.85, 60.0), layer(2.0, 170.0, circle(1.85, 100.0))]
    ours = poles(stack(layers, lattice=skew), (560.0, 640.0), waves=61)
    theirs = poles(stack(layers, lattice=plain), (560.0, 640.0), waves=61)
    assert len(ours) == len(theirs) >= 4
    assert sorted(ours["degeneracy"]) == sorted(theirs["degeneracy"])
    np.testing.assert_allclose(ours["k0_per_nm"], theirs["k0_per_nm"], rtol=rel)


def test_an_oblique_cell_proper_keeps_its_rotation_only():
    skew = {"kind": "oblique", "period_1_nm": 360.0, "period_2_nm": 340.0, "angle_deg": 80.0}
    solution = solve(
        stack([layer(2.0, 170.0, circle(1.6, 100.0))], lattice=skew),
        Poles(waves=49),
        window_nm=(560.0, 700.0),
    )
    assert solution.status.trustworthy
    assert solution.provenance["group"] == "C2"
    assert set(solution.modes["symmetry"]) <= {"A", "B"}


# -- first order: the coupling constant -----------------------------------------------------------------------------


def slab_wave(n, outside, thickness, beta):
    """k0 of TE0 of a symmetric slab at β, and the share of ∫|E|² in the slab: ``q tan(q d/2) = γ``."""

    def parts(k0):
        return math.sqrt((n * k0) ** 2 - beta**2), math.sqrt(beta**2 - (outside * k0) ** 2)

    def condition(k0):
        q, gamma = parts(k0)
        return q * math.sin(0.5 * q * thickness) - gamma * math.cos(0.5 * q * thickness)

    k0 = brentq(condition, beta / n * (1.0 + 1e-12), beta / outside * (1.0 - 1e-12), xtol=1e-18, rtol=1e-14)
    q, gamma = parts(k0)
    inside = 0.5 * thickness + math.sin(q * thickness) / (2.0 * q)
    return k0, inside / (inside + math.cos(0.5 * q * thickness) ** 2 / gamma)


@pytest.mark.parametrize("duty", [0.5, 0.3])
def test_first_order_coupling_is_the_closed_form(duty):
    """κ = k0² Δε sin(πD)/π Γ / 2β of a weak grating through a whole slab, from rigorous band edges at β = π/Λ: they lie
    ±κ/n_g about the middle. What is left is of second order in Δε = 0.02: 1e-3."""
    period, thickness, outside, contrast = 200.0, 220.0, 1.46, 0.02
    beta, mean = math.pi / period, 1.8**2
    low, high = math.sqrt(mean - duty * contrast), math.sqrt(mean + (1.0 - duty) * contrast)
    lattice = {"kind": "line", "period_nm": period}
    made = stack(
        [layer(low, thickness, bar(high, duty * period))],
        lattice=lattice, above=outside, below=outside,
    )  # fmt: skip
    k0, share = slab_wave(1.8, outside, thickness, beta)
    middle = 2.0 * math.pi / k0
    modes = poles(made, (0.985 * middle, 1.015 * middle), waves=49, bloch=(beta, 0.0))
    edges = sorted(mode.k0_per_nm.real for mode in modes if mode.polarization == "TE-like")
    assert len(edges) == 2
    step = 1e-4 * beta
    group_index = (
        2.0
        * step
        / (
            slab_wave(1.8, outside, thickness, beta + step)[0]
            - slab_wave(1.8, outside, thickness, beta - step)[0]
        )
    )
    kappa = 0.5 * group_index * (edges[1] - edges[0])
    expected = k0**2 * contrast * math.sin(math.pi * duty) / math.pi * share / (2.0 * beta)
    assert kappa == pytest.approx(expected, rel=1e-3)
    assert 0.5 * (edges[0] + edges[1]) == pytest.approx(k0, rel=2e-5)


# -- the finite grating: Kogelnik and Shank -------------------------------------------------------------------------

INDEX, STEP, PAIRS = 1.6, 0.016, 100


def finite(*, shift_periods=0.0, period=200.0):
    """A grating of PAIRS periods met head on: a pile of quarter-wave layers in a medium of their mean index."""
    high, low = layer(INDEX + 0.5 * STEP, 0.5 * period), layer(INDEX - 0.5 * STEP, 0.5 * period)
    gap = [layer(INDEX, shift_periods * period)] if shift_periods else []
    piles = [*[high, low] * (PAIRS // 2), *gap, *[high, low] * (PAIRS // 2)]
    return stack(piles, lattice={"kind": "none"}, above=INDEX, below=INDEX)


def test_modes_of_a_finite_grating_are_those_of_kogelnik_and_shank():
    """κ = Δn/(nΛ) of a square wave, κL = 1; exact poles lie at k0 n L = πN + (δ - iα)L. Coupled waves
    neglect what is of second order in κΛ = 0.01, and the dispersion of δ: 1 % of a mode's distance from the middle."""
    period = 200.0
    length, coupling = PAIRS * period, PAIRS * STEP / INDEX
    middle = math.pi / (INDEX * period)
    wanted = dfb_modes(coupling, count=4)
    modes = poles(finite(), (620.0, 661.0), q_min=20.0)
    found = (modes["k0_per_nm"] - middle) * INDEX * length
    for value in wanted:
        nearest = found[np.argmin(np.abs(found - value.imag + 1j * value.real))]
        assert abs(nearest - (value.imag - 1j * value.real)) < 0.02 * abs(value)


def test_a_shift_of_half_a_period_brings_the_mode_of_a_first_order_grating_into_the_middle():
    """A quarter of the guided wavelength, which is two periods: r² = 1 of either half at δ = 0, in closed form
    ``γ coth(γ L/2) = α + κ`` with γ² = κ² + α². Without the shift there is nothing in the middle."""
    middle, coupling = 2.0 * INDEX * 200.0, PAIRS * STEP / INDEX

    def condition(alpha):
        gamma = math.hypot(alpha, coupling)
        return gamma / math.tanh(0.5 * gamma) - alpha - coupling

    alpha = brentq(condition, 0.1, 5.0)
    shifted = poles(finite(shift_periods=0.5), (630.0, 650.0), q_min=20.0)
    plain = poles(finite(), (630.0, 650.0), q_min=20.0)
    best = int(np.argmax(shifted["q"]))
    assert shifted["wavelength_nm"][best] == pytest.approx(middle, rel=1e-4)
    assert math.pi * PAIRS / (2.0 * shifted["q"][best]) == pytest.approx(alpha, rel=0.01)
    assert shifted["q"][best] > 1.1 * plain["q"].max()
    assert np.abs(plain["wavelength_nm"] - middle).min() > 1e-3 * middle


# -- second order ---------------------------------------------------------------------------------------------------


def second_order(duty, contrast):
    """(k0 bright, k0 dark) at Γ of a weak TE grating of 420 nm in a slab, the mean permittivity kept."""
    mean = 1.75**2
    low, high = math.sqrt(mean - duty * contrast), math.sqrt(mean + (1.0 - duty) * contrast)
    made = stack(
        [layer(1.75, 150.0), layer(low, 50.0, bar(high, duty * 420.0))],
        lattice={"kind": "line", "period_nm": 420.0}, above=1.0, below=1.46,
    )  # fmt: skip
    modes = [m for m in poles(made, (640.0, 665.0), waves=49) if m.polarization == "TE-like"]
    bright, dark = ([m.k0_per_nm for m in modes if m.symmetry == label] for label in ("B2", "A2"))
    assert len(bright) == len(dark) == 1
    return bright[0], dark[0]


def test_at_half_a_period_the_direct_coupling_of_second_order_vanishes_and_the_loss_does_not():
    """c₂ ∝ sin 2πD couples directly, to first order in Δε; the light that c₁ ∝ sin πD radiates couples too, to second.

    At D = 1/2 the splitting is of second order, hence four times smaller at half the contrast and small beside the one
    at D = 1/4, which is of first; the loss is of second order at both, and twice as large at D = 1/2 as at 1/4.
    """
    split, loss = {}, {}
    for duty in (0.25, 0.5, 0.75):
        for contrast in (0.1, 0.05):
            bright, dark = second_order(duty, contrast)
            split[duty, contrast], loss[duty, contrast] = (bright - dark).real, -2.0 * bright.imag
            assert abs(dark.imag) < 1e-12 * dark.real
    assert split[0.25, 0.05] / split[0.75, 0.05] == pytest.approx(
        -1.0, abs=0.01
    )  # c₂ changes its sign at 1/2
    assert split[0.25, 0.1] / split[0.25, 0.05] == pytest.approx(2.0, rel=0.05)
    assert split[0.5, 0.1] / split[0.5, 0.05] == pytest.approx(4.0, rel=0.02)
    assert 0.001 < abs(split[0.5, 0.05] / split[0.25, 0.05]) < 0.005  # what radiation leaves over
    assert loss[0.5, 0.1] / loss[0.5, 0.05] == pytest.approx(4.0, rel=0.02)
    assert loss[0.5, 0.05] / loss[0.25, 0.05] == pytest.approx(2.0, rel=0.03)


# -- the family -----------------------------------------------------------------------------------------------------


def grating(**changes):
    content = {
        "name": "dfb", "family": "grating", "lattice": {"period_nm": 420.0},
        "grating": {"thickness_nm": 60.0, "material": {"n": 1.46}, "duty_cycle": 0.35, "duty_cycle_of": "ridge"},
        "film": {"thickness_nm": 180.0, "material": {"n": 1.85}}, "substrate": {"n": 1.46},
    }  # fmt: skip
    for path, value in changes.items():
        part, _, key = path.partition("__")
        if key:
            content[part][key] = value
        else:
            content[part] = value
    return design_from_dict(content)


def test_bragg_names_the_order_and_poles_lie_about_it():
    design = grating()
    (te, tm) = solve(design, Bragg(), window_nm=(600.0, 700.0)).modes
    assert (te.order, te.degeneracy, tm.order) == (2, 2, 2)
    found = poles(design, (600.0, 700.0))
    pairs = {p: [m.wavelength_nm for m in found if m.polarization == p] for p in ("TE-like", "TM-like")}
    for line, name in ((te, "TE-like"), (tm, "TM-like")):
        low, high = sorted(pairs[name])
        assert low < line.wavelength_nm < high
    assert (
        solve(grating(lattice={"period_nm": 210.0}), Bragg(), window_nm=(600.0, 700.0)).modes["order"][0] == 1
    )


def test_a_film_that_conforms_is_another_cavity_than_one_that_levels():
    """Conformal: caps, coated ridges, floor; the areas of film and ridge in a cell are what was said."""
    design = grating(film={"thickness_nm": 40.0, "material": {"n": 1.85}, "coating": "conformal"})
    layers = design.to_stack().layers[1:-1]
    assert [item.name for item in layers] == ["caps", "coated ridges", "floor film"]
    assert [item.thickness_nm for item in layers] == [40.0, 20.0, 40.0]
    film = (
        sum(
            layer.thickness_nm
            * (
                420.0 * layer.gain
                + sum(i.pattern.width_nm * (1 if i.gain else -layer.gain) for i in layer.inclusions)
            )
            for layer in layers
        )
        - 20.0 * 147.0
    )  # the ridge within its coat
    assert film == pytest.approx(420.0 * 40.0 + 2.0 * 40.0 * 60.0, rel=1e-12)


def test_ridges_that_amplify_need_no_film():
    design = grating(
        grating={
            "thickness_nm": 200.0, "etch_depth_nm": 60.0, "material": {"n": 1.85}, "duty_cycle": 0.65,
            "duty_cycle_of": "groove", "gain": True,
        },
        film=None,
    )  # fmt: skip
    ridges, rest = design.to_stack().layers[1:-1]
    assert (ridges.thickness_nm, rest.thickness_nm) == (60.0, 140.0)
    assert ridges.inclusions[0].pattern.width_nm == pytest.approx(147.0, rel=1e-12)
    assert ridges.has_gain
    assert rest.gain


def test_meep_does_not_leave_a_shift_out_in_silence():
    shifted = grating(device={"periods": 20, "shift_periods": 0.25})
    with pytest.raises(InputError, match=r"device.shift_periods: .*, got 0.25"):
        solve(shifted, Fdtd(), window_nm=(600.0, 700.0), device=shifted.device)
