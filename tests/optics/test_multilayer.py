"""The scalar algebra: Fresnel, analyticity and sheets, energy, gain, reciprocity, fields."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cavitydesign import units
from cavitydesign.errors import InputError
from cavitydesign.geometry import Circle, Constant, Inclusion, Layer, SquareLattice, Stack
from cavitydesign.optics.media.numeric import resolve_stack
from cavitydesign.optics.patterned.spectra import spectrum
from cavitydesign.optics.uniform.multilayer import (
    characteristic,
    field_profile,
    half_space_q,
    media,
    phase_rate,
)

WINDOW = (500.0, 800.0)


def numeric(*layers):
    """From (index, thickness or None), superstrate first."""
    made = [Layer(material=Constant(n=complex(n).real, k=complex(n).imag), thickness_nm=d) for n, d in layers]
    return resolve_stack(Stack(layers=tuple(made)), window_nm=WINDOW)


ROW = {"TE": 0, "TM": 1}


def fresnel(n1, n2, angle_deg):
    """(r_s, r_p of the tangential field) of an interface between real n1 and any n2."""
    s = n1 * math.sin(math.radians(angle_deg))
    q1, q2 = n1 * math.cos(math.radians(angle_deg)), np.sqrt(complex(n2 * n2 - s * s))
    return (q1 - q2) / (q1 + q2), (n1**2 / q1 - n2**2 / q2) / (n1**2 / q1 + n2**2 / q2)


@pytest.mark.parametrize("angle", [0.0, 30.0, 60.0])
@pytest.mark.parametrize("n2", [1.5, 1.2 + 3.0j, 3.8438 + 0.0144j])
def test_single_interface_is_fresnel(angle, n2):
    stack = numeric((1.0, None), (n2, None))
    for polarization, wanted in zip(("TE", "TM"), fresnel(1.0, n2, angle), strict=True):
        found = spectrum(stack, wavelength_nm=633.0, angle_deg=angle, polarization=polarization)
        assert abs(found.r[ROW[polarization], 0] - wanted) < 1e-14
        assert abs(found.reflectance[0] + found.transmittance[0] - 1.0) < 1e-14


def test_brewster_angle_and_total_reflection():
    stack = numeric((1.0, None), (1.5, None))
    brewster = math.degrees(math.atan(1.5))
    assert spectrum(stack, wavelength_nm=633.0, angle_deg=brewster, polarization="TM").reflectance[0] < 1e-30
    total = spectrum(stack, wavelength_nm=633.0, angle_deg=45.0, polarization="TE", from_side="substrate")
    assert abs(total.reflectance[0] - 1.0) < 1e-14
    assert total.transmittance[0] == 0.0


index = st.floats(1.0, 4.0)
loss = st.sampled_from([0.0, 0.0, 1e-3, 0.1, 2.0])
layer = st.tuples(index, loss, st.floats(1.0, 2000.0))


@given(
    st.lists(layer, min_size=0, max_size=12),
    index,
    index,
    loss,
    st.floats(0.0, 85.0),
    st.sampled_from(["TE", "TM"]),
)
def test_energy_is_conserved_in_any_passive_stack(layers, n_in, n_out, k_out, angle, polarization):
    stack = numeric((n_in, None), *((n + 1j * k, d) for n, k, d in layers), (n_out + 1j * k_out, None))
    found = spectrum(stack, wavelength_nm=[550.0, 640.0], angle_deg=angle, polarization=polarization)
    total = found.reflectance + found.transmittance + found.absorptance.sum(axis=0)
    assert np.max(np.abs(total - 1.0)) < 1e-12
    assert np.min(found.absorptance, initial=0.0) > -1e-12
    assert np.min(found.transmittance) > -1e-12


@pytest.mark.parametrize("polarization", ["TE", "TM"])
def test_absorptance_of_a_layer_is_the_integral_of_its_loss(polarization):
    """A = k0 ∫ Im ε |E|² dz / incident power: another way to the same number than the difference of fluxes."""
    layers = ((1.0, None), (2.0, 120.0), (1.7 + 0.05j, 300.0), (2.3, 90.0), (1.5, None))
    stack, angle, wavelength = numeric(*layers), 37.0, 610.0
    found = spectrum(stack, wavelength_nm=wavelength, angle_deg=angle, polarization=polarization)
    k0, u = complex(units.k0_per_nm(wavelength)), math.sin(math.radians(angle))
    nodes, weights = np.polynomial.legendre.leggauss(40)
    z = 90.0 + 150.0 * (1.0 + nodes)
    # With r known the driven field is carried down from the top by the plain matrices, no code shared.
    q0 = math.cos(math.radians(angle))
    p0 = q0 if polarization == "TE" else 1.0 / q0
    r = found.r[ROW[polarization], 0]
    f, h = 1.0 + r, p0 * (1.0 - r)

    def carried(f, h, n, d):  # downwards; h counted along the light
        q = np.sqrt(complex(n) ** 2 - u * u)
        p = q if polarization == "TE" else n * n / q
        delta = q * k0 * d
        return f * np.cos(delta) + 1j * h / p * np.sin(delta), h * np.cos(delta) + 1j * p * f * np.sin(delta)

    f, h = carried(f, h, 2.0, 120.0)
    f, h = carried(f, h, 1.7 + 0.05j, 390.0 - z)
    eps = (1.7 + 0.05j) ** 2
    e2 = np.abs(f) ** 2 + (np.abs(u * h / eps) ** 2 if polarization == "TM" else 0.0)
    absorbed = k0.real * eps.imag * 150.0 * np.sum(weights * e2) / p0
    assert abs(absorbed - found.absorptance[1, 0]) < 1e-13
    assert np.max(np.abs(found.absorptance[[0, 2]])) < 1e-15


def test_thick_evanescent_layers_do_not_overflow():
    stack = numeric((2.0, None), (1.0, 1e6), (2.0, None))
    found = spectrum(stack, wavelength_nm=600.0, angle_deg=60.0)
    assert found.reflectance[0] == pytest.approx(1.0, abs=1e-15)
    assert 0.0 <= found.transmittance[0] < 1e-300


@pytest.mark.parametrize("polarization", ["TE", "TM"])
def test_transmission_is_reciprocal(polarization):
    layers = ((1.0, None), (2.0, 120.0), (1.7 + 0.05j, 300.0), (2.3 + 0.01j, 90.0), (1.5, None))
    stack = numeric(*layers)
    down = spectrum(stack, wavelength_nm=[560.0, 640.0], angle_deg=40.0, polarization=polarization)
    inside = math.degrees(math.asin(math.sin(math.radians(40.0)) / 1.5))
    back = spectrum(
        stack,
        wavelength_nm=[560.0, 640.0],
        angle_deg=inside,
        polarization=polarization,
        from_side="substrate",
    )
    assert np.max(np.abs(down.transmittance - back.transmittance)) < 1e-14
    assert np.max(np.abs(down.reflectance - back.reflectance)) > 1e-3  # absorbing and asymmetric: R differs
    assert np.all(back.absorptance > -1e-15)
    assert back.absorptance.shape == down.absorptance.shape == (3, 2)


def test_film_with_gain_amplifies_as_perturbation_theory_says():
    def a(kappa):
        stack = numeric((1.0, None), (2.3, 70.0), (1.85 - 1j * kappa, 500.0), (1.45, None))
        found = spectrum(stack, wavelength_nm=640.0)
        total = found.reflectance + found.transmittance + found.absorptance.sum(axis=0)
        assert abs(total[0] - 1.0) < 1e-12
        return found

    gain, loss = a(1e-5), a(-1e-5)
    assert gain.absorptance[1, 0] < 0.0
    assert gain.reflectance[0] + gain.transmittance[0] > 1.0
    # odd in κ to first order; the even part is κ² k0² d² ≈ 1e-9 of the odd one's 1e-4
    assert gain.absorptance[1, 0] == pytest.approx(-loss.absorptance[1, 0], rel=1e-3)


def test_half_space_with_gain_takes_the_right_root():
    below = spectrum(numeric((1.0, None), (1.5 - 1e-6j, None)), wavelength_nm=640.0, angle_deg=20.0)
    plain = spectrum(numeric((1.0, None), (1.5, None)), wavelength_nm=640.0, angle_deg=20.0)
    assert abs(below.r[0] - plain.r[0]) < 1e-6  # continuous in the gain: waves still leave
    assert below.transmittance[0] > 0.0
    beyond = spectrum(numeric((1.5, None), (1.0 - 1e-4j, None)), wavelength_nm=640.0, angle_deg=60.0)
    assert beyond.reflectance[0] > 1.0  # the evanescent field is amplified, power comes back
    assert beyond.transmittance[0] < 0.0
    absorbing = spectrum(numeric((1.5, None), (1.0 + 1e-4j, None)), wavelength_nm=640.0, angle_deg=60.0)
    assert beyond.reflectance[0] - 1.0 == pytest.approx(1.0 - absorbing.reflectance[0], rel=1e-2)


@pytest.mark.parametrize("polarization", ["TE", "TM"])
@pytest.mark.parametrize("eps_low", [2.1, 2.1 + 0.3j, 2.1 - 0.3j, 14.8 + 0.11j])
def test_characteristic_is_analytic_on_its_sheets(polarization, eps_low):
    """Cauchy-Riemann on both sides of the substrate's branch point: no cut enters, for lossy and amplifying ε too."""
    n_low = np.sqrt(complex(eps_low))
    stack = media(numeric((1.0, None), (1.9, 250.0), (1.6, 120.0), (n_low, None)), complex(2 * np.pi / 640.0))
    k0 = complex(2 * np.pi / 640.0)
    rng = np.random.default_rng(5)
    for sheet, sign in (("open", -1.0), ("closed", 1.0)):
        u = n_low.real + sign * rng.uniform(0.02, 0.4, 300) + 1j * rng.uniform(-0.3, 0.3, 300)
        top = "open" if n_low.real + sign * 0.2 < 1.0 else "closed"

        def d(u, sheets=(top, sheet)):
            value, log_scale = characteristic(stack, k0, u, polarization, sheets)
            return value * np.exp(log_scale)

        h = 1e-4
        along, across = (d(u + h) - d(u - h)) / (2 * h), (d(u + 1j * h) - d(u - 1j * h)) / (2j * h)
        # a cut would make one of them of order 1/h; differences of second order in h remain
        assert np.max(np.abs(along - across) / np.abs(along)) < 1e-3


def test_characteristic_is_the_closed_form_of_one_layer():
    """D ∝ 1 - r_up r_down exp(2iδ), with the same factor at every point of the layer's phase."""
    k0 = np.array([0.010 - 0.0002j, 0.0101 - 0.0004j, 0.0113 + 0.0001j])
    stack = media(numeric((1.0, None), (1.9, 400.0), (1.5, None)), k0)
    value, log_scale = characteristic(stack, k0, 0.3, "TE", ("open", "open"))
    q1, q, q2 = (np.sqrt(n * n - 0.09) for n in (1.0, 1.9, 1.5))
    closed = 1.0 - (q - q1) / (q + q1) * (q - q2) / (q + q2) * np.exp(2j * q * k0 * 400.0)
    factor = value * np.exp(log_scale + 1j * q * k0 * 400.0) / closed
    assert np.max(np.abs(factor / factor[0] - 1.0)) < 1e-13


def test_layer_at_grazing_is_smooth():
    """q = 0 inside a layer is nothing special: the series and the closed form of sin δ/δ meet."""
    stack = media(numeric((1.0, None), (1.7, 300.0), (1.5, None)), 0.01 + 0j)
    u = 1.7 + np.array([-1e-9, -1e-10, 0.0, 1e-10, 1e-9])
    value, log_scale = characteristic(stack, 0.01 + 0j, u, "TM", ("closed", "closed"))
    value = value * np.exp(log_scale)
    assert np.max(np.abs(value / value[2] - 1.0)) < 1e-7
    assert np.isfinite(phase_rate(stack, 0.01 + 0j, u)).all()


@pytest.mark.parametrize("polarization", ["TE", "TM"])
def test_field_solves_the_wave_equation_and_is_continuous(polarization):
    from cavitydesign.optics.uniform.slab import slab_field, slab_modes

    stack = numeric((1.0, None), (2.0, 150.0), (1.6, 200.0), (2.2, 130.0), (1.45, None))
    for mode in slab_modes(stack, wavelength_nm=640.0, polarization=polarization):
        z = np.arange(-300.0, 800.0, 0.25)
        field = slab_field(stack, mode, z_nm=z)
        assert np.max(field.e2) == pytest.approx(1.0, abs=1e-12)
        k0, u2 = 2 * np.pi / 640.0, mode.n_eff**2
        a = 1.0 if polarization == "TE" else (field.eps - u2) / field.eps
        h = field.tangential_h
        slope = (field.tangential_e[2:] - field.tangential_e[:-2]) / 0.5
        misfit = np.abs(slope - (1j * k0 * a * h)[1:-1])
        inner = (
            np.abs(field.eps[2:] - field.eps[:-2]) < 1e-9
        )  # central differences fail at the interfaces only
        assert np.max(misfit[inner]) < 1e-5 * np.max(np.abs(h)) * k0 * 100
        # F and h are continuous: no jump larger than a step of the grid makes
        assert np.max(np.abs(np.diff(field.tangential_e))) < 0.25 * 1.1 * k0 * np.max(np.abs(a * h))
        assert (
            np.max(np.abs(np.diff(h)))
            < 0.25 * 1.1 * k0 * np.max(np.abs(field.eps - u2) * field.e2**0.5) * 2.0
        )


def test_field_behind_a_thick_barrier_decays_instead_of_exploding():
    from cavitydesign.optics.uniform.slab import slab_field, slab_modes

    stack = numeric((1.45, None), (2.0, 150.0), (1.45, 20000.0), (2.2, 130.0), (1.45, None))
    upper, lower = sorted(
        slab_modes(stack, wavelength_nm=640.0, polarization="TE"), key=lambda m: m.n_eff.real
    )
    middle = np.array([10000.0])
    assert slab_field(stack, lower, z_nm=np.array([65.0, 10000.0])).e2[1] < 1e-60
    assert slab_field(stack, upper, z_nm=np.array([20205.0, *middle])).e2[1] < 1e-60


def test_default_grid_covers_the_stack():
    stack = numeric((1.0, None), (2.0, 150.0), (1.45, None))
    field = field_profile(stack, complex(2 * np.pi / 640.0), u=1.7, sheets=("closed", "closed"))
    assert field.z_nm[0] < 0.0 < 150.0 < field.z_nm[-1]
    assert np.all(np.diff(field.z_nm) >= 0.0)


def test_half_space_sheets_are_opposite_roots():
    eps, k0 = np.array(2.1 + 0.2j), 0.01 - 0.0001j
    q_open, q_closed = (half_space_q(eps, k0, np.array(u2), s) for u2, s in ((1.0, "open"), (1.0, "closed")))
    assert q_open * k0 == pytest.approx(np.sqrt((eps - 1.0) * k0**2))
    assert abs(q_open) == pytest.approx(abs(q_closed))


def test_bad_input_is_refused():
    stack = numeric((1.0 + 0.1j, None), (2.0, 150.0), (1.45, None))
    with pytest.raises(InputError, match="without loss or gain"):
        spectrum(stack, wavelength_nm=600.0)
    with pytest.raises(InputError, match="angle_deg"):
        spectrum(numeric((1.0, None), (1.45, None)), wavelength_nm=600.0, angle_deg=90.0)
    hole = Inclusion(pattern=Circle(radius_nm=80.0), material=Constant(n=1.0))
    patterned = Stack(
        lattice=SquareLattice(period_nm=300.0),
        layers=(
            Layer(material=Constant(n=1.0)),
            Layer(material=Constant(n=2.0), thickness_nm=100.0, inclusions=(hole,)),
            Layer(material=Constant(n=1.45)),
        ),
    )
    with pytest.raises(InputError, match="poles solver"):
        media(resolve_stack(patterned, window_nm=WINDOW), units.k0_per_nm(600.0))
