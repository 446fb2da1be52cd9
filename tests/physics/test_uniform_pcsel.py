"""The scalar numbers of the published PCSEL: reproduced within 0.5 nm."""

import math

import pytest

from cavitydesign.geometry import Circle, Constant, Inclusion, Layer, Library, Rectangle, SquareLattice, Stack
from cavitydesign.solvers.ask import solve
from cavitydesign.solvers.bragg import Bragg

WINDOW = (500.0, 750.0)


def wavelength(*, period=360.0, n_film=1.80, overlayer=50.0, shape=None):
    """TE0, second order; n_SiN = 2.01, 170 nm, on SiO2; holes filled and covered by the film."""
    hole = shape or Circle(radius_nm=period * math.sqrt(0.30 / math.pi))  # area fraction of SiN 0.70
    film = Constant(n=n_film)
    stack = Stack(
        lattice=SquareLattice(period_nm=period),
        layers=(
            Layer(material=Constant(n=1.0)),
            Layer(material=film, thickness_nm=overlayer, gain=True),
            Layer(
                material=Constant(n=2.01),
                thickness_nm=170.0,
                inclusions=(Inclusion(pattern=hole, material=film, gain=True),),
            ),
            Layer(material=Library(library="main/SiO2/Malitson")),
        ),
    )
    modes = solve(stack, Bragg(orders=(2,)), window_nm=WINDOW).modes
    return next(row["wavelength_nm"] for row in modes if row["polarization"] == "TE")


def test_design_wavelength():
    assert wavelength() == pytest.approx(625.0, abs=0.5)


def test_sensitivities():
    assert (wavelength(period=361.0) - wavelength(period=359.0)) / 2.0 == pytest.approx(1.5, abs=0.05)
    assert (wavelength(n_film=1.81) - wavelength(n_film=1.79)) / 0.02 == pytest.approx(105.0, abs=1.0)
    # the estimate's 0.3 to 0.15 nm/nm is the stretch of overlayers from 20 to 80 nm around the design's 50 nm
    slopes = [
        (wavelength(overlayer=t + 1.0) - wavelength(overlayer=t - 1.0)) / 2.0 for t in (20.0, 50.0, 80.0)
    ]
    assert slopes[0] == pytest.approx(0.30, abs=0.02)
    assert slopes[-1] == pytest.approx(0.15, abs=0.02)
    assert slopes == sorted(slopes, reverse=True)


def test_readings_of_seventy_percent():
    """Square holes with 30 % and 70 % of the period as side, against 70 % of the area: ± 11 nm."""
    base = wavelength()
    narrow = wavelength(shape=Rectangle(size_nm=(0.3 * 360.0, 0.3 * 360.0))) - base
    wide = wavelength(shape=Rectangle(size_nm=(0.7 * 360.0, 0.7 * 360.0))) - base
    assert narrow == pytest.approx(11.0, abs=0.5)
    assert wide == pytest.approx(-11.0, abs=1.0)  # -10.2: the estimate rounds to one number for both
    assert 0.5 * (narrow - wide) == pytest.approx(11.0, abs=0.5)
