"""E and H of a resonance anywhere in and around its stack, normalised, and what it radiates into open channels.

A resonance is known by its in-plane fields F = (E_x, E_y), h = (H_y, -H_x) on plane waves exp(i(k + G)·r), in
each layer a sum of modes running to and fro (:mod:`cavitydesign.optics.patterned.admittance`). The components along z
follow from Maxwell's equations,

    E_z = -[[ε]]⁻¹ K h_L,   H_z = K F_T,   K = |k + G| / k0,

and in the half-spaces each plane wave goes on as exp(i k_z |z - z_face|): outgoing waves of a decaying mode
grow outwards.

Normalisation. A leaky mode's energy integral diverges; its bilinear form does not (P. T. Leung, S. Y. Liu and
K. Young, Phys. Rev. A 49, 3057 (1994); C. Sauvan et al., Phys. Rev. Lett. 110, 237401 (2013); P.
Lalanne et al., Laser Photonics Rev. 12, 1700113 (2018)). Here, H being in the units of E (times 377 Ω),

    ∫∫∫ [ E·∂(k0 ε)/∂k0 E - H·H ] dx dy dz = 1   over one cell and all z,

where the half-spaces count as ``∫₀^∞ exp(2i k_z z) dz = i / 2k_z``, which is what a perfectly matched layer
makes of it. It is ``i A v_lᵀ (dM/dk0) v`` of the cell of area A. Away from k = 0 one factor E (and H) is that
of the mode at -k. E is then in nm^-3/2, and ``1 / (2 ε E_u²)`` is the mode volume per cell of a dipole along
u (Sauvan et al.), complex.

A field is a sum of as many plane waves as its resonance: E across a jump in ε rings as any Fourier series
does (Gibbs).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from cavitydesign.errors import InputError
from cavitydesign.kinds import Array
from cavitydesign.optics.patterned.fields import LayerField
from cavitydesign.optics.patterned.fourier import permittivity
from cavitydesign.optics.patterned.planewaves import PlaneWaves
from cavitydesign.optics.patterned.resonance import Resonance, polish

Partner = Literal[1, 2]
Side = Literal["superstrate", "substrate"]


@dataclass(frozen=True, slots=True)
class ModeField:
    """Cartesian fields of a normalised resonance: ``e``, ``h`` of shape (3, *z.shape, *r.shape), r that of x and y.

    E in nm^-3/2, H in the units of E. z points from the substrate to the superstrate and is 0 on the substrate.
    """

    e: Array
    h: Array

    @property
    def e2(self) -> Array:
        """|E|²."""
        return np.sum(np.abs(self.e) ** 2, axis=0)

    @property
    def h2(self) -> Array:
        """|H|²."""
        return np.sum(np.abs(self.h) ** 2, axis=0)


def mode_fields(
    resonance: Resonance,
    *,
    z_nm: Array | float,
    x_nm: Array | float = 0.0,
    y_nm: Array | float = 0.0,
    partner: Partner = 1,
) -> ModeField:
    """Fields of a resonance at all heights ``z_nm`` and all points (``x_nm``, ``y_nm``), which broadcast together.

    A plane: one z and two grids x, y. A section: many z, and x, y along its line. On an interface itself the layer
    above it (for z = 0: the first layer) is taken; E_z jumps there. x and y are measured from the centre about
    which the cell is most symmetric (:func:`cavitydesign.optics.patterned.fourier.centred`): for one inclusion per cell
    its middle.

    Args:
        partner: of a degenerate pair, the mode itself or its partner, made from it by the smallest rotation of
            the cell.
        z_nm: may be complex in the half-spaces, for integrals along a path on which outgoing waves decay.
    """
    z = np.asarray(z_nm)
    x, y = np.broadcast_arrays(np.asarray(x_nm, dtype=float), np.asarray(y_nm, dtype=float))
    mode = settled(resonance)
    waves, period = mode.problem.waves, _period(mode)
    coefficients = of_partner(mode, wave_components(mode, z.ravel()), partner) / np.sqrt(norm_of(mode) + 0j)
    wavevectors = waves.vectors / period
    phase = np.exp(1j * (wavevectors[:, :1] * x.ravel() + wavevectors[:, 1:] * y.ravel()))
    values = (coefficients @ phase).reshape(6, *z.shape, *x.shape)
    return ModeField(values[:3], values[3:])


def norm_of(resonance: Resonance) -> complex:
    """``∫∫∫ [E·∂(k0 ε)/∂k0 E - H·H]`` of a resonance as its vectors stand, nm³ times the square of their unit."""
    problem = resonance.problem
    waves, scale = problem.waves, 1.0
    if not waves.vectors[waves.specular].any():
        # the mode at -k is the mode itself; its vector there is the left one up to a factor
        mirrored = _opposite(resonance, resonance.right)
        scale = complex(mirrored.conj() @ resonance.left) / float(np.linalg.norm(mirrored) ** 2)
    return 1j * resonance.norm * problem.stack.lattice.cell_area_nm2 / scale


# -- radiation -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Channel:
    """One open diffraction order of a resonance.

    Attributes:
        side, order: half-space, and (n1, n2) of G = n1 b1 + n2 b2.
        angle_deg, azimuth_deg: direction of the wave, polar angle from the normal of its side, azimuth of k + G
            from x.
        te, tm: complex amplitude of E on the stack's outer face, of the normalised mode: TE along ẑ × k∥, TM
            with its in-plane part along k∥. Straight up and down TM is x and TE is y.
        share: of all the power that the mode radiates, both sides.
        stokes: (s1, s2, s3) over s0: ``|tm|² - |te|²``, ``2 Re tm* te``, ``2 Im tm* te``. s3 > 0: E turns
            counter-clockwise as seen from above the stack, whichever way the wave goes.
    """

    side: Side
    order: tuple[int, int]
    angle_deg: float
    azimuth_deg: float
    te: complex
    tm: complex
    share: float
    stokes: tuple[float, float, float]


def radiation(resonance: Resonance, *, partner: Partner = 1) -> tuple[Channel, ...]:
    """What a resonance sends into each open channel, up and down; strongest first. Empty where it cannot radiate.

    Directions and powers are those at the real part of k0. Into an absorbing substrate: the power that enters it.
    """
    mode = settled(resonance)
    stack, waves = mode.problem.stack, mode.problem.waves
    ends = wave_components(mode, np.array([stack.thickness_nm, 0.0]))
    faces = of_partner(mode, ends, partner) / np.sqrt(norm_of(mode) + 0j)
    k0, lengths = mode.k0.real, waves.lengths / _period(mode)
    found: list[tuple[float, Channel]] = []
    sides: tuple[tuple[int, Side, Array], ...] = (
        (stack.superstrate, "superstrate", faces[:2, 0]),
        (stack.substrate, "substrate", faces[:2, 1]),
    )
    for number, side, face in sides:
        eps = complex(stack.eps(np.asarray(k0 + 0j))[number])
        z = eps * k0 * k0 - lengths**2
        f_l = (waves.along.T * face).sum(axis=0)
        f_t = (waves.across.T * face).sum(axis=0)
        for wave in np.flatnonzero(z.real > 0.0):
            kz = np.sqrt(z[wave])
            te, tm = complex(f_t[wave]), complex(f_l[wave] * np.sqrt(eps) * k0 / kz)
            power = float((eps * k0 / kz).real * abs(f_l[wave]) ** 2 + (kz / k0).real * abs(f_t[wave]) ** 2)
            x, y = waves.along[wave]
            angle = math.degrees(math.atan2(lengths[wave], kz.real))
            order = (int(waves.orders[wave, 0]), int(waves.orders[wave, 1]))
            azimuth = math.degrees(math.atan2(y, x))
            s1, s2, s3 = stokes(te, tm).tolist()
            found.append((power, Channel(side, order, angle, azimuth, te, tm, 0.0, (s1, s2, s3))))
    total = sum(power for power, _ in found)
    ranked = sorted(found, key=lambda item: -item[0])
    return tuple(replace(channel, share=power / total if total > 0.0 else 0.0) for power, channel in ranked)


def stokes(te: Any, tm: Any) -> Array:
    """Normalised Stokes parameters of waves, shape (3, ...); see :class:`Channel`. Zeros for no wave."""
    s0 = np.abs(te) ** 2 + np.abs(tm) ** 2
    mixed = 2.0 * np.conj(tm) * te
    found = np.array([np.abs(tm) ** 2 - np.abs(te) ** 2, np.real(mixed), np.imag(mixed)])
    return found / np.where(s0 > 0.0, s0, 1.0)


# -- coefficients ----------------------------------------------------------------------------------------------------


def settled(resonance: Resonance) -> Resonance:
    """The resonance with vectors and fields at its final k0 (those that it carries are one Newton step behind)."""
    return polish(resonance.problem, resonance.k0, accept=1e-9) or resonance


def _period(resonance: Resonance) -> float:
    return resonance.problem.stack.lattice.periods_nm[0]


def wave_components(mode: Resonance, z: Array) -> Array:
    """(E_x, E_y, E_z, H_x, H_y, H_z) of each plane wave at the heights z: shape (6, nz, N)."""
    problem = mode.problem
    stack, block, waves = problem.stack, problem.block, problem.waves
    thickness = stack.thickness_nm
    eps = stack.eps(np.asarray(mode.k0))
    result = np.empty((6, len(z), len(waves)), dtype=complex)
    edges = np.concatenate([[0.0], np.cumsum([layer.thickness_nm for layer in stack.layers])])
    depth = thickness - z.real
    slack = 1e-9 * thickness
    above, below = depth < -slack, depth > thickness + slack
    inside = np.clip(np.searchsorted(edges, depth - slack, side="left") - 1, 0, len(stack.layers) - 1)
    for layer in mode.right_field.layers:
        at = (inside == layer.index) & ~above & ~below
        if at.any():
            f, h = _in_layer(layer, depth[at] - edges[layer.index])
            result[:, at] = _components(mode, f, h, _e_z(mode, layer.index, h, eps))
    for at, number, face, sign, is_open in (
        (above, stack.superstrate, mode.right_field.top, 1.0, mode.sheets.up),
        (below, stack.substrate, mode.right_field.bottom, -1.0, mode.sheets.down),
    ):
        if at.any():
            distance = z[at] - thickness if sign > 0.0 else -z[at]
            kz = problem.kz(np.asarray(eps[number]), np.asarray(mode.k0), is_open)
            f = face * np.exp(1j * kz * distance[:, None])
            h = sign * problem.half_space(np.asarray(eps[number]), np.asarray(mode.k0), is_open) * f
            ez = -((problem.length * h) @ block.l_part.T) / (eps[number] * mode.k0)
            result[:, at] = _components(mode, f, h, ez)
    return result


def _in_layer(layer: LayerField, depth: Array) -> tuple[Array, Array]:
    """F and h (z up) in the block's columns at depths below the layer's upper face, shape (nz, m)."""
    d = layer.thickness_nm
    s = depth if layer.sign > 0.0 else d - depth
    near = np.exp(1j * layer.q * s[:, None]) * layer.a
    far = np.exp(1j * layer.q * (d - s)[:, None]) * layer.b
    return (near + far) @ layer.w.T, -layer.sign * (near - far) @ layer.v.T


def _e_z(mode: Resonance, index: int, h: Array, eps: Array) -> Array:
    """E_z of each plane wave in a layer, shape (nz, N)."""
    problem = mode.problem
    layer, matrices, block = problem.stack.layers[index], problem.matrices[index], problem.block
    if matrices is None:
        return -((problem.length * h) @ block.l_part.T) / (eps[layer.material] * mode.k0)
    source = np.zeros((len(h), block.scalars.shape[1]), dtype=complex)
    source[:, block.l_scalar] = problem.length[block.l_column] * h[:, block.l_column]
    _, scalar = permittivity(matrices, *layer.permittivities(eps))
    return -np.linalg.solve(scalar, source.T).T @ block.scalars.T / mode.k0


def _components(mode: Resonance, f: Array, h: Array, e_z: Array) -> Array:
    block, waves = mode.problem.block, mode.problem.waves
    e, turned = (
        values @ block.l_part.T * waves.along.T[:, None] + values @ block.t_part.T * waves.across.T[:, None]
        for values in (f, h)
    )
    h_z = waves.lengths / _period(mode) / mode.k0 * (f @ block.t_part.T)
    return np.array([e[0], e[1], e_z, -turned[1], turned[0], h_z])  # h = (H_y, -H_x)


def _opposite(mode: Resonance, vector: Array) -> Array:
    """A vector of the block with the wave at G moved to -G: what a field at -k looks like in the left basis."""
    block, waves = mode.problem.block, mode.problem.waves
    image = _image(waves, -np.eye(2))
    flip = np.where(waves.lengths > 0.0, -1.0, 1.0)  # along and across change sign with G
    l, t = (part @ vector * flip for part in (block.l_part, block.t_part))
    return block.l_part.T @ l[image] + block.t_part.T @ t[image]


def _image(waves: PlaneWaves, matrix: Array) -> Array:
    """For each wave the number of the one that ``matrix`` takes it to."""
    gap = np.abs(waves.vectors[None, :, :] - (waves.vectors @ matrix.T)[:, None, :]).max(axis=2)
    image = gap.argmin(axis=1)
    if gap[np.arange(len(image)), image].max() > 1e-6 * waves.lengths.max(initial=1.0):
        raise InputError("the plane waves are not symmetric under the operation", key="partner")
    return image


def of_partner(mode: Resonance, coefficients: Array, partner: int) -> Array:
    """The coefficients themselves, or the second partner's: ``(R E - cos α E) / sin α``, R the smallest rotation."""
    if partner == 1:
        return coefficients
    irrep = mode.problem.block.irrep
    if irrep.degeneracy != 2 or partner != 2:
        raise InputError(
            f"must be 1, or 2 for a degenerate pair; this mode is {irrep.label}", key="partner", value=partner
        )
    rotations = len(irrep.d11) if irrep.mixed else len(irrep.d11) // 2
    angle = 2.0 * math.pi / rotations
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    rotated = np.empty_like(coefficients)
    image = _image(mode.problem.waves, turn)
    for first in (0, 3):
        rotated[first : first + 2, :, image] = np.tensordot(turn, coefficients[first : first + 2], axes=1)
        rotated[first + 2, :, image] = coefficients[first + 2].T
    cosine = float(irrep.d11[1])
    return (rotated - cosine * coefficients) / math.sqrt(1.0 - cosine**2)
