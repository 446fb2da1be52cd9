"""Reflection and transmission against another rigorous code: fmmax (Fourier modal method in JAX), a test extra.

fmmax's plain formulation ("FFT": Laurent's rule throughout) with the same plane waves is our
``factorisation="naive"``: the two codes must then agree to what fmmax loses by drawing the circle on a grid.
"""

from typing import Any

import numpy as np
import pytest

from cavitydesign.geometry import design_from_dict
from cavitydesign.optics.media.numeric import resolve_stack
from cavitydesign.optics.patterned.spectra import spectrum

WAVELENGTHS = np.array([575.0, 612.0, 668.0])
ANGLES_DEG = (0.0, 15.0)
TERMS = 45  # whole shells of the square lattice, the same waves in both codes
GRID, FINER = 96, 8  # fmmax's grid, and the points a pixel's average is taken over

# (period, radius, layers from the top: index, thickness, index inside the circle)
HOLES = (360.0, 111.0, [(1.0, 0.0, None), (1.85, 60.0, None), (2.0, 170.0, 1.5), (1.46, 0.0, None)])
PILLARS = (
    335.0,
    70.0,
    [(1.0, 0.0, None), (1.85 + 0.005j, 30.0, None), (1.85 + 0.005j, 120.0, 3.87 + 0.016j), (1.46, 0.0, None)],
)


def ours(cell: Any, *, angle_deg: float, waves: int, factorisation: Any) -> tuple[np.ndarray, np.ndarray]:
    period, radius, rows = cell
    layers: list[dict[str, Any]] = []
    for index, thickness, inside in rows:
        layer: dict[str, Any] = {"material": _material(index)}
        if thickness:
            layer["thickness_nm"] = thickness
        if inside is not None:
            layer["inclusions"] = [{"shape": "circle", "radius_nm": radius, "material": _material(inside)}]
        layers.append(layer)
    content = {
        "name": "cell",
        "family": "stack",
        "lattice": {"kind": "square", "period_nm": period},
        "layers": layers,
    }
    stack = resolve_stack(design_from_dict(content).to_stack(), window_nm=(500.0, 800.0))
    found = spectrum(
        stack,
        wavelength_nm=WAVELENGTHS,
        angle_deg=angle_deg,
        polarization="TM",
        waves=waves,
        factorisation=factorisation,
    )
    return found.reflectance, found.transmittance


def _material(index: complex) -> dict[str, float]:
    return {"n": complex(index).real, "k": complex(index).imag}


def theirs(cell: Any) -> tuple[np.ndarray, np.ndarray]:
    """R and T by fmmax in double precision, shape (angles, wavelengths)."""
    jax = pytest.importorskip("jax", reason="fmmax's jax is not installed: pip install 'cavitydesign[rival]'")
    fmmax = pytest.importorskip("fmmax", reason="fmmax is not installed: pip install 'cavitydesign[rival]'")
    jnp = jax.numpy
    period, radius, rows = cell
    with jax.enable_x64(True):
        lattice = fmmax.LatticeVectors(u=period * fmmax.X, v=period * fmmax.Y)
        expansion = fmmax.generate_expansion(lattice, TERMS, fmmax.Truncation.CIRCULAR)
        assert expansion.num_terms == TERMS
        angle = np.repeat(np.radians(ANGLES_DEG), len(WAVELENGTHS))
        wavelength = np.tile(WAVELENGTHS, len(ANGLES_DEG))
        kx = 2.0 * np.pi / wavelength * np.sin(angle)
        k = jnp.stack([jnp.asarray(kx), jnp.zeros(len(kx))], axis=-1)
        c = (np.arange(GRID * FINER) + 0.5) / (GRID * FINER) - 0.5
        inside = (
            (c[:, None] ** 2 + c[None, :] ** 2 < (radius / period) ** 2)
            .reshape(GRID, FINER, GRID, FINER)
            .mean((1, 3))
        )
        solved = []
        for index, _, inner in rows:
            eps = np.full((1, 1, 1), index**2, dtype=complex)
            eps = eps if inner is None else (index**2 + (inner**2 - index**2) * inside)[None].astype(complex)
            solved.append(
                fmmax.eigensolve_isotropic_media(
                    jnp.asarray(wavelength), k, lattice, jnp.asarray(eps), expansion, fmmax.Formulation.FFT
                )
            )
        s = fmmax.stack_s_matrix(solved, [jnp.asarray(d) for _, d, _ in rows])
        zero = int(np.flatnonzero((np.asarray(expansion.basis_coefficients) == 0).all(axis=1))[0])
        incident = np.zeros((len(wavelength), 2 * TERMS, 1), dtype=complex)
        incident[:, TERMS + zero] = 1.0  # H along y: TM
        nothing = np.zeros_like(incident)
        power, _ = fmmax.amplitude_poynting_flux(incident, nothing, solved[0])
        _, back = fmmax.amplitude_poynting_flux(nothing, s.s21 @ incident, solved[0])
        on, _ = fmmax.amplitude_poynting_flux(s.s11 @ incident, nothing, solved[-1])
        total = np.asarray(power).real.sum(axis=(1, 2))
        shape = (len(ANGLES_DEG), len(WAVELENGTHS))
        r, t = (np.asarray(p).real.sum(axis=(1, 2)) / total for p in (-back, on))
    return r.reshape(shape), t.reshape(shape)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the rival and its own libraries
@pytest.mark.parametrize(
    ("cell", "tolerance"),
    [
        # what the grid of fmmax costs: 5e-5 measured for the holes; at 612 nm the pillars have a line, which
        # the grid moves: 2e-3 measured
        pytest.param(HOLES, 1e-4, id="holes"),
        pytest.param(PILLARS, 4e-3, id="silicon pillars"),
    ],
)
def test_fmmax_gives_the_same_spectra(cell: Any, tolerance: float) -> None:
    r, t = theirs(cell)
    for row, angle in enumerate(ANGLES_DEG):
        same_r, same_t = ours(cell, angle_deg=angle, waves=TERMS, factorisation="naive")
        assert np.abs(r[row] - same_r).max() < tolerance
        assert np.abs(t[row] - same_t).max() < tolerance


@pytest.mark.parametrize("angle_deg", ANGLES_DEG)
def test_both_factorisations_go_to_one_limit_and_the_normal_field_gets_there_first(angle_deg: float) -> None:
    """fmmax confirms the naive rule; this ties the default to it: with more waves the two approach each other."""
    gaps, steps = [], {"naive": 0.0, "normal": 0.0}
    for waves in (45, 193):
        found = {rule: ours(HOLES, angle_deg=angle_deg, waves=waves, factorisation=rule)[0] for rule in steps}
        gaps.append(np.abs(found["naive"] - found["normal"]).max())
        steps = {rule: np.abs(found[rule] - steps[rule]).max() for rule in steps} if waves > 45 else found
    assert gaps[1] < 0.55 * gaps[0]
    assert steps["normal"] < 0.5 * steps["naive"]
