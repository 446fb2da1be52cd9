"""Far-field maps: what symmetry says of polarisation and bands around Γ."""

from functools import cache
from typing import Any

import numpy as np
import pytest

from cavitydesign.errors import InputError, SolverError
from cavitydesign.geometry import design_from_dict
from cavitydesign.optics.media.numeric import resolve_stack
from cavitydesign.optics.patterned.climb import resonances
from cavitydesign.optics.patterned.farfield import FarField, far_field
from cavitydesign.optics.patterned.resonance import Resonance
from cavitydesign.solvers.poles import Poles

WINDOW = (560.0, 650.0)


@cache
def modes() -> dict[str, Resonance]:
    """One mode of each class of a square cell with a round hole."""
    hole = {"shape": "circle", "radius_nm": 110.0, "material": {"n": 1.6}}
    slab = {"material": {"n": 2.0}, "thickness_nm": 200.0, "inclusions": [hole]}
    layers = [{"material": {"n": 1.0}}, slab, {"material": {"n": 1.46}}]
    lattice = {"kind": "square", "period_nm": 360.0}
    content = {"name": "cell", "family": "stack", "lattice": lattice, "layers": layers}
    stack = resolve_stack(design_from_dict(content).to_stack(), window_nm=WINDOW)
    found = resonances(stack, Poles(waves=25), window_nm=WINDOW)
    return {mode.symmetry: mode.resonance for mode in found.modes}


@cache
def ring(label: str, azimuths: tuple[float, ...], band: Any = 1) -> FarField:
    return far_field(modes()[label], angles_deg=[0.4, 0.8], azimuths_deg=azimuths, waves=25, band=band)


@pytest.mark.parametrize(("label", "winding"), [("A1", 1), ("A2", 1), ("B1", -1), ("B2", -1)])
def test_polarisation_winds_around_a_dark_mode(label: str, winding: int) -> None:
    """Charges +1 for A and -1 for B (Zhen et al. 2014): the polarisation turns once around the normal."""
    azimuths = tuple(np.arange(0.0, 360.0, 45.0))
    found = ring(label, azimuths)
    direction = np.unwrap(
        np.concatenate([np.arctan2(found.stokes[1, 0], found.stokes[0, 0])] * 2)
    )  # twice the angle of E
    assert (direction[len(azimuths)] - direction[0]) / (4.0 * np.pi) == pytest.approx(winding, abs=1e-6)


@pytest.mark.parametrize(("label", "sign"), [("A1", 1.0), ("A2", -1.0)])
def test_dark_modes_radiate_radially_or_in_rings_along_the_mirrors(label: str, sign: float) -> None:
    found = ring(label, (0.0, 45.0, 90.0, 135.0, 180.0, 225.0, 270.0, 315.0))
    radial = (np.abs(found.tm) ** 2 - np.abs(found.te) ** 2) / found.intensity
    assert np.abs(radial - sign).max() < 1e-6


def test_bands_have_the_symmetry_of_the_cell() -> None:
    found = ring("A2", (20.0, 70.0, 110.0, 200.0))
    spread = np.ptp(found.k0_per_nm.real, axis=1) + np.ptp(found.k0_per_nm.imag, axis=1)
    assert spread.max() < 1e-8 * abs(found.k0_per_nm[0, 0])
    assert np.ptp(found.intensity, axis=1).max() < 1e-4 * found.intensity.max()


def test_a_dark_band_brightens_as_the_square_of_the_angle_and_starts_at_its_mode() -> None:
    found = far_field(modes()["A2"], angles_deg=[0.1, 0.2], azimuths_deg=[0.0, 45.0], waves=25)
    assert (
        np.abs(1.0 / found.q[1] / (1.0 / found.q[0]) - 4.0).max() < 0.2
    )  # next order: (k v / gap)² of a few per cent
    shift = np.abs(found.k0_per_nm.real - modes()["A2"].k0.real)
    assert np.abs(shift[1] / shift[0] - 4.0).max() < 0.2


def test_a_bright_pair_splits_into_two_bands_polarised_across_and_along_k() -> None:
    longer, shorter = (ring("E", (0.0, 90.0), band) for band in (1, 2))
    assert (longer.wavelength_nm > shorter.wavelength_nm).all()
    for found in (longer, shorter):
        radial = (np.abs(found.tm) ** 2 - np.abs(found.te) ** 2) / found.intensity
        assert np.abs(np.abs(radial) - 1.0).max() < 1e-6
    assert (np.abs(longer.tm) > np.abs(longer.te)).all() != (np.abs(shorter.tm) > np.abs(shorter.te)).all()


def test_bad_angles_and_lost_modes_are_errors() -> None:
    with pytest.raises(InputError, match="angles_deg"):
        far_field(modes()["A2"], angles_deg=[0.0, 1.0], azimuths_deg=[0.0])
    with pytest.raises(SolverError, match="smaller steps"):
        far_field(modes()["A2"], angles_deg=[60.0], azimuths_deg=[10.0], waves=25)
