"""Open resonances against closed forms: the dielectric plate has all its poles in one formula."""

import math
from dataclasses import replace

import numpy as np
import pytest

from cavitydesign import units
from cavitydesign.errors import InputError
from cavitydesign.geometry import Constant, Layer, Stack
from cavitydesign.optics.media.numeric import resolve_stack
from cavitydesign.optics.patterned.spectra import spectrum
from cavitydesign.optics.uniform.derivative import exact_threshold
from cavitydesign.optics.uniform.multilayer import characteristic, media
from cavitydesign.optics.uniform.resonator import (
    resonance_columns,
    resonance_field,
    uniform_resonances,
)
from cavitydesign.optics.uniform.slab import slab_modes
from cavitydesign.solvers.solution import Modes

WINDOW = (500.0, 800.0)


def numeric(*layers, gain=()):
    """From (index, thickness or None), superstrate first; ``gain``: numbers of the layers with gain."""
    made = [
        Layer(material=Constant(n=complex(n).real, k=complex(n).imag), thickness_nm=d, gain=i in gain)
        for i, (n, d) in enumerate(layers)
    ]
    return resolve_stack(Stack(layers=tuple(made)), window_nm=WINDOW)


def plate_poles(n, d, *, polarization="TE", s=0.0, window=WINDOW):
    """Poles of a plate in air at fixed s = sin θ: ``r² exp(2 i q k d) = 1``, so ``k = (mπ + i ln|r|)/(q d)``."""
    c, q = math.sqrt(1.0 - s * s), np.sqrt(complex(n * n - s * s))
    r = (q - c) / (q + c) if polarization == "TE" else (q / n**2 - c) / (q / n**2 + c)
    k = (np.pi * np.arange(1, 400) + 1j * np.log(r + 0j)) / (q * d)
    k = np.concatenate([k, k + np.pi / (q * d)])  # both signs of r
    k = np.unique(np.round((k * q * d - 1j * np.log(r + 0j)) / np.pi)) * np.pi
    k = (k + 1j * np.log(r + 0j)) / (q * d)
    return sorted(z for z in k if 2 * np.pi / window[1] <= z.real <= 2 * np.pi / window[0])


@pytest.mark.parametrize(("n", "d"), [(3.5, 400.0), (3.5, 5000.0), (2.0, 2000.0), (3.5 - 0.01j, 3000.0)])
def test_plate_has_every_pole_of_its_closed_form(n, d):
    modes = uniform_resonances(numeric((1.0, None), (n, d), (1.0, None)), window_nm=WINDOW)
    wanted = plate_poles(n, d)
    assert len(modes) == len(wanted) >= 2
    for mode, k in zip(modes, wanted, strict=True):
        assert abs(mode.k0 - k) < 1e-13 * abs(k)
        assert abs(mode.k0 - k) < 10.0 * mode.k0_err
        assert mode.complete
        assert (mode.degeneracy, mode.polarization) == (2, "")


@pytest.mark.parametrize("polarization", ["TE", "TM"])
def test_plate_at_an_angle(polarization):
    """kx follows the frequency, so the closed form holds with q instead of n, and there is no branch point."""
    s = math.sin(math.radians(50.0))
    stack = numeric((1.0, None), (3.0, 3000.0), (1.0, None))
    modes = uniform_resonances(
        stack, window_nm=WINDOW, q_min=3.0, angle_deg=50.0, polarizations=(polarization,)
    )
    wanted = plate_poles(3.0, 3000.0, polarization=polarization, s=s)
    assert len(modes) == len(wanted) > 10
    for mode, k in zip(modes, wanted, strict=True):
        assert abs(mode.k0 - k) < 1e-13 * abs(k)
        assert mode.n_eff == pytest.approx(s, abs=1e-14)
        assert mode.degeneracy == 1


def test_q_min_is_a_limit_and_not_a_guess():
    stack = numeric((1.0, None), (2.0, 2000.0), (1.0, None))
    every = uniform_resonances(stack, window_nm=WINDOW, q_min=5.0)
    assert len(every) == len(plate_poles(2.0, 2000.0)) > 4
    middle = 0.5 * (every[2].q + every[3].q)  # Q grows with k, so with the place in the list
    fewer = uniform_resonances(stack, window_nm=WINDOW, q_min=middle)
    assert [mode.wavelength_nm for mode in fewer] == pytest.approx(
        [m.wavelength_nm for m in every[3:]], rel=1e-13
    )


def test_film_derivative_confinement_and_threshold_of_a_plate():
    """dk/dn of ``k = (mπ + i ln r)/(n d)``, r = (n-1)/(n+1): ``-k/n + i (2/(n²-1))/(n d)``."""
    n, d = 3.0, 2000.0
    stack = numeric((1.0, None), (n, d), (1.0, None), gain=(1,))
    for mode in uniform_resonances(stack, window_nm=WINDOW):
        slope = -mode.k0 / n + 1j * 2.0 / (n * n - 1.0) / (n * d)
        assert abs(mode.dk0_dn - slope) < 1e-10 * abs(slope)
        assert mode.confinement == pytest.approx((-n / mode.k0 * slope).real, rel=1e-10)
        kappa = mode.k0.imag / slope.real
        assert mode.threshold_gain_per_cm == pytest.approx(
            units.gain_per_cm_from_kappa(kappa, mode.wavelength_nm), rel=1e-10
        )
        # exact: the round trip at the returned real wavelength and gain closes, r² exp(2 i n k d) = 1
        wavelength, gain = exact_threshold(stack, mode)
        n_th = n - 1j * units.kappa_from_gain_per_cm(gain, wavelength)
        r = (n_th - 1.0) / (n_th + 1.0)
        assert abs(r * r * np.exp(2j * n_th * units.k0_per_nm(wavelength) * d) - 1.0) < 1e-11
        # and first order is good to the square of the small quantity 1/Q
        assert gain == pytest.approx(mode.threshold_gain_per_cm, rel=10.0 / mode.q)


def test_gain_beyond_threshold_turns_the_pole_and_its_q_over():
    stack = numeric((1.0, None), (3.0, 2000.0), (1.0, None), gain=(1,))
    mode = uniform_resonances(stack, window_nm=WINDOW)[3]
    wavelength, gain = exact_threshold(stack, mode)
    kappa = units.kappa_from_gain_per_cm(gain, wavelength)
    near = (wavelength - 5.0, wavelength + 5.0)
    at = {
        f: uniform_resonances(stack.with_gain_kappa(f * kappa), window_nm=near)[0]
        for f in (0.0, 0.99, 1.01, 3.0)
    }
    assert at[0.0].q > 0.0
    assert at[0.99].q > 50.0 * at[0.0].q
    assert at[1.01].q < 0.0
    assert at[1.01].k0.imag > 0.0
    assert at[3.0].q == pytest.approx(-0.5 * at[0.0].q, rel=0.05)  # Im k0 is linear in κ
    assert at[0.99].q_absorbed < 0.0 < at[0.99].q_up


def test_where_the_power_goes():
    lossy = numeric((1.0, None), (3.0 + 0.01j, 2000.0), (1.5, None))
    for mode in uniform_resonances(lossy, window_nm=WINDOW):
        assert 1.0 / mode.q == pytest.approx(1 / mode.q_up + 1 / mode.q_down + 1 / mode.q_absorbed, rel=1e-10)
        assert mode.q_down < mode.q_up  # the weaker mirror leaks more
        # absorption of a mode that fills the plate: 1/Q = 2 n''/n' times its confinement there (1, short of 1/Q)
        assert mode.q_absorbed == pytest.approx(3.0 / 0.02, rel=0.02)
    symmetric = numeric((1.0, None), (3.0, 2000.0), (1.0, None))
    for mode in uniform_resonances(symmetric, window_nm=WINDOW):
        assert mode.q_up == pytest.approx(mode.q_down, rel=1e-10)
        assert mode.q_absorbed == math.inf
    into_silicon = numeric((1.0, None), (1.9, 600.0), (1.45, 400.0), (3.8438 + 0.0144j, None))
    for mode in uniform_resonances(into_silicon, window_nm=WINDOW, bloch=(0.015, 0.0)):
        if mode.sheets == ("closed", "open"):
            assert mode.q_up == math.inf
            assert mode.q_down == pytest.approx(mode.q, rel=1e-9)


@pytest.mark.parametrize("polarization", ["TE", "TM"])
def test_below_the_light_lines_it_is_the_guided_mode(polarization):
    """At fixed kx the real zeros k0 and, at that k0, the guided n_eff of the other search are the same numbers."""
    stack = numeric((1.0, None), (2.0, 400.0), (1.45, None), gain=(1,))
    kx = 2.0 * math.pi / 370.0
    modes = uniform_resonances(stack, window_nm=WINDOW, bloch=(0.0, kx), polarizations=(polarization,))
    bound = [mode for mode in modes if mode.sheets == ("closed", "closed")]
    assert bound
    for mode in bound:
        assert mode.q == math.inf
        assert abs(mode.k0.imag) < 1e-15
        guided = slab_modes(stack, wavelength_nm=mode.wavelength_nm, polarization=polarization)
        assert min(abs(g.n_eff - mode.n_eff) for g in guided) < 1e-12
        # Γ is the share of ∫ε E·E: integrate the field, with the analytic tails, and compare
        z = np.concatenate([[-1e-9], np.linspace(0.0, 400.0 - 1e-9, 4001), [400.0]])
        field = resonance_field(stack, mode, z_nm=z)
        energy = field.eps.real * field.e2
        film = np.trapezoid(energy[1:-1], z[1:-1])
        tails = sum(
            energy[at] / (2.0 * math.sqrt(kx**2 - (n_end * mode.k0.real) ** 2))
            for n_end, at in ((1.0, -1), (1.45, 0))
        )
        assert mode.confinement == pytest.approx(film / (film + tails), rel=1e-6)  # trapezoid: (π 4/4000)²/12


def test_window_across_a_light_line_loses_nothing():
    """Cut the window at will, also next to the branch points: the parts hold what the whole holds."""
    stack = numeric((1.0, None), (2.2, 900.0), (1.45, None))
    kx = 1.45 * 2.0 * math.pi / 640.0  # light line of the substrate at 640 nm
    whole = uniform_resonances(stack, window_nm=(500.0, 800.0), bloch=(kx, 0.0), q_min=3.0)
    parts = []
    for low, high in ((500.0, 571.3), (571.3, 639.9), (639.9, 640.2), (640.2, 800.0)):
        parts += uniform_resonances(stack, window_nm=(low, high), bloch=(kx, 0.0), q_min=3.0)
    assert len(whole) >= 5
    assert {mode.sheets for mode in whole} == {("closed", "open"), ("closed", "closed")}
    a, b = (sorted((m.k0.real, m.polarization) for m in modes) for modes in (whole, parts))
    assert [x[1] for x in a] == [x[1] for x in b]
    assert np.allclose([x[0] for x in a], [x[0] for x in b], rtol=1e-13, atol=0.0)


def test_guided_waves_alone_can_be_asked_for():
    stack = numeric((1.0, None), (2.2, 900.0), (1.45, None))
    kx = 1.2 * 2.0 * math.pi / 640.0
    some = uniform_resonances(stack, window_nm=WINDOW, bloch=(kx, 0.0), q_min=3.0, closed_sides=1)
    assert some
    assert all("closed" in mode.sheets for mode in some)


def test_te_and_tm_coincide_at_normal_incidence():
    k0 = np.array([0.011 - 0.0003j, 0.012 - 0.0001j])
    stack = media(numeric((1.0, None), (2.2, 300.0), (1.6, 250.0), (1.45, None)), k0)
    d = {}
    for polarization in ("TE", "TM"):
        value, log_scale = characteristic(stack, k0, 0.0, polarization, ("open", "open"))
        d[polarization] = value * np.exp(log_scale)
    assert np.allclose(d["TM"] / d["TE"], 1.45, rtol=1e-13)  # they differ by the constant that D starts with


def test_pole_shows_in_the_spectrum():
    """Independent of D: near a sharp pole transmission is a Lorentzian of that wavelength and width."""
    mirror = [(2.4, 70.0), (1.45, 116.0)] * 5
    stack = numeric((1.45, None), *mirror, (1.8, 380.0), *mirror[::-1], (1.45, None))
    mode = max(uniform_resonances(stack, window_nm=WINDOW), key=lambda m: m.q)
    width = mode.wavelength_nm / mode.q
    w = mode.wavelength_nm + width * np.linspace(-2.0, 2.0, 2001)
    t = spectrum(stack, wavelength_nm=w).transmittance
    peak = int(np.argmax(t))
    assert w[peak] == pytest.approx(mode.wavelength_nm, abs=0.01 * width)
    above = w[t > 0.5 * t[peak]]
    assert above[-1] - above[0] == pytest.approx(width, rel=0.02)


def test_columns_make_a_modes_table():
    stack = numeric((1.0, None), (3.0, 2000.0), (1.0, None), gain=(1,))
    found = uniform_resonances(stack, window_nm=WINDOW)
    table = Modes.from_columns(**resonance_columns(found))
    assert len(table) == len(found) == 10
    assert list(table["q"]) == [mode.q for mode in found]
    assert np.all(np.diff(table["wavelength_nm"]) < 0.0)
    assert np.all(table["wavelength_err_nm"] < 1e-10)
    assert np.all(table["degeneracy"] == 2)


def test_bad_input_is_refused():
    stack = numeric((1.0, None), (3.0, 2000.0), (1.0, None))
    with pytest.raises(InputError, match="not both"):
        uniform_resonances(stack, window_nm=WINDOW, angle_deg=10.0, bloch=(0.01, 0.0))
    with pytest.raises(InputError, match="90"):
        uniform_resonances(stack, window_nm=WINDOW, angle_deg=95.0)
    mode = uniform_resonances(stack, window_nm=WINDOW)[0]
    assert math.isnan(mode.threshold_gain_per_cm)
    assert math.isnan(mode.confinement)
    with pytest.raises(InputError, match="gain = true"):
        exact_threshold(stack, mode)
    assert replace(mode, k0=mode.k0.real + 0j).q == math.inf
