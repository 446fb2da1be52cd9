"""FDTD against the exact poles: two independent methods, and the bounds that the issue sets."""

import math

import pytest

from cavitydesign.errors import Status
from cavitydesign.geometry import Bar, Circle, Constant, Inclusion, Layer, LineLattice, SquareLattice, Stack
from cavitydesign.solvers.ask import solve
from cavitydesign.solvers.fdtd import Fdtd, lasing_curve
from cavitydesign.solvers.poles import Poles
from cavitydesign.study.verify import verify

pytestmark = pytest.mark.meep


def two_mirror(*, film_k=0.0, pairs=(4, 5)):
    """λ/4 mirrors for 650 nm around one wavelength of film."""
    high = Layer(material=Constant(n=2.3), quarter_wave_nm=650.0)
    low = Layer(material=Constant(n=1.46), quarter_wave_nm=650.0)
    film = Layer(material=Constant(n=1.8, k=film_k), thickness_nm=650.0 / 1.8, gain=True)
    air, glass = Layer(material=Constant(n=1.0)), Layer(material=Constant(n=1.46))
    return Stack(layers=(air, *(high, low) * pairs[0], high, film, *(high, low) * pairs[1], high, glass))


@pytest.mark.parametrize("film_k", [0.0, 0.002, -0.0003])
def test_two_mirror_cavity_agrees_with_the_exact_poles(film_k):
    # passive, absorbing and amplifying film (below threshold): λ to 0.02 %, Q to 1 %, as the issue asks
    subject, window = two_mirror(film_k=film_k), (620.0, 680.0)
    exact = solve(subject, Poles(), window_nm=window).modes
    found = solve(subject, Fdtd(pixels_per_um=(25.0, 35.0)), window_nm=window)
    assert found.status is Status.OK
    assert len(found.modes) == len(exact) == 1
    assert found.modes["wavelength_nm"][0] == pytest.approx(exact["wavelength_nm"][0], rel=2e-4)
    assert found.modes["q"][0] == pytest.approx(exact["q"][0], rel=0.01)
    assert (
        abs(found.modes["wavelength_nm"][0] - exact["wavelength_nm"][0])
        < 3.0 * found.modes["wavelength_err_nm"][0]
    )
    assert found.modes["degeneracy"][0] == exact["degeneracy"][0] == 2


def reference_cell():
    """The unit cell of the mode-engine issue: Λ = 360 nm, film 60 nm of 1.85 over SiN 170 nm with holes r =
    111.25 nm.
    """
    hole = Inclusion(pattern=Circle(radius_nm=111.25), material=Constant(n=1.85), gain=True)
    return Stack(
        lattice=SquareLattice(period_nm=360.0),
        layers=(
            Layer(material=Constant(n=1.0)),
            Layer(material=Constant(n=1.85), thickness_nm=60.0, gain=True),
            Layer(material=Constant(n=2.0), thickness_nm=170.0, inclusions=(hole,)),
            Layer(material=Constant(n=1.46)),
        ),
    )


BRIGHT = [("E", 630.33, 1309.0), ("E", 602.30, 15310.0)]
DARK = [
    ("A2", 631.19, math.inf),
    ("B2", 630.07, math.inf),
    ("B1", 607.05, math.inf),
    ("A1", 596.96, math.inf),
]


def check(found, expected):
    """None missing, none extra; 0.05 % in λ, 3 % in Q (both from the issue)."""
    rows = [(m.symmetry, m.wavelength_nm, m.q) for m in found.modes]
    wanted = sorted(expected, key=lambda row: -row[1])
    assert [row[0] for row in rows] == [row[0] for row in wanted]
    for (_, wavelength, q), (_, true_wavelength, true_q) in zip(rows, wanted, strict=True):
        assert wavelength == pytest.approx(true_wavelength, rel=5e-4)
        assert q == pytest.approx(true_q, rel=0.03)


@pytest.mark.slow
def test_reference_cell_all_six_modes_none_missing_none_extra():
    found = solve(reference_cell(), Fdtd(pixels_per_um=(55.0, 78.0)), window_nm=(590.0, 640.0))
    check(found, BRIGHT + DARK)


@pytest.mark.parametrize("pixels", [(28.0, 36.0), pytest.param((50.0, 61.0), marks=pytest.mark.slow)])
def test_reference_cell_dark_modes_of_one_class(pixels):
    # two near-degenerate dark modes (630.07 and 631.19 nm) in one mirror class; coarse grids: 0.1 % instead of 0.05 %
    settings = Fdtd(pixels_per_um=pixels, classes=("--",))
    found = solve(reference_cell(), settings, window_nm=(620.0, 640.0))
    assert list(found.modes["symmetry"]) == ["A2", "B2"]
    assert found.modes["wavelength_nm"] == pytest.approx([631.19, 630.07], rel=1e-3)
    assert all(math.isinf(q) for q in found.modes["q"])


def grating():
    """Lines: nothing varies along them."""
    bar = Inclusion(pattern=Bar(width_nm=200.0), material=Constant(n=1.6), gain=True)
    return Stack(
        lattice=LineLattice(period_nm=400.0),
        layers=(
            Layer(material=Constant(n=1.0)),
            Layer(material=Constant(n=2.0), thickness_nm=170.0, inclusions=(bar,)),
            Layer(material=Constant(n=1.46)),
        ),
    )


def test_the_bright_te_mode_of_a_grating_agrees_with_the_exact_poles():
    # Q = 74; already this coarse pair extrapolates to 5e-4 of λ
    exact = next(m for m in solve(grating(), Poles(), window_nm=(598.0, 640.0)).modes if m.symmetry == "B2")
    settings = Fdtd(pixels_per_um=(30.0, 48.0), classes=("+-",))
    (found,) = solve(grating(), settings, window_nm=(598.0, 640.0)).modes
    assert (found.symmetry, found.polarization) == ("B2", "TE")
    assert found.wavelength_nm == pytest.approx(exact.wavelength_nm, rel=5e-4)
    assert found.q == pytest.approx(exact.q, rel=0.03)


@pytest.mark.slow
@pytest.mark.parametrize("pixels", [(30.0, 48.0), (50.0, 80.0)])
def test_grating_in_two_dimensions_agrees_with_the_exact_poles(pixels):
    # the same with TM bright (Q = 355) and all mirror classes: every mode matched, none left over on either side
    found = verify(grating(), window_nm=(598.0, 640.0), fdtd=Fdtd(pixels_per_um=pixels))
    assert found.passed, found.record()
    assert {(p.fdtd.polarization, math.isinf(p.fdtd.q)) for p in found.pairs} >= {
        ("TE", True),
        ("TE", False),
        ("TM", False),
    }
    for pair in found.pairs:
        assert abs(pair.wavelength_difference_nm) < 5e-4 * pair.fast.wavelength_nm


@pytest.mark.parametrize(
    ("pixels", "duration_um"), [(10.0, 1000.0), pytest.param(13.0, 1200.0, marks=pytest.mark.slow)]
)
def test_laser_threshold_in_time_agrees_with_the_linear_threshold(pixels, duration_um):
    # 5 % in 1D is what the issue asks; the passive grid alone shifts λ by 0.4 % (0.7 % at 10 pixels/um), which moves no
    # threshold by more than that
    subject = two_mirror(pairs=(2, 3))
    exact = solve(subject, Poles(exact_threshold=True), window_nm=(620.0, 680.0)).modes
    threshold = float(exact["threshold_gain_per_cm"][0])
    curve = lasing_curve(
        subject, Fdtd(pixels_per_um=(pixels,)), wavelength_nm=650.0, duration_um=duration_um,
        pump_gain_per_cm=[threshold * x for x in (0.85, 1.2, 1.4, 1.7)],
    )  # fmt: skip
    assert curve.output[0] < 1e-6 * curve.output[1]
    assert curve.threshold_gain_per_cm == pytest.approx(threshold, rel=0.05)
    assert list(curve.output) == sorted(curve.output)
