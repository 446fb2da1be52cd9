"""Near fields: Maxwell's equations, continuity, symmetry, normalisation, and the power that the channels carry away."""

from typing import Any

import numpy as np
import pytest

from cavitydesign.errors import InputError
from cavitydesign.geometry import design_from_dict
from cavitydesign.optics.media.numeric import NumericStack, resolve_stack
from cavitydesign.optics.patterned.climb import Settled, resonances
from cavitydesign.optics.patterned.nearfield import ModeField, mode_fields, radiation, stokes
from cavitydesign.optics.patterned.resonance import Resonance, polish
from cavitydesign.optics.uniform import multilayer
from cavitydesign.solvers.poles import Poles

WINDOW = (570.0, 660.0)
SQUARE = {"kind": "square", "period_nm": 360.0}
HEXAGONAL = {"kind": "hexagonal", "period_nm": 400.0}
CIRCLE = {"shape": "circle", "radius_nm": 110.0}
TRIANGLE = {"shape": "polygon", "vertices_nm": [[-80.0, -60.0], [90.0, -50.0], [10.0, 100.0]]}
OFF_GAMMA = (4e-4, 1.5e-4)
CASES = {
    "square": (SQUARE, CIRCLE, (0.0, 0.0)),
    "hexagonal": (HEXAGONAL, CIRCLE, (0.0, 0.0)),
    "no symmetry": (SQUARE, TRIANGLE, (0.0, 0.0)),
    "off Γ": (SQUARE, CIRCLE, OFF_GAMMA),
    "no symmetry, off Γ": (SQUARE, TRIANGLE, OFF_GAMMA),
}
_SOLVED: dict[str, tuple[NumericStack, tuple[Settled, ...]]] = {}


def numeric(
    lattice: dict[str, Any], shape: dict[str, Any], *, inside: float = 1.6, k: float = 0.002
) -> NumericStack:
    inclusion = {**shape, "material": {"n": inside}}
    layers = [
        {"material": {"n": 1.0}},
        {"material": {"n": 1.85, "k": k}, "thickness_nm": 60.0},
        {"material": {"n": 2.0}, "thickness_nm": 170.0, "inclusions": [inclusion]},
        {"material": {"n": 1.7}, "thickness_nm": 40.0},
        {"material": {"n": 1.46}},
    ]
    content = {"name": "cell", "family": "stack", "lattice": lattice, "layers": layers}
    return resolve_stack(design_from_dict(content).to_stack(), window_nm=WINDOW)


def solved(case: str) -> tuple[NumericStack, tuple[Settled, ...]]:
    if case not in _SOLVED:
        lattice, shape, bloch = CASES[case]
        stack = numeric(lattice, shape)
        found = resonances(stack, Poles(waves=37), window_nm=WINDOW, bloch=bloch)
        assert found.complete
        assert len(found.modes) >= 4
        _SOLVED[case] = stack, found.modes
    return _SOLVED[case]


def settled(resonance: Resonance) -> Resonance:
    """The resonance with vectors at its final k0, not those of the last Newton step but one."""
    found = polish(resonance.problem, resonance.k0, accept=1e-9)
    assert found is not None
    return found


def partners(mode: Settled) -> tuple[Any, ...]:
    return (1, 2) if mode.degeneracy == 2 else (1,)


POINTS = np.random.default_rng(5).uniform(-200.0, 200.0, (2, 12))


def at(
    resonance: Resonance, z: Any, *, x: Any = POINTS[0], y: Any = POINTS[1], partner: Any = 1
) -> ModeField:
    return mode_fields(resonance, z_nm=z, x_nm=x, y_nm=y, partner=partner)


@pytest.mark.parametrize("case", CASES)
def test_tangential_fields_and_normal_h_are_continuous(case: str) -> None:
    stack, modes = solved(case)
    faces = stack.thickness_nm - np.concatenate(
        [[0.0], np.cumsum([layer.thickness_nm for layer in stack.layers])]
    )
    step = 1e-4  # nm; the fields change by about 2π/λ of themselves per nm
    for mode in modes:
        for partner in partners(mode):
            above, below = (at(mode.resonance, faces + s, partner=partner) for s in (step, -step))
            scale = np.abs(above.e).max()
            assert np.abs(above.e[:2] - below.e[:2]).max() < 1e-4 * scale
            assert np.abs(above.h - below.h).max() < 1e-4 * scale * 2.0


@pytest.mark.parametrize("case", CASES)
def test_maxwells_equations_hold(case: str) -> None:
    """∇×E = i k0 H everywhere, ∇×H = -i k0 ε E and ∇·E = ∇·H = 0 in uniform layers, by central differences.

    In the patterned layer (the second) Faraday's law needs no product of jumps: it is exact at any
    truncation.
    """
    stack, modes = solved(case)
    top = stack.thickness_nm
    z = np.array([top + 40.0, top - 30.0, 20.0, -50.0, 110.0])
    materials = [stack.superstrate, stack.layers[0].material, stack.layers[2].material, stack.substrate]
    for mode in modes:
        k0 = mode.resonance.k0
        eps = stack.eps(np.asarray(k0))[materials][None, :, None]
        here, (curl_e, div_e), (curl_h, div_h) = derivatives(mode, z, partner=partners(mode)[-1])
        scale = 4.0 * abs(k0) * max(np.abs(here.e).max(), np.abs(here.h).max())
        # central differences: (G d)²/6 of the fastest plane wave, G < 0.07/nm
        assert np.abs(curl_e - 1j * k0 * here.h).max() < 1e-4 * scale
        assert np.abs(curl_h[:, :4] + 1j * k0 * eps * here.e[:, :4]).max() < 1e-4 * scale
        assert max(np.abs(div_e[:4]).max(), np.abs(div_h).max()) < 1e-4 * scale


def derivatives(mode: Settled, z: Any, *, x: Any = POINTS[0], y: Any = POINTS[1], partner: Any = 1) -> Any:
    """Fields at heights z and points (x, y), flat arrays; then (curl, divergence) of E and of H."""
    d, count = 0.05, len(x)
    shifted_x, shifted_y = np.concatenate([x, x + d, x - d, x, x]), np.concatenate([y, y, y, y + d, y - d])
    field = at(mode.resonance, np.stack([z, z + d, z - d]), x=shifted_x, y=shifted_y, partner=partner)
    found = []
    for values in (field.e, field.h):
        middle = values[:, 0]
        by_x = (middle[..., count : 2 * count] - middle[..., 2 * count : 3 * count]) / (2.0 * d)
        by_y = (middle[..., 3 * count : 4 * count] - middle[..., 4 * count :]) / (2.0 * d)
        by_z = (values[:, 1, :, :count] - values[:, 2, :, :count]) / (2.0 * d)
        curl = np.array([by_y[2] - by_z[1], by_z[0] - by_x[2], by_x[1] - by_y[0]])
        found.append((curl, by_x[0] + by_y[1] + by_z[2]))
    return ModeField(field.e[:, 0, :, :count], field.h[:, 0, :, :count]), *found


@pytest.mark.parametrize("case", ["square", "hexagonal", "no symmetry"])
def test_the_norm_is_one_by_integration(
    case: str,
) -> None:
    """∫ (E·εE - H·H) = 1 by quadrature (nothing disperses); in the half-spaces along face + s e^{iα}, as a
    PML does.

    In the patterned layer ε E is not the pointwise product but D, which Ampère's law gives: ε E = i (∇×H) /
    k0.
    """
    stack, modes = solved(case)
    n = 20  # exact for products of plane waves of 37 waves: no more than 7 orders apart
    u, v = np.meshgrid(np.arange(n) / n, np.arange(n) / n, indexing="ij")
    (ax, ay), (bx, by) = stack.lattice.vectors_nm
    x, y = (u * ax + v * bx).ravel(), (u * ay + v * by).ravel()
    nodes, weights = np.polynomial.legendre.leggauss(24)
    faces = stack.thickness_nm - np.concatenate(
        [[0.0], np.cumsum([layer.thickness_nm for layer in stack.layers])]
    )
    turn = np.exp(0.9j)
    for mode in modes:
        k0 = mode.resonance.k0
        eps = stack.eps(np.asarray(k0))
        total = 0.0 + 0.0j
        pieces = [
            (faces[i + 1], faces[i], 1.0 + 0j, layer.material, layer.inclusions)
            for i, layer in enumerate(stack.layers)
        ]
        for start, stop in ((0.0, 400.0), (400.0, 1600.0), (1600.0, 4000.0)):
            pieces.append((start, stop, turn, stack.superstrate, ()))
            pieces.append((start, stop, -turn, stack.substrate, ()))
        for low, high, direction, material, patterned in pieces:
            s = 0.5 * (high - low) * nodes + 0.5 * (high + low)
            z = s if direction == 1.0 else (faces[0] if direction.real > 0.0 else faces[-1]) + s * direction
            field = at(mode.resonance, z, x=x, y=y)
            d = 1j / k0 * derivatives(mode, z, x=x, y=y)[2][0] if patterned else eps[material] * field.e
            density = (d * field.e - field.h**2).sum(axis=0).mean(axis=1)
            total += np.sum(density * weights) * 0.5 * (high - low) * (turn if direction != 1.0 else 1.0)
        total *= stack.lattice.cell_area_nm2
        # Newton's last step in k0 (1e-7 of itself), quadrature, and differences in D
        assert abs(total - 1.0) < 2e-4


def test_modes_of_c4v_transform_as_their_labels_say() -> None:
    """Under a quarter turn A modes stay, B modes change sign, and the partners of E turn into each other."""
    _, modes = solved("square")
    x, y = POINTS
    for mode in modes:
        here, there = (
            at(mode.resonance, 100.0),
            at(mode.resonance, 100.0, x=y, y=-x),
        )  # at R⁻¹ r, R: (x, y) → (-y, x)
        turned = np.array([-there.e[1], there.e[0], there.e[2]])
        expected = {
            "A": here.e,
            "B": -here.e,
            "E": at(mode.resonance, 100.0, partner=2).e if mode.degeneracy == 2 else None,
        }
        wanted = expected[mode.symmetry[0]]
        assert np.abs(turned - wanted).max() < 1e-9 * np.abs(here.e).max()


@pytest.mark.parametrize("case", ["square", "hexagonal"])
def test_partners_are_orthogonal_and_equally_normalised(case: str) -> None:
    stack, modes = solved(case)
    n = 16
    u, v = np.meshgrid(np.arange(n) / n, np.arange(n) / n, indexing="ij")
    (ax, ay), (bx, by) = stack.lattice.vectors_nm
    x, y = u * ax + v * bx, u * ay + v * by
    for mode in (m for m in modes if m.degeneracy == 2):
        one, two = (at(mode.resonance, 150.0, x=x, y=y, partner=p).e for p in (1, 2))
        assert abs((one * two).sum()) < 1e-9 * abs((one * one).sum())
        assert abs((one * one).sum() - (two * two).sum()) < 1e-9 * abs((one * one).sum())


def test_only_degenerate_modes_have_partners() -> None:
    _, modes = solved("square")
    single = next(mode for mode in modes if mode.degeneracy == 1)
    with pytest.raises(InputError, match="partner"):
        mode_fields(single.resonance, z_nm=0.0, partner=2)


def test_dark_modes_do_not_radiate_and_bright_partners_do_so_at_right_angles() -> None:
    _, modes = solved("square")
    for mode in modes:
        channels = radiation(mode.resonance)
        if mode.degeneracy == 1:
            assert all(channel.te == channel.tm == 0.0 for channel in channels)
            continue
        other = radiation(mode.resonance, partner=2)
        assert sum(channel.share for channel in channels) == pytest.approx(1.0)
        for first in channels:
            assert first.angle_deg == 0.0
            second = next(channel for channel in other if channel.side == first.side)
            assert first.stokes == pytest.approx((1.0, 0.0, 0.0), abs=1e-9)  # E along x
            assert second.stokes == pytest.approx((-1.0, 0.0, 0.0), abs=1e-9)  # along y
            assert second.share == pytest.approx(first.share)


@pytest.mark.parametrize("case", CASES)
def test_channels_share_the_power_as_the_losses_say(case: str) -> None:
    """The shares of the channels are those of ``losses``."""
    _, modes = solved(case)
    for mode in modes:
        up, down, _ = settled(mode.resonance).losses()
        channels = radiation(mode.resonance)
        if up + down < 1e-12:
            continue
        share = sum(channel.share for channel in channels if channel.side == "superstrate")
        assert share == pytest.approx(up / (up + down), rel=1e-3 / mode.q)


@pytest.mark.parametrize("case", ["off Γ", "no symmetry, off Γ"])
def test_channels_point_along_the_bloch_wavevector(case: str) -> None:
    _, modes = solved(case)
    for mode in modes:
        for channel in radiation(mode.resonance):
            index = 1.0 if channel.side == "superstrate" else 1.46
            sine = np.hypot(*OFF_GAMMA) / (mode.resonance.k0.real * index)
            assert np.sin(np.radians(channel.angle_deg)) == pytest.approx(
                sine, rel=1e-7
            )  # Newton's last step in k0
            assert channel.azimuth_deg == pytest.approx(np.degrees(np.arctan2(OFF_GAMMA[1], OFF_GAMMA[0])))
            assert np.hypot(np.hypot(*channel.stokes[:2]), channel.stokes[2]) == pytest.approx(1.0)


def test_without_contrast_it_is_the_mode_of_the_slab() -> None:
    """A guided TE wave of the uniform stack, folded to Γ: E across G, and the slab's own profile along z."""
    stack = numeric(SQUARE, CIRCLE, inside=2.0 - 1e-7, k=0.0)
    found = resonances(stack, Poles(waves=37), window_nm=(580.0, 700.0))
    mode = next(m for m in found.modes if m.symmetry == "A2")  # of the four waves at |G| = 2π/Λ
    k0 = mode.resonance.k0
    z = np.array([300.0, 265.0, 240.0, 200.0, 130.0, 60.0, 20.0, -30.0, -80.0])
    field = at(mode.resonance, z, x=90.0, y=0.0)
    plain = resolve_stack(
        design_from_dict({"name": "slab", "family": "stack", "layers": _bare()}).to_stack(), window_nm=WINDOW
    )  # fmt: skip
    slab = multilayer.field_profile(
        plain, k0, u=2.0 * np.pi / 360.0 / k0, polarization="TE", sheets=("closed", "closed"), z_nm=z
    )
    profile = field.e[1].ravel() / field.e[1].ravel()[4]
    assert np.abs(profile - slab.tangential_e / slab.tangential_e[4]).max() < 1e-5
    assert np.abs(field.e[2]).max() < 1e-5 * np.abs(field.e).max()


def _bare() -> list[dict[str, Any]]:
    rows = [(1.0, None), (1.85, 60.0), (2.0, 170.0), (1.7, 40.0), (1.46, None)]
    return [{"material": {"n": n}} | ({"thickness_nm": d} if d else {}) for n, d in rows]


def test_stokes_parameters_have_the_stated_signs() -> None:
    assert stokes(0.0, 1.0).tolist() == [1.0, 0.0, 0.0]
    assert stokes(1.0, 0.0).tolist() == [-1.0, 0.0, 0.0]
    assert stokes(1.0, 1.0).tolist() == [0.0, 1.0, 0.0]
    # E ∝ Re[(1, i) exp(-iωt)] = (cos ωt, sin ωt): counter-clockwise from above
    assert stokes(1.0j, 1.0).tolist() == [0.0, 0.0, 1.0]
    assert stokes(0.0, 0.0).tolist() == [0.0, 0.0, 0.0]


def test_shapes_follow_z_and_then_the_points() -> None:
    _, modes = solved("square")
    field = mode_fields(modes[0].resonance, z_nm=np.zeros(3), x_nm=np.zeros((4, 1)), y_nm=np.zeros(5))
    assert field.e.shape == field.h.shape == (3, 3, 4, 5)
    assert field.e2.shape == field.h2.shape == (3, 4, 5)
    assert mode_fields(modes[0].resonance, z_nm=1.0).e.shape == (3,)
