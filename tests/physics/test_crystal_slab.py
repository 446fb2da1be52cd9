"""The photonic-crystal slab of Fan and Joannopoulos, Phys. Rev. B 65, 235112 (2002): transmission zeros and maxima.

Square lattice, ε = 12, thickness 0.5 a, air holes of radius 0.2 a, air on both sides, normal incidence.
"""

import numpy as np
import pytest

from cavitydesign import units
from cavitydesign.geometry import design_from_dict
from cavitydesign.optics.media.numeric import resolve_stack
from cavitydesign.optics.patterned.spectra import spectrum
from cavitydesign.solvers.ask import solve
from cavitydesign.solvers.poles import Poles

PERIOD_NM = 400.0
WAVES = 197
PUBLISHED_ERROR = 0.002  # in a/λ: how well the values can be read from the paper


def slab():
    hole = {"shape": "circle", "radius_nm": 0.2 * PERIOD_NM, "material": {"n": 1.0}}
    layers = [
        {"material": {"n": 1.0}},
        {"material": {"n": 12.0**0.5}, "thickness_nm": 0.5 * PERIOD_NM, "inclusions": [hole]},
        {"material": {"n": 1.0}},
    ]
    lattice = {"kind": "square", "period_nm": PERIOD_NM}
    return design_from_dict({"name": "fan", "family": "stack", "lattice": lattice, "layers": layers})


def transmittance(frequency: np.ndarray, *, waves: int = WAVES) -> np.ndarray:
    stack = resolve_stack(slab().to_stack(), window_nm=(PERIOD_NM / 0.62, PERIOD_NM / 0.28))
    return spectrum(stack, wavelength_nm=PERIOD_NM / frequency, waves=waves).transmittance


def extremum(near: float, *, sign: float) -> tuple[float, float]:
    """a/λ and T of the lowest (sign 1) or highest (-1) T within the published error and half as much again."""
    low, high = near - 1.5 * PUBLISHED_ERROR, near + 1.5 * PUBLISHED_ERROR
    frequency = np.linspace(low, high, 13)
    for _ in range(4):
        t = transmittance(frequency)
        at = int(np.argmin(sign * t))
        step = frequency[1] - frequency[0]
        best, value = frequency[at], t[at]
        frequency = np.linspace(best - step, best + step, 7)
    return float(best), float(value)


@pytest.mark.parametrize("published", [0.382, 0.505, 0.529, 0.539])
def test_transmission_zeros(published: float) -> None:
    frequency, value = extremum(published, sign=1.0)
    assert abs(frequency - published) < PUBLISHED_ERROR
    assert value < 2e-3  # a true zero: the last grid comes this close to it on the steepest line


@pytest.mark.parametrize("published", [0.309, 0.413, 0.593])
def test_transmission_maxima(published: float) -> None:
    frequency, value = extremum(published, sign=-1.0)
    assert abs(frequency - published) < PUBLISHED_ERROR
    assert value > 0.998  # complete transmission, by the mirror symmetry of the slab


def test_every_narrow_line_of_the_spectrum_is_a_bright_pole() -> None:
    """At each bright pole T runs between none and all within a few of its line widths."""
    solution = solve(slab(), Poles(waves=101), window_nm=(PERIOD_NM / 0.56, PERIOD_NM / 0.36))
    bright = [mode for mode in solution.modes if mode["symmetry"] == "E" and mode["q"] > 100.0]
    assert len(bright) == 5
    for mode in bright:
        pole = mode["k0_per_nm"]
        k0 = pole.real + 4.0 * abs(pole.imag) * np.linspace(-1.0, 1.0, 81)
        t = transmittance(PERIOD_NM / units.wavelength_nm_of(k0), waves=101)
        assert t.min() < 0.1
        assert t.max() > 0.9
