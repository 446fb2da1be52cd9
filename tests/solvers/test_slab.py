"""Slab modes: exact numbers, independent dispersion relations, loss, gain, metal, degeneracy, derivatives."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cavitydesign.errors import InputError
from cavitydesign.geometry import Circle, Constant, Inclusion, Layer, Library, SquareLattice, Stack
from cavitydesign.optics.media.numeric import resolve_stack
from cavitydesign.optics.uniform.slab import LeakyRegion, slab_modes


def stack_of(*layers):
    """From (index or material, thickness or None), superstrate first."""
    made = []
    for n, d in layers:
        material = n if isinstance(n, Library) else Constant(n=complex(n).real, k=complex(n).imag)
        made.append(Layer(material=material, thickness_nm=d))
    return Stack(layers=tuple(made))


EXACT = [  # known answers
    (2.0085, 170.0, 650.0, "TE", [1.7284239318714]),
    (2.0085, 170.0, 650.0, "TM", [1.5722101307668]),
    (2.0085, 300.0, 650.0, "TE", [1.867906293031, 1.471733890687]),
    (2.0085, 300.0, 650.0, "TM", [1.8007961086774]),
    (1.90, 300.0, 640.0, "TE", [1.7645731034954]),
    (1.90, 300.0, 640.0, "TM", [1.7052085164002]),
]


@pytest.mark.parametrize(("n", "d", "wavelength", "polarization", "wanted"), EXACT)
def test_published_slab_indices(n, d, wavelength, polarization, wanted):
    stack = stack_of((1.0, None), (n, d), (1.4565, None))
    modes = slab_modes(stack, wavelength_nm=wavelength, polarization=polarization)
    assert [mode.index for mode in modes] == list(range(len(wanted)))
    # the numbers are given to 12 or 13 digits
    assert [mode.n_eff.real for mode in modes] == pytest.approx(wanted, abs=1e-12)
    assert all(abs(mode.n_eff.imag) < 1e-15 and mode.n_eff_err < 1e-14 for mode in modes)


@pytest.mark.parametrize(
    ("d", "wanted"),
    [(200, 1.503 + 0.094j), (300, 1.692 + 0.036j), (500, 1.814 + 0.0094j), (800, 1.864 + 0.0026j)],
)
def test_leaky_film_on_silicon(d, wanted):
    """Known answers, to the digits that were given; Si at 640 nm as 3.8438 + 0.0144i."""
    stack = stack_of((1.0, None), (1.9, float(d)), (3.8438 + 0.0144j, None))
    first = slab_modes(stack, wavelength_nm=640.0, polarization="TE", leaky=True)[0]
    assert first.kind == "leaky"
    assert first.sheets == ("closed", "open")
    assert abs(first.n_eff.real - wanted.real) < 6e-4
    assert abs(first.n_eff.imag - wanted.imag) < (6e-4 if d < 500 else 6e-5)
    # the estimate's Q, 8, 24, 96, 360, is that of n_eff alone; group index changes it by a third
    assert first.n_eff.real / (2.0 * first.n_eff.imag) == pytest.approx(
        {200: 8, 300: 24, 500: 96, 800: 360}[d], rel=0.02
    )
    assert first.q == pytest.approx(first.group_index.real / (2.0 * first.n_eff.imag))


def dispersion_relation(u, n, d, wavelength, n_low, n_high, polarization):
    """Textbook three-layer residual: ``κ d - mπ - atan(γ_low/κ) - atan(γ_high/κ)`` over π, minus the integer m."""
    k0 = 2.0 * math.pi / wavelength
    kappa, low, high = (math.sqrt(abs(n**2 - u**2)), math.sqrt(u**2 - n_low**2), math.sqrt(u**2 - n_high**2))
    if polarization == "TM":
        low, high = low * (n / n_low) ** 2, high * (n / n_high) ** 2
    return (k0 * d * kappa - math.atan(low / kappa) - math.atan(high / kappa)) / math.pi


def textbook_count(n, d, wavelength, n_low, n_high, polarization):
    """Number of guided modes: the phase at cut-off, counted."""
    return (
        math.floor(dispersion_relation(n_low * (1 + 1e-15), n, d, wavelength, n_low, n_high, polarization))
        + 1
    )


@given(
    st.floats(1.6, 4.0),
    st.floats(20.0, 5000.0),
    st.floats(1.0, 1.5),
    st.floats(400.0, 900.0),
    st.sampled_from(["TE", "TM"]),
)
def test_every_mode_of_every_slab_is_found(n, d, n_low, wavelength, polarization):
    phase = dispersion_relation(n_low * (1 + 1e-15), n, d, wavelength, n_low, 1.0, polarization)
    if abs(phase - round(phase)) < 1e-3 or n_low == 1.0:  # at cut-off a mode is neither there nor not
        return
    stack = stack_of((1.0, None), (n, d), (n_low, None))
    modes = slab_modes(stack, wavelength_nm=wavelength, polarization=polarization)
    assert len(modes) == textbook_count(n, d, wavelength, n_low, 1.0, polarization)
    for m, mode in enumerate(modes):
        u = mode.n_eff.real
        # the relation's own rounding grows towards n, where κ = √(n² - u²) loses digits
        rounding = 1e-11 + 1e-14 * d / wavelength / max(n - u, 1e-15)
        assert abs(dispersion_relation(u, n, d, wavelength, n_low, 1.0, polarization) - m) < rounding


@pytest.mark.parametrize("polarization", ["TE", "TM"])
@pytest.mark.parametrize("gap", [200.0, 600.0, 1000.0])
def test_weakly_coupled_twins_come_out_as_two(gap, polarization):
    """Symmetric and antisymmetric supermode: half the problem with a wall in the middle is the reference."""
    n, d, n_out, k0 = 2.0085, 170.0, 1.4565, 2.0 * math.pi / 650.0
    stack = stack_of((n_out, None), (n, d), (n_out, gap), (n, d), (n_out, None))
    modes = slab_modes(stack, wavelength_nm=650.0, polarization=polarization)
    assert len(modes) == 2

    def residual(u, odd):
        kappa, gamma = math.sqrt(n * n - u * u), math.sqrt(u * u - n_out * n_out)
        weight = 1.0 if polarization == "TE" else (n / n_out) ** 2
        wall = math.tanh(0.5 * k0 * gamma * gap)
        inner = gamma * weight * (1.0 / wall if odd else wall)
        return k0 * kappa * d - math.atan(gamma * weight / kappa) - math.atan(inner / kappa)

    for mode, odd in zip(modes, (False, True), strict=True):
        low, high = mode.n_eff.real - 1e-3, mode.n_eff.real + 1e-3
        for _ in range(60):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if residual(middle, odd) > 0.0 else (low, middle)
        # rounding over the splitting: 1e-16/2e-5 for the widest gap
        assert abs(mode.n_eff - low) < max(1e-13, 20.0 * mode.n_eff_err)
        assert mode.n_eff_err < 1e-11


def test_twins_too_far_apart_to_be_told_apart_are_still_two_and_say_so():
    stack = stack_of((1.4565, None), (2.0085, 170.0), (1.4565, 4000.0), (2.0085, 170.0), (1.4565, None))
    modes = slab_modes(stack, wavelength_nm=650.0, polarization="TE")
    single = slab_modes(
        stack_of((1.4565, None), (2.0085, 170.0), (1.4565, None)), wavelength_nm=650.0, polarization="TE"
    )
    assert len(modes) == 2
    for mode in modes:  # a double zero of D: known to the square root of rounding, and the error says so
        assert abs(mode.n_eff - single[0].n_eff) < 3e-8
        assert mode.n_eff_err > 1e-12


def test_sign_of_loss_and_gain():
    modes = {
        k: slab_modes(
            stack_of((1.0, None), (2.0 + 1j * k, 300.0), (1.45, None)), wavelength_nm=640.0, polarization="TE"
        )
        for k in (-1e-4, 0.0, 1e-4, 0.3, -0.3)
    }
    plain = modes[0.0][0]
    for k in (-1e-4, 1e-4):
        mode = modes[k][0]
        assert math.copysign(1.0, mode.n_eff.imag) == math.copysign(1.0, k)
        # first order in k: Im n_eff = confinement · k; second-order terms are k² real
        assert mode.n_eff.imag == pytest.approx(plain.confinement[1] * k, rel=1e-6)
        assert mode.loss_per_cm == pytest.approx(4.0 * math.pi * mode.n_eff.imag / 640e-7)
    for high in (0.3, -0.3):  # far beyond perturbation: still found, conjugates of each other
        assert modes[high][0].n_eff.imag * high > 0.0
    assert abs(modes[0.3][0].n_eff - np.conj(modes[-0.3][0].n_eff)) < 1e-13


@pytest.mark.parametrize("k", [-0.01, 0.01, 0.2])
def test_lossy_and_amplifying_substrates(k):
    stack = stack_of((1.0, None), (2.0, 200.0), (1.45 + 1j * k, None))
    (mode,) = slab_modes(stack, wavelength_nm=640.0, polarization="TE")
    assert mode.kind == "guided"
    assert mode.n_eff.imag * k > 0.0
    assert mode.n_eff.imag == pytest.approx(mode.confinement[-1] * k, rel=0.01 + 2.0 * abs(k))


def test_surface_plasmon_of_one_interface():
    """{n = 1.33 | silver-like}, TM: ``n_eff = √(ε₁ε₂/(ε₁+ε₂))``; nothing in TE."""
    e1, n2 = 1.33**2, 0.06 + 4.0j
    stack = stack_of((1.33, None), (n2, None))
    (mode,) = slab_modes(stack, wavelength_nm=640.0, polarization="TM")
    assert abs(mode.n_eff - np.sqrt(e1 * n2**2 / (e1 + n2**2))) < 1e-13
    assert slab_modes(stack, wavelength_nm=640.0, polarization="TE") == ()


def test_group_index_with_dispersion_is_the_finite_difference():
    glass = Library(library="main/SiO2/Malitson")
    # one set of fitted materials for all three wavelengths
    numeric = resolve_stack(stack_of((1.0, None), (2.0, 300.0), (glass, None)), window_nm=(600.0, 700.0))
    for polarization in ("TE", "TM"):
        k0 = 2.0 * math.pi / 640.0
        at = {
            s: slab_modes(numeric, wavelength_nm=2.0 * math.pi / (k0 * (1.0 + s)), polarization=polarization)[
                0
            ]
            for s in (-1e-5, 0.0, 1e-5)
        }
        wanted = ((1.0 + 1e-5) * at[1e-5].n_eff - (1.0 - 1e-5) * at[-1e-5].n_eff) / 2e-5
        assert at[0.0].group_index == pytest.approx(wanted, abs=1e-9)  # 1e-15 / 1e-5 and the step squared


@pytest.mark.parametrize("polarization", ["TE", "TM"])
def test_confinement_is_the_derivative_layer_by_layer(polarization):
    layers = [(1.2, None), (2.0, 150.0), (1.7, 200.0), (2.0, 130.0), (1.45, None)]
    (mode, *_) = slab_modes(stack_of(*layers), wavelength_nm=640.0, polarization=polarization)
    for j in range(len(layers)):
        ends = []
        for sign in (1.0, -1.0):
            changed = [(n + sign * 1e-5 * (i == j), d) for i, (n, d) in enumerate(layers)]
            ends.append(
                slab_modes(stack_of(*changed), wavelength_nm=640.0, polarization=polarization)[0].n_eff.real
            )
        assert mode.confinement[j] == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-8)


def test_leaky_region_is_the_callers():
    stack = stack_of((1.0, None), (1.9, 800.0), (3.8438 + 0.0144j, None))
    every = slab_modes(stack, wavelength_nm=640.0, polarization="TE", leaky=True)
    some = slab_modes(
        stack, wavelength_nm=640.0, polarization="TE", leaky_region=LeakyRegion(re_min=1.6, im_max=0.01)
    )
    assert [m.n_eff for m in some] == pytest.approx(
        [m.n_eff for m in every if m.n_eff.real > 1.6 and m.n_eff.imag < 0.01]
    )
    assert 0 < len(some) < len(every)
    assert slab_modes(stack, wavelength_nm=640.0, polarization="TE") == ()  # nothing is guided beside silicon


def test_bad_input_is_refused():
    stack = stack_of((1.0, None), (2.0, 200.0), (1.45, None))
    with pytest.raises(InputError, match="wavelength_nm"):
        slab_modes(stack, wavelength_nm=-1.0, polarization="TE")
    with pytest.raises(InputError, match="polarization"):
        slab_modes(stack, wavelength_nm=640.0, polarization="s")  # type: ignore[arg-type]
    hole = Inclusion(pattern=Circle(radius_nm=80.0), material=Constant(n=1.0))
    patterned = Stack(
        lattice=SquareLattice(period_nm=300.0),
        layers=(stack.layers[0], stack.layers[1].replace(inclusions=(hole,)), stack.layers[2]),
    )
    with pytest.raises(InputError, match="poles solver"):
        slab_modes(patterned, wavelength_nm=640.0, polarization="TE")
