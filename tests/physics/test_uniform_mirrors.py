"""Uniform stacks against exact results and a rival code: Bragg mirrors, one-dimensional crystals, a cavity in tmm."""

import math
from functools import partial

import numpy as np
import pytest

from cavitydesign.geometry import Constant, Layer, Stack
from cavitydesign.optics.media.numeric import resolve_stack
from cavitydesign.optics.patterned.spectra import spectrum
from cavitydesign.optics.uniform.multilayer import _layer, media
from cavitydesign.optics.uniform.resonator import uniform_resonances
from cavitydesign.optics.uniform.zeros import find_zeros

HIGH, LOW, AT = 2.3687, 1.4556, 688.8


def numeric(*layers, gain=(), window=(600.0, 800.0)):
    made = [
        Layer(material=Constant(n=complex(n).real, k=complex(n).imag), thickness_nm=d, gain=i in gain)
        for i, (n, d) in enumerate(layers)
    ]
    return resolve_stack(Stack(layers=tuple(made)), window_nm=window)


def quarter(n):
    return n, AT / (4.0 * n)


@pytest.mark.parametrize(("pairs", "wanted"), [(5, 0.9920626950), (10, 0.9999388061)])
def test_bragg_mirror_is_the_closed_form(pairs, wanted):
    """``R = ((1 - Y)/(1 + Y))²``, ``Y = (n_H²/n_s)(n_H/n_L)^2N`` for (HL)^N H from air on a substrate n_s."""
    stack = numeric((1.0, None), *[quarter(HIGH), quarter(LOW)] * pairs, quarter(HIGH), (LOW, None))
    y = HIGH**2 / LOW * (HIGH / LOW) ** (2 * pairs)
    for polarization in ("TE", "TM"):
        found = spectrum(stack, wavelength_nm=AT, polarization=polarization).reflectance[0]
        assert found == pytest.approx(wanted, abs=1e-10)
        assert found == pytest.approx(((1.0 - y) / (1.0 + y)) ** 2, abs=1e-14)


def at_the_zone_boundary(stack, k0):
    """``cos(K a) + 1`` of the endless repetition of the layers, half the trace of their matrix."""
    layers = media(stack, k0)
    columns, log_scale = [(np.ones_like(k0), 0.0 * k0), (0.0 * k0, np.ones_like(k0))], 0.0
    for d, row in layers.layers:
        c, upper, lower, grown = _layer(layers.eps[row], d, k0, 0.0, te=True)
        columns = [(c * f - upper * h, c * h - lower * f) for f, h in columns]
        log_scale = log_scale + grown
    return 0.5 * (columns[0][0] + columns[1][1]) + np.exp(-log_scale), log_scale


def test_stop_band_of_the_mirror():
    """Δf/f0 = (4/π) asin((n_H - n_L)/(n_H + n_L)), from the band edges cos(K a) = -1 of the endless mirror."""
    stack = numeric((1.0, None), quarter(HIGH), quarter(LOW), (1.0, None))
    f0 = 2.0 * math.pi / AT

    zeros = find_zeros(
        partial(at_the_zone_boundary, stack), (0.5 * f0, 1.5 * f0, -0.2 * f0, 0.2 * f0), scale=0.3 * f0
    )
    assert zeros.complete
    assert zeros.count == 2
    width = (zeros.z[1] - zeros.z[0]).real / f0
    assert width == pytest.approx(4.0 / math.pi * math.asin((HIGH - LOW) / (HIGH + LOW)), abs=1e-13)
    assert width == pytest.approx(0.30696717, abs=1e-8)


def test_band_edges_of_the_quarter_wave_crystal():
    """ε = 9 (0.25 a) and air, K = π/a: exactly a/λ = 2/9, 4/9, 8/9, 10/9, 14/9 (cos² δ = 1/4 · …, both layers δ)."""
    a = 1000.0
    stack = numeric((1.0, None), (3.0, 0.25 * a), (1.0, 0.75 * a), (1.0, None), window=(500.0, 8000.0))

    unit = 2.0 * math.pi / a
    zeros = find_zeros(
        partial(at_the_zone_boundary, stack),
        (0.1 * unit, 1.7 * unit, -0.3 * unit, 0.3 * unit),
        scale=0.1 * unit,
    )
    assert zeros.complete
    # a zero of this function is simple, so rounding over its slope is 1e-15; 1e-9 is what is promised
    assert (zeros.z / unit).real == pytest.approx([2 / 9, 4 / 9, 8 / 9, 10 / 9, 14 / 9], abs=1e-13)
    assert np.max(np.abs(zeros.z.imag)) < 1e-13 * unit


CAVITIES = {
    "passive": (6, 7, 1.85, 300.0, 500.0),
    "absorbing film": (6, 7, 1.85 + 0.002j, 300.0, 500.0),
    "amplifying film": (6, 7, 1.85 - 0.002j, 300.0, 500.0),
    "two modes": (4, 5, 1.85, 3000.0, 1200.0),
}


@pytest.mark.parametrize("name", CAVITIES)
@pytest.mark.parametrize(("angle", "polarization"), [(0.0, "TE"), (30.0, "TE"), (30.0, "TM")])
def test_cavity_between_two_mirrors_agrees_with_tmm(name, angle, polarization):
    """The pole of tmm's r at complex wavelength, by the secant method on 1/r, is ours to 1e-8 in λ and 1e-4 in Q."""
    import tmm

    front, back, film, film_nm, spacer_nm = CAVITIES[name]
    layers = [
        (1.0, None),
        *[quarter(HIGH), quarter(LOW)] * front,
        quarter(HIGH),
        (1.49, spacer_nm),
        (film, film_nm),
        *[quarter(HIGH), quarter(LOW)] * back,
        quarter(HIGH),
        (LOW, None),
    ]
    window = (580.0, 740.0)
    modes = uniform_resonances(
        numeric(*layers, gain=(len(layers) - 2 * back - 3,)),
        window_nm=window,
        q_min=20.0,
        angle_deg=angle,
        polarizations=(polarization,),
    )
    assert modes
    if name == "two modes":
        assert len(modes) >= 2
    assert all(mode.complete for mode in modes)
    n_list = [complex(n) for n, _ in layers]
    d_list = [math.inf if d is None else d for _, d in layers]
    theta = math.radians(angle)

    def inverse_r(wavelength):
        return 1.0 / tmm.coh_tmm("s" if polarization == "TE" else "p", n_list, d_list, theta, wavelength)["r"]

    for mode in modes:
        ours = 2.0 * math.pi / mode.k0
        x0, x1 = ours * (1.0 + 1e-5), ours * (1.0 - 1e-5j)  # a start that is not the answer
        f0, f1 = inverse_r(x0), inverse_r(x1)
        for _ in range(60):
            x2 = x1 - f1 * (x1 - x0) / (f1 - f0)
            x0, f0, x1 = x1, f1, x2
            if abs(x1 - x0) < 1e-13 * abs(x1):
                break
            f1 = inverse_r(x1)
            if f1 == f0:
                break
        theirs = 2.0 * math.pi / x1
        assert abs(2.0 * math.pi / theirs.real - mode.wavelength_nm) < 1e-8 * mode.wavelength_nm
        assert -theirs.real / (2.0 * theirs.imag) == pytest.approx(mode.q, rel=1e-4)


def test_spectra_agree_with_tmm():
    import tmm

    layers = [(1.0, None), quarter(HIGH), (1.85 + 0.02j, 480.0), quarter(LOW), (3.8438 + 0.0144j, None)]
    stack = numeric(*layers)
    n_list, d_list = [complex(n) for n, _ in layers], [math.inf if d is None else d for _, d in layers]
    for angle in (0.0, 47.0):
        for name, polarization in (("s", "TE"), ("p", "TM")):
            ours = spectrum(stack, wavelength_nm=[610.0, 655.0], angle_deg=angle, polarization=polarization)
            for i, wavelength in enumerate((610.0, 655.0)):
                theirs = tmm.coh_tmm(name, n_list, d_list, math.radians(angle), wavelength)
                assert ours.reflectance[i] == pytest.approx(theirs["R"], abs=1e-13)
                assert ours.transmittance[i] == pytest.approx(theirs["T"], abs=1e-13)
                absorbed = tmm.absorp_in_each_layer(theirs)[1:-1]
                assert ours.absorptance[:, i] == pytest.approx(absorbed, abs=1e-13)
