"""Spectra of patterned stacks: conservation, reciprocity, limits, symmetry, and Fano lines at the poles."""

from typing import Any

import numpy as np
import pytest

from cavitydesign import units
from cavitydesign.errors import InputError
from cavitydesign.geometry import design_from_dict
from cavitydesign.optics.media.numeric import NumericStack, resolve_stack
from cavitydesign.optics.patterned.spectra import spectrum
from cavitydesign.solvers.ask import solve
from cavitydesign.solvers.poles import Poles

WINDOW = (500.0, 800.0)
SQUARE = {"kind": "square", "period_nm": 360.0}
HEXAGONAL = {"kind": "hexagonal", "period_nm": 400.0}
RECTANGULAR = {"kind": "rectangular", "period_x_nm": 360.0, "period_y_nm": 300.0}
CIRCLE = {"shape": "circle", "radius_nm": 110.0}
TRIANGLE = {"shape": "polygon", "vertices_nm": [[-80.0, -60.0], [90.0, -50.0], [10.0, 100.0]]}
RECTANGLE = {"shape": "rectangle", "size_nm": [180.0, 100.0]}
CELLS = {
    "square": (SQUARE, CIRCLE),
    "hexagonal": (HEXAGONAL, CIRCLE),
    "rectangular": (RECTANGULAR, RECTANGLE),
    "no symmetry": (SQUARE, TRIANGLE),
}
WAVELENGTHS = np.array([531.0, 583.0, 600.3, 647.0, 712.0])


def design(
    lattice: dict[str, Any],
    shape: dict[str, Any],
    *,
    k: float = 0.0,
    inside: float = 1.5,
    center: tuple[float, float] = (0.0, 0.0),
):
    inclusion = {**shape, "center_nm": list(center), "material": {"n": inside, "k": k}}
    layers = [
        {"material": {"n": 1.0}},
        {"material": {"n": 1.85, "k": k}, "thickness_nm": 60.0},
        {"material": {"n": 2.0}, "thickness_nm": 170.0, "inclusions": [inclusion]},
        {"material": {"n": 1.7}, "thickness_nm": 90.0},
        {"material": {"n": 1.46}},
    ]  # fmt: skip
    return design_from_dict({"name": "cell", "family": "stack", "lattice": lattice, "layers": layers})


def cell(name: str = "square", **changes: Any) -> NumericStack:
    lattice, shape = CELLS[name]
    return resolve_stack(design(lattice, shape, **changes).to_stack(), window_nm=WINDOW)


INCIDENCES: list[dict[str, Any]] = [
    {},
    {"polarization": (0.6, 0.8j), "azimuth_deg": 20.0},
    {"angle_deg": 24.0, "polarization": "TM"},
    {"angle_deg": 37.0, "azimuth_deg": 17.0, "polarization": (1.0, 1.0j)},
    {"angle_deg": 12.0, "azimuth_deg": 90.0, "from_side": "substrate"},
    {"angle_deg": 60.0, "azimuth_deg": 45.0, "from_side": "substrate"},  # beyond the critical angle of air
]


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("incidence", INCIDENCES)
def test_power_is_conserved_and_a_lossless_layer_absorbs_none(name: str, incidence: dict[str, Any]) -> None:
    found = spectrum(cell(name), wavelength_nm=WAVELENGTHS, waves=37, **incidence)
    # rounding: condition of the mode bases times 1e-16; each layer on its own, so nothing can cancel between layers
    assert np.abs(found.absorptance).max() < 1e-10
    assert np.abs(found.reflectance + found.transmittance - 1.0).max() < 1e-10
    assert np.abs(found.reflected.sum(axis=0) - found.reflectance).max() < 1e-12
    assert np.abs(found.transmitted.sum(axis=0) - found.transmittance).max() < 1e-12


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("incidence", INCIDENCES)
@pytest.mark.parametrize("k", [0.02, -0.005])
def test_loss_absorbs_in_its_own_layers_and_gain_amplifies(
    name: str, incidence: dict[str, Any], k: float
) -> None:
    found = spectrum(cell(name, k=k), wavelength_nm=WAVELENGTHS, waves=25, **incidence)
    total = found.reflectance + found.transmittance + found.absorptance.sum(axis=0)
    assert np.abs(total - 1.0).max() < 1e-10
    assert np.abs(found.absorptance[2]).max() < 1e-10  # the third layer is clear
    assert (found.absorptance[:2] * np.sign(k) > 1e-5).all()
    assert ((found.reflectance + found.transmittance > 1.0) == (k < 0.0)).all()


def test_absorption_of_weak_loss_and_of_weak_gain_are_opposite() -> None:
    loss, gain = (spectrum(cell(k=k), wavelength_nm=WAVELENGTHS, waves=25).absorptance for k in (1e-6, -1e-6))
    # odd in κ, so the sum is of second order: (κ Q)² of the sharpest line met, Q < 1000
    assert np.abs(loss + gain).max() < 1e-2 * np.abs(loss).max()
    assert loss[:2].min() > 0.0


def test_absorption_does_not_depend_on_how_a_layer_is_sliced() -> None:
    whole = design(*CELLS["square"], k=0.02).to_stack()
    film, slab = whole.layers[1], whole.layers[2]
    sliced = whole.replace(
        layers=(
            whole.layers[0],
            *(film.replace(thickness_nm=d) for d in (10.0, 50.0)),
            *(slab.replace(thickness_nm=d) for d in (30.0, 100.0, 40.0)),
            *whole.layers[3:],
        )
    )
    one, many = (
        spectrum(resolve_stack(s, window_nm=WINDOW), wavelength_nm=WAVELENGTHS, waves=37, angle_deg=20.0)
        for s in (whole, sliced)
    )
    assert np.abs(one.reflectance - many.reflectance).max() < 1e-11
    assert np.abs(one.absorptance[0] - many.absorptance[:2].sum(axis=0)).max() < 1e-11
    assert np.abs(one.absorptance[1] - many.absorptance[2:5].sum(axis=0)).max() < 1e-11


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("k", [0.0, 0.02])
@pytest.mark.parametrize("polarization", ["TE", "TM"])
def test_transmission_is_reciprocal(name: str, k: float, polarization: str) -> None:
    """Order (0, 0) down at k∥ equals the same polarisation up at -k∥ (Lorentz; the Jones matrix is transposed)."""
    stack, angle, azimuth = cell(name, k=k), 21.0, 33.0
    back = np.degrees(np.arcsin(np.sin(np.radians(angle)) / 1.46))
    down = spectrum(
        stack,
        wavelength_nm=WAVELENGTHS,
        waves=37,
        angle_deg=angle,
        azimuth_deg=azimuth,
        polarization=polarization,
    )
    way_back: dict[str, Any] = {"angle_deg": back, "azimuth_deg": azimuth + 180.0, "from_side": "substrate"}
    up = spectrum(stack, wavelength_nm=WAVELENGTHS, waves=37, polarization=polarization, **way_back)
    same = 0 if polarization == "TE" else 1
    # power of the co-polarised part: |t|² times the ratio of the admittances, which reciprocity inverts
    cos_in, cos_out = np.cos(np.radians(angle)), np.cos(np.radians(back))
    ratio = 1.46 * cos_out / cos_in if same == 0 else 1.46 * cos_in / cos_out
    assert np.abs(ratio * np.abs(down.t[same]) ** 2 - np.abs(up.t[same]) ** 2 / ratio).max() < 1e-10


@pytest.mark.parametrize("incidence", INCIDENCES)
def test_a_pattern_of_the_same_material_is_no_pattern(incidence: dict[str, Any]) -> None:
    stack = cell(inside=2.0)
    found = spectrum(stack, wavelength_nm=WAVELENGTHS, waves=25, **incidence)
    patterned = design(SQUARE, CIRCLE).to_stack()
    bare = patterned.replace(layers=tuple(layer.replace(inclusions=()) for layer in patterned.layers))
    plain = spectrum(resolve_stack(bare, window_nm=WINDOW), wavelength_nm=WAVELENGTHS, **incidence)
    assert np.abs(found.reflectance - plain.reflectance).max() < 1e-12


@pytest.mark.parametrize("incidence", INCIDENCES)
def test_moving_the_pattern_within_the_cell_changes_no_power(incidence: dict[str, Any]) -> None:
    """The moved triangle has other Fourier coefficients; powers of all orders must stay."""
    here, there = (
        spectrum(cell("no symmetry", center=c), wavelength_nm=WAVELENGTHS, waves=25, **incidence)
        for c in ((0.0, 0.0), (71.0, -33.0))
    )
    # the grid of the normal field moves with respect to the pattern: the only thing that is not exactly invariant
    assert np.abs(here.reflected - there.reflected).max() < 2e-3
    assert np.abs(here.transmitted - there.transmitted).max() < 2e-3


def test_naive_factorisation_does_not_know_where_the_cell_begins() -> None:
    here, there = (
        spectrum(cell("no symmetry", center=c), wavelength_nm=WAVELENGTHS, waves=25, factorisation="naive")
        for c in ((0.0, 0.0), (71.0, -33.0))
    )
    assert np.abs(here.reflected - there.reflected).max() < 1e-11


@pytest.mark.parametrize("name", ["square", "hexagonal"])
def test_at_normal_incidence_high_symmetry_is_isotropic(name: str) -> None:
    reference = spectrum(cell(name), wavelength_nm=WAVELENGTHS, waves=37)
    for polarization in ("TM", (1.0, 1.0), (1.0, 1.0j)):
        turned = spectrum(
            cell(name), wavelength_nm=WAVELENGTHS, waves=37, polarization=polarization, azimuth_deg=25.0
        )
        # square: exact by the mirrors; hexagonal: the grid on which P is sampled has no sixfold axis
        assert np.abs(turned.reflectance - reference.reflectance).max() < (
            1e-10 if name == "square" else 1e-6
        )


def test_mirror_images_of_an_oblique_wave_agree() -> None:
    one = spectrum(cell(), wavelength_nm=WAVELENGTHS, waves=37, angle_deg=25.0, azimuth_deg=20.0)
    for azimuth in (-20.0, 70.0, 110.0, 200.0):
        other = spectrum(cell(), wavelength_nm=WAVELENGTHS, waves=37, angle_deg=25.0, azimuth_deg=azimuth)
        assert np.abs(one.reflectance - other.reflectance).max() < 1e-10


def test_at_an_angle_the_mirror_classes_give_what_the_whole_basis_gives() -> None:
    """Along x the plane of incidence halves the basis; a hair off it nothing does, and the limit must be the same."""
    exact = spectrum(cell(), wavelength_nm=WAVELENGTHS, waves=37, angle_deg=20.0, polarization=(1.0, 0.5))
    near = spectrum(
        cell(), wavelength_nm=WAVELENGTHS, waves=37, angle_deg=20.0, polarization=(1.0, 0.5), azimuth_deg=1e-7
    )
    assert np.abs(exact.reflectance - near.reflectance).max() < 1e-6


def test_a_small_angle_tends_to_normal_incidence() -> None:
    for polarization in ("TE", "TM"):
        flat = spectrum(cell(), wavelength_nm=WAVELENGTHS, waves=37, polarization=polarization)
        tilted = spectrum(
            cell(), wavelength_nm=WAVELENGTHS, waves=37, angle_deg=1e-5, polarization=polarization
        )
        assert np.abs(flat.reflectance - tilted.reflectance).max() < 1e-6


def test_an_order_may_graze_exactly() -> None:
    """At λ = 1.46 Λ an order grazes in the substrate, at 540 nm none: all finite, all added up, and continuous."""
    at = np.array([360.0 * 1.46, 540.0])
    found, beside = (spectrum(cell(), wavelength_nm=w, waves=25) for w in (at, at * (1.0 + 1e-10)))
    assert np.abs(found.reflectance + found.transmittance - 1.0).max() < 1e-10
    assert (
        np.abs(found.reflectance - beside.reflectance).max() < 1e-3
    )  # the square root of the step, times a slope


def test_diffraction_begins_where_it_should() -> None:
    found = spectrum(cell(), wavelength_nm=np.array([524.0, 527.0]), waves=37)
    sideways = found.transmitted[(found.orders != 0).any(axis=1)].sum(axis=0)
    assert sideways[0] > 1e-6
    assert sideways[1] == 0.0  # 1.46 · 360 nm = 525.6 nm
    assert found.reflected[(found.orders != 0).any(axis=1)].max() == 0.0


def test_fano_lines_sit_at_the_poles_and_have_their_q() -> None:
    """The poles that a rational fit of r(k0), t(k0) on the real axis sees are those found in the complex plane."""
    subject = design(*CELLS["square"])
    solution = solve(subject, Poles(waves=49), window_nm=(540.0, 700.0))
    bright = [mode for mode in solution.modes if mode.symmetry == "E"]
    assert len(bright) == 2  # Q of about 100 and 2600
    stack = resolve_stack(subject.to_stack(), window_nm=(540.0, 700.0))
    for mode in bright:
        pole = mode.k0_per_nm
        k0 = pole.real + 1.5 * abs(pole.imag) * np.linspace(-1.0, 1.0, 21)
        found = spectrum(stack, wavelength_nm=units.wavelength_nm_of(k0), waves=49)
        assert np.ptp(found.reflectance) > 0.2  # a Fano line, not a ripple
        for amplitude in (found.r[0], found.t[0]):
            nearest = min(_fitted_poles(k0, amplitude), key=lambda k: abs(k - pole))
            # what a cubic leaves of the background (more distant poles) over one and a half half-widths
            assert abs(nearest - pole) < 1e-3 * abs(pole.imag)


def _fitted_poles(k0: Any, amplitude: Any) -> list[complex]:
    """Zeros of x² - p x - q in the fit (a + b x + c x² + d x³) / (x² - p x - q), linear least squares in a … q."""
    centre, width = k0.mean(), np.ptp(k0)
    x = (k0 - centre) / width
    columns = np.stack([np.ones_like(x), x, x * x, x**3, amplitude, x * amplitude], axis=1)
    solution = np.linalg.lstsq(columns, x * x * amplitude, rcond=None)[0]
    return [complex(centre + width * root) for root in np.roots([1.0, -solution[5], -solution[4]])]


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ({"angle_deg": 90.0}, "angle_deg"),
        ({"polarization": "s"}, "polarization"),
        ({"polarization": (0.0, 0.0)}, "polarization"),
        ({"from_side": "left"}, "from_side"),
        ({"wavelength_nm": -1.0}, "wavelength_nm"),
    ],
)
def test_wrong_input_is_named(arguments: dict[str, Any], key: str) -> None:
    with pytest.raises(InputError, match=key):
        spectrum(cell(), **({"wavelength_nm": 600.0} | arguments))


def test_light_cannot_come_through_an_absorber() -> None:
    layers = [
        {"material": {"n": 1.0}},
        {"material": {"n": 2.0}, "thickness_nm": 100.0},
        {"material": {"n": 3.9, "k": 0.02}},
    ]
    stack = resolve_stack(
        design_from_dict({"name": "si", "family": "stack", "layers": layers}).to_stack(), window_nm=WINDOW
    )
    with pytest.raises(InputError, match="substrate"):
        spectrum(stack, wavelength_nm=600.0, from_side="substrate")
    found = spectrum(stack, wavelength_nm=600.0)
    assert found.reflectance[0] + found.transmittance[0] == pytest.approx(1.0, abs=1e-12)
