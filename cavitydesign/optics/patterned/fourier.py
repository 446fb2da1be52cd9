"""Fourier factorisation: the permittivity of a patterned layer as matrices in the plane-wave basis.

A product of two functions that both jump must not be expanded term by term (L. Li, J. Opt. Soc. Am. A 13, 1870
(1996)). Along an interface E is continuous and D = ε E is expanded by [[ε]] (Laurent's rule); across it D is
continuous and the inverse rule [[1/ε]]⁻¹ holds. With a field of unit normals n(r) both are had at once (T.
Schuster et al., J. Opt. Soc. Am. A 24, 2880 (2007)):

    D = ( [[ε]] - ½ (Δ P + P Δ) ) E,   Δ = [[ε]] - [[1/ε]]⁻¹,   P = [[n nᵀ]].

Only on the interfaces must P be n nᵀ; elsewhere it may be any smooth tensor. Here it is the average of the normals
of all interfaces, weighted by 1/distance⁴: exact on each interface, smooth everywhere else, and one formula for all
shapes, in any number. On the sides of a rectangle it is the rule of Li for rectangles.
E_z is tangential to every side wall: Laurent's rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from cavitydesign.geometry import rims
from cavitydesign.geometry.lattice import Lattice
from cavitydesign.geometry.pattern import Bar, Circle, Ellipse, Pattern, Rectangle
from cavitydesign.geometry.rims import Arc, Line
from cavitydesign.kinds import Array
from cavitydesign.optics.media.numeric import NumericInclusion, NumericLayer, NumericStack
from cavitydesign.optics.patterned.planewaves import Block, PlaneWaves, Vectors
from cavitydesign.optics.patterned.symmetry import Group, find_group

Shape = tuple[Any, ...]
_GRID = 64  # points a side for P; its error only slows convergence, never biases the limit


@dataclass(frozen=True, slots=True, eq=False)
class LayerMatrices:
    """The k0-independent matrices of one patterned layer in one symmetry block.

    Attributes:
        vector: for each inclusion its indicator χ acting on (L, T) fields, shape (inclusions, m, m).
        scalar: the same acting on E_z, shape (inclusions, s, s).
        normal: P = [[n nᵀ]], shape (m, m); None for the naive rule.
    """

    vector: Array
    scalar: Array
    normal: Array | None


def symmetry_group(stack: NumericStack, *, bloch: tuple[float, float]) -> Group:
    """The point group of a patterned stack about the origin of the cell, at one Bloch wavevector (1/nm)."""
    lattice = stack.lattice
    n = np.arange(-4, 5)
    orders = np.stack(np.meshgrid(n, n, indexing="ij"), axis=-1).reshape(-1, 2)
    g = orders @ lattice.reciprocal_per_nm
    k = np.array(bloch)

    def fourier(vectors: Array) -> list[dict[tuple[int, int], Array]]:
        found = []
        for layer in stack.layers:
            sums: dict[tuple[int, int], Array] = {}
            for item in layer.inclusions:
                key = (item.material, item.host)
                sums[key] = sums.get(key, 0.0) + item.pattern.fourier(vectors[:, 0], vectors[:, 1])
            found.append(sums)
        return found

    reference = fourier(g)

    def is_symmetric(matrix: Array) -> bool:
        steps = np.linalg.solve(
            lattice.reciprocal_per_nm.T, np.stack([*(g @ matrix.T), matrix @ k - k], axis=1)
        )
        if np.abs(steps - np.round(steps)).max() > 1e-9:
            return False
        turned = fourier(g @ matrix.T)
        tolerance = 1e-9 * lattice.cell_area_nm2
        pairs = zip(reference, turned, strict=True)
        return all(np.abs(a[key] - b[key]).max() < tolerance for a, b in pairs for key in a)

    axis = float(np.arctan2(k[1], k[0])) if k.any() else 0.0
    axes = (axis,) if k.any() else _mirror_lines(lattice)
    return find_group(is_symmetric, highest=lattice.rotations, axes=axes)


def _mirror_lines(lattice: Lattice) -> tuple[float, ...]:
    """Angles at which a cell may have a mirror line: those of common lattices, then those of its own vectors."""
    a1, a2 = lattice.vectors_nm
    own = [float(np.arctan2(v[1], v[0])) for v in (a2, a1 + a2, a2 - a1)]
    return (
        *(np.pi * np.array([0.0, 0.5, 0.25, 0.75, 1 / 3, 1 / 6, 2 / 3, 5 / 6])).tolist(),
        *(angle + turn for angle in own for turn in (0.0, 0.5 * np.pi) if lattice.kind == "oblique"),
    )


def centred(stack: NumericStack) -> NumericStack:
    """The stack with its origin moved to the inclusion's centre (or the origin) about which it is most symmetric."""
    centres = {item.pattern.center_nm for layer in stack.layers for item in layer.inclusions} | {(0.0, 0.0)}
    if len(centres) == 1:
        return stack
    candidates = [(0.0, 0.0), *sorted(centres - {(0.0, 0.0)})]
    moved = [stack, *(_moved(stack, centre) for centre in candidates[1:8])]
    return max(moved, key=lambda item: len(symmetry_group(item, bloch=(0.0, 0.0)).operations))


def _moved(stack: NumericStack, origin: tuple[float, float]) -> NumericStack:
    def moved(item: NumericInclusion) -> NumericInclusion:
        x, y = item.pattern.center_nm
        return replace(item, pattern=item.pattern.at((x - origin[0], y - origin[1])))

    layers = (replace(layer, inclusions=tuple(map(moved, layer.inclusions))) for layer in stack.layers)
    return replace(stack, layers=tuple(layers))


def layer_matrices(
    layer: NumericLayer,
    lattice: Lattice,
    waves: PlaneWaves,
    block: Block,
    *,
    factorisation: str = "normal",
    keep: bool = True,
) -> LayerMatrices:
    """Matrices of one layer in one block. ``factorisation``: ``"normal"`` (above) or ``"naive"`` (Laurent throughout).

    ``keep`` False: for a basis that will not be met again; nothing is left in the cache.
    """
    scale = 1.0 / lattice.periods_nm[0]
    shapes = tuple(_scaled(item.pattern, scale) for item in layer.inclusions)
    make = _layer_matrices if keep else _layer_matrices.__wrapped__
    return make(shapes, waves, block, factorisation)


@lru_cache(maxsize=512)
def _layer_matrices(
    shapes: tuple[Shape, ...], waves: PlaneWaves, block: Block, factorisation: str
) -> LayerMatrices:
    (ax, ay), (bx, by) = waves.cell
    area = abs(ax * by - ay * bx)
    differences, where = _differences(waves)
    g = differences @ (2.0 * np.pi * np.linalg.inv(np.array(waves.cell)).T)
    vector, scalar = [], []
    for shape in shapes:
        chi = (_fourier(shape, g[:, 0], g[:, 1]) / area)[where]
        chi = chi.real if np.abs(chi.imag).max() < 1e-14 else chi
        vector.append(_project(waves, block, chi, chi, None))
        scalar.append(block.scalars.T @ chi @ block.scalars)
    normal = None
    if factorisation == "normal":
        xx, xy, yy = (part[where] for part in _normal_field(shapes, waves.cell, differences))
        normal = _project(waves, block, xx, yy, xy)
        normal = normal.real if np.abs(normal.imag).max() < 1e-13 else normal
    return LayerMatrices(np.array(vector), np.array(scalar), normal)


def _scaled(pattern: Pattern, scale: float) -> Shape:
    """A pattern in units of the period, as a key: ("circle", x, y, r) or ("rim", pieces)."""
    if (radius := _radius_nm(pattern)) is not None:
        return ("circle", *(round(length * scale, 13) for length in (*pattern.center_nm, radius)))
    if isinstance(pattern, Bar):  # as long as the cell
        x, half = pattern.center_nm[0] * scale, 0.5 * pattern.width_nm * scale
        left, right = round(x - half, 13), round(x + half, 13)
        corners = ((left, -0.5), (right, -0.5), (right, 0.5), (left, 0.5))
        return ("rim", tuple(Line(*start, *end) for start, end in pairwise((*corners, corners[0]))))
    return ("rim", tuple(piece.scaled(scale) for piece in pattern.rim()))


def _radius_nm(pattern: Pattern) -> float | None:
    """That of the circle which a pattern is."""
    if isinstance(pattern, Circle):
        return pattern.radius_nm
    if isinstance(pattern, Ellipse):
        a, b = pattern.semi_axes_nm
        return a if a == b else None
    round_nm = pattern.corner_radius_nm if isinstance(pattern, Rectangle) else 0.0
    return round_nm if isinstance(pattern, Rectangle) and pattern.size_nm == (2.0 * round_nm,) * 2 else None


def _fourier(shape: Shape, gx: Array, gy: Array) -> Array:
    if shape[0] == "circle":
        return Circle(radius_nm=shape[3], center_nm=shape[1:3]).fourier(gx, gy)
    return rims.fourier(shape[1], gx, gy)


def _differences(waves: PlaneWaves) -> tuple[Array, Array]:
    """All different G - G' as integer orders, and for each pair of waves the row of its difference."""
    n1 = waves.orders[:, None, 0] - waves.orders[None, :, 0]
    n2 = waves.orders[:, None, 1] - waves.orders[None, :, 1]
    low1, low2, span = n1.min(), n2.min(), int(n2.max() - n2.min()) + 1
    code = (n1 - low1) * span + (n2 - low2)
    present = np.zeros(int(code.max()) + 1, dtype=bool)  # np.unique would import numpy.ma, 0.1 s
    present[code] = True
    codes, where = np.flatnonzero(present), (np.cumsum(present) - 1)[code]
    return np.stack([codes // span + low1, codes % span + low2], axis=1), where


def _project(waves: PlaneWaves, block: Block, xx: Array, yy: Array, xy: Array | None) -> Array:
    """A tensor multiplication (xx, xy; xy, yy) of shape (N, N) each, from Cartesian to the block's (L, T) columns."""
    l_part, t_part = block.l_part, block.t_part
    x = waves.along[:, :1] * l_part + waves.across[:, :1] * t_part
    y = waves.along[:, 1:] * l_part + waves.across[:, 1:] * t_part
    result = x.T @ (xx @ x) + y.T @ (yy @ y)
    return result if xy is None else result + x.T @ (xy @ y) + y.T @ (xy @ x)


def _normal_field(shapes: tuple[Shape, ...], cell: Vectors, orders: Array) -> tuple[Array, Array, Array]:
    """Fourier coefficients of P = n nᵀ, components (xx, xy, yy), at the given orders."""
    transform = _normal_transform(shapes, cell)
    a, b = orders[:, 0] % _GRID, orders[:, 1] % _GRID
    inside = (np.abs(orders) < _GRID // 2).all(axis=1)
    turn, skew = (np.where(inside, part[a, b], 0.0) for part in transform)
    half = 0.5 * (orders == 0).all(axis=1)
    return half + 0.5 * turn, 0.5 * skew, half - 0.5 * turn


@lru_cache(maxsize=64)
def _normal_transform(shapes: tuple[Shape, ...], cell: Vectors) -> tuple[Array, Array]:
    """FFT of (cos 2φ, sin 2φ) of the averaged normal direction φ on a grid over the cell."""
    a1, a2 = np.array(cell)
    fractions = np.arange(_GRID) / _GRID
    points = fractions[:, None, None] * a1 + fractions[None, :, None] * a2
    total = np.zeros(points.shape[:2], dtype=complex)
    weight = np.full(points.shape[:2], 1e-300)  # not 0: a shape that fills the cell has no interface at all
    for shift in (i * a1 + j * a2 for i in (-1, 0, 1, 2) for j in (-1, 0, 1, 2)):
        for shape in shapes:
            for normal, distance in _interfaces(shape, points - shift, cell):
                w = 1.0 / (distance**4 + 1e-12)
                total += w * normal
                weight += w
    field = total / weight
    size = _GRID * _GRID
    return np.fft.fft2(field.real) / size, np.fft.fft2(field.imag) / size


def _interfaces(shape: Shape, points: Array, cell: Vectors) -> list[tuple[Array, Array]]:
    """For each interface of a shape: ``exp(2iφ)`` of its normal seen from each point, and the distance to it."""
    if shape[0] == "circle":
        rel = points - np.array(shape[1:3])
        z = rel[..., 0] + 1j * rel[..., 1]
        x2 = np.abs(z) ** 2 / shape[3] ** 2
        # z²/|z|² has a vortex at the centre; times 2x²/(1+x⁴), which is 1 and flat on the rim, it is smooth there
        return [(2.0 * (z / shape[3]) ** 2 / (1.0 + x2**2), np.abs(np.abs(z) - shape[3]))]
    lines = np.array([piece for piece in shape[1] if isinstance(piece, Line)]).reshape(-1, 4)
    return [
        _beside_arc(piece, points) if isinstance(piece, Arc) else _beside_line(piece, points)
        for piece in shape[1]
        if isinstance(piece, Arc) or not _is_seam(piece, lines, cell)
    ]


def _beside_arc(piece: Arc, points: Array) -> tuple[Array, Array]:
    """Both are those of its level lines ``ρ² = s² + t²``, r = c + s u + t v: exact on the arc and for circles.

    Beyond its ends an arc counts less the shorter it is, so that sharp corners are the limit of round ones.
    """
    u, v = np.array(piece[2:4]), np.array(piece[4:6])
    rel = points - np.array(piece[:2])
    s, t = np.moveaxis(rel @ np.linalg.inv(np.stack([u, v])), -1, 0)
    rho2 = s**2 + t**2
    slope = (s * u[0] / (u @ u) + t * v[0] / (v @ v)) + 1j * (s * u[1] / (u @ u) + t * v[1] / (v @ v))
    steep = np.maximum(np.abs(slope), 1e-300)
    normal = (slope / steep) ** 2 * 2.0 * rho2 / (1.0 + rho2**2)
    distance = np.abs(np.sqrt(rho2) - 1.0) * np.sqrt(rho2) / steep
    middle, half = 0.5 * (piece.start + piece.stop), 0.5 * abs(piece.stop - piece.start)
    beyond = np.abs(np.angle(np.exp(1j * (np.arctan2(t, s) - middle)))) - half
    if half < np.pi - 1e-9:
        ends = np.stack(
            [np.hypot(*np.moveaxis(points - end, -1, 0)) for end in piece.at(np.array([0.0, 1.0]))]
        )
        length = 2.0 * half * np.sqrt(np.hypot(*u) * np.hypot(*v))
        distance = np.where(beyond > 0.0, ends.min(axis=0), distance)
        distance = distance * np.sqrt(1.0 + distance / length)
    return normal, distance


def _beside_line(piece: Line, points: Array) -> tuple[Array, Array]:
    start, edge = np.array(piece[:2]), np.array(piece[2:]) - np.array(piece[:2])
    length = float(np.hypot(*edge))
    rel = points - start
    along = np.clip((rel @ edge) / length**2, 0.0, 1.0)
    distance = np.hypot(*np.moveaxis(rel - along[..., None] * edge, -1, 0))
    return np.full(distance.shape, (complex(edge[1], -edge[0]) / length) ** 2), distance


def _is_seam(piece: Line, lines: Array, cell: Vectors) -> bool:
    """Whether an edge lies upon one of the shape's copy next door: a bar that runs through has no ends."""
    steps = (lines[:, [2, 3, 0, 1]] - np.array(piece)) @ np.kron(np.eye(2), np.linalg.inv(np.array(cell)))
    same = np.abs(steps[:, :2] - steps[:, 2:]).max(axis=1) < 1e-9
    return bool((same & (np.abs(steps - np.round(steps)).max(axis=1) < 1e-9)).any())


Pairs = Sequence[tuple[Any, Any]]


def permittivity(matrices: LayerMatrices, base: Array, pairs: Pairs) -> tuple[Array, Array]:
    """[ε] of the in-plane field, shape (..., m, m), and [[ε]] of E_z, shape (..., s, s).

    ``base`` is the background's permittivity, ``pairs`` those (inside, displaced) of each inclusion; all of one shape.
    """
    m, s = matrices.vector.shape[-1], matrices.scalar.shape[-1]
    base = np.asarray(base)[..., None, None]
    laurent, scalar, inverse = base * np.eye(m), base * np.eye(s), (1.0 / base) * np.eye(m)
    for (inside, displaced), chi_v, chi_s in zip(pairs, matrices.vector, matrices.scalar, strict=True):
        inner, outer = np.asarray(inside)[..., None, None], np.asarray(displaced)[..., None, None]
        laurent = laurent + (inner - outer) * chi_v
        inverse = inverse + (1.0 / inner - 1.0 / outer) * chi_v
        scalar = scalar + (inner - outer) * chi_s
    if matrices.normal is None:
        return laurent, scalar
    delta = laurent - np.linalg.inv(inverse)
    return laurent - 0.5 * (delta @ matrices.normal + matrices.normal @ delta), scalar


@lru_cache(maxsize=256)
def static_permittivity(
    matrices: LayerMatrices, base: complex, pairs: tuple[tuple[complex, complex], ...]
) -> tuple[Array, Array]:
    """[ε] and [[ε]]⁻¹ of a layer whose materials have one value: in a sweep of period or thickness computed once."""
    inner, scalar = permittivity(matrices, np.asarray(base), pairs)
    return inner, np.linalg.inv(scalar)


def permittivity_slope(
    matrices: LayerMatrices, base: complex, pairs: Pairs, d_base: complex, d_pairs: Pairs
) -> tuple[Array, Array]:
    """Derivatives of both matrices of :func:`permittivity` as the permittivities move by ``d_base``, ``d_pairs``."""
    return _static_slope(
        matrices,
        (complex(base), *(complex(x) for pair in pairs for x in pair)),
        (complex(d_base), *(complex(x) for pair in d_pairs for x in pair)),
    )


@lru_cache(maxsize=256)
def _static_slope(
    matrices: LayerMatrices, values: tuple[complex, ...], rates: tuple[complex, ...]
) -> tuple[Array, Array]:
    m, s = matrices.vector.shape[-1], matrices.scalar.shape[-1]
    base, rate = values[0], rates[0]
    inverse, d_inverse = np.eye(m) / base, np.eye(m) * (-rate / base**2)
    d_laurent, d_scalar = rate * np.eye(m), rate * np.eye(s)
    for number, (chi_v, chi_s) in enumerate(zip(matrices.vector, matrices.scalar, strict=True)):
        inner, outer = values[1 + 2 * number], values[2 + 2 * number]
        d_inner, d_outer = rates[1 + 2 * number], rates[2 + 2 * number]
        inverse = inverse + (1.0 / inner - 1.0 / outer) * chi_v
        d_inverse = d_inverse - (d_inner / inner**2 - d_outer / outer**2) * chi_v
        d_laurent = d_laurent + (d_inner - d_outer) * chi_v
        d_scalar = d_scalar + (d_inner - d_outer) * chi_s
    if matrices.normal is None:
        return d_laurent, d_scalar
    proper = np.linalg.inv(inverse)
    delta = d_laurent + proper @ d_inverse @ proper
    return d_laurent - 0.5 * (delta @ matrices.normal + matrices.normal @ delta), d_scalar
