"""The plane-wave basis of a unit cell, split into its symmetry classes.

In-plane fields are expanded in plane waves ``exp(i(k + G)·r)``; each carries a component L along k + G (TM in a
uniform layer) and a component T across it (TE). In this basis uniform layers are diagonal. A symmetry operation
permutes the waves, keeps L and flips T when it is a mirror; projecting with the irreps gives blocks that the
Maxwell operator cannot mix: for a square cell with a circle, five blocks of about an eighth (A1, A2, B1, B2) and
a quarter (E) of the size.

Lengths are in units of the period, so that one basis serves a whole sweep of periods and is made once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from cavitydesign.geometry.lattice import Lattice
from cavitydesign.kinds import Array
from cavitydesign.optics.patterned.symmetry import Group, Irrep, Operation

Vectors = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True, slots=True, eq=False)
class PlaneWaves:
    """Plane waves of a cell, sorted by |k + G| and whole orbits of the group only.

    Attributes:
        orders: integer (n1, n2) of each G = n1 b1 + n2 b2, shape (N, 2).
        cell: the lattice vectors, in units of the first one's length.
        vectors: (k + G) a, shape (N, 2).
        lengths: |k + G| a, shape (N,); exactly 0 for normal incidence.
        along: unit vectors L, shape (N, 2); x for the wave at k + G = 0.
    """

    cell: Vectors
    orders: Array
    vectors: Array
    lengths: Array
    along: Array

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def specular(self) -> int:
        """The wave of G = 0."""
        return int(np.flatnonzero((self.orders == 0).all(axis=1))[0])

    @property
    def across(self) -> Array:
        """Unit vectors T = ẑ × L, shape (N, 2)."""
        return np.stack([-self.along[:, 1], self.along[:, 0]], axis=1)


def plane_waves(lattice: Lattice, *, bloch: tuple[float, float], count: int) -> PlaneWaves:
    """About ``count`` plane waves of smallest |k + G|, in whole shells of equal length; ``bloch`` k in 1/nm."""
    kx, ky = np.round(np.array(bloch) * lattice.periods_nm[0], 12) + 0.0
    return _waves(_cell(lattice), (kx, ky), count, lattice.dimensions)


def _cell(lattice: Lattice) -> Vectors:
    """Lattice vectors in units of the first one's length; lines are as long as they are apart."""
    if lattice.dimensions == 1:
        return (1.0, 0.0), (0.0, 1.0)
    (ax, ay), (bx, by) = np.round(lattice.vectors_nm / lattice.periods_nm[0], 13) + 0.0
    return (ax, ay), (bx, by)


@lru_cache(maxsize=64)
def _waves(cell: Vectors, bloch: tuple[float, float], count: int, dimensions: int) -> PlaneWaves:
    b1, b2 = _reciprocal(cell)
    shortest = min(np.hypot(*b1), np.hypot(*b2))
    area = abs(b1[0] * b2[1] - b1[1] * b2[0])
    if dimensions == 1:  # nothing varies along y
        reach = max(count, 1) // 2 + math.ceil(math.hypot(*bloch) / shortest) + 2
        orders = np.stack([np.arange(-reach, reach + 1), np.zeros(2 * reach + 1, dtype=int)], axis=1)
    else:
        reach = math.ceil(2.5 * math.sqrt(max(count, 1) * area / math.pi) / shortest) + 2
        n = np.arange(-reach, reach + 1)
        orders = np.stack(np.meshgrid(n, n, indexing="ij"), axis=-1).reshape(-1, 2)
    vectors = orders @ np.array([b1, b2]) + np.array(bloch)
    lengths = np.hypot(vectors[:, 0], vectors[:, 1])
    shell = np.round(lengths / shortest, 9)
    ranked = np.sort(shell)
    edge = ranked[min(count, len(ranked)) - 1]
    chosen = np.flatnonzero(shell <= edge)
    chosen = chosen[np.lexsort((orders[chosen, 1], orders[chosen, 0], shell[chosen]))]
    return _with_units(cell, orders[chosen], vectors[chosen], zero=0.5e-9 * shortest)


def moved_to(waves: PlaneWaves, bloch: tuple[float, float], *, period_nm: float) -> PlaneWaves:
    """The same orders G at another Bloch wavevector (1/nm): along a path in k, spectra and fields then never jump."""
    return _with_units(
        waves.cell, waves.orders, waves.orders @ _reciprocal(waves.cell) + np.array(bloch) * period_nm
    )


def on_lattice(waves: PlaneWaves, old: Lattice, new: Lattice) -> PlaneWaves:
    """The same orders and Bloch wavevector (1/nm) on a lattice of other periods; itself where nothing changes."""
    ratio = new.periods_nm[0] / old.periods_nm[0]
    cell = _cell(new)
    bloch = waves.vectors[0] - waves.orders[0] @ _reciprocal(waves.cell)
    bloch = np.where(np.abs(bloch) < 1e-12, 0.0, bloch)
    if cell == waves.cell and (ratio == 1.0 or not bloch.any()):
        return waves
    return _with_units(cell, waves.orders, waves.orders @ _reciprocal(cell) + bloch * ratio)


def _reciprocal(cell: Vectors) -> Array:
    return 2.0 * math.pi * np.linalg.inv(np.array(cell)).T


def _with_units(cell: Vectors, orders: Array, vectors: Array, *, zero: float = 1e-12) -> PlaneWaves:
    """Waves with their lengths and directions; a wave shorter than ``zero`` is at normal incidence."""
    lengths = np.hypot(vectors[:, 0], vectors[:, 1])
    lengths = np.where(lengths < zero, 0.0, lengths)
    safe = np.where(lengths > 0.0, lengths, 1.0)
    along = np.where((lengths > 0.0)[:, None], vectors / safe[:, None], np.array([1.0, 0.0]))
    return PlaneWaves(cell, orders, vectors, lengths, along)


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One symmetry class of the basis: m orthonormal columns over the 2N components, s over the N scalars.

    Attributes:
        irrep: label and degeneracy.
        l_part, t_part: real, shape (N, m): each column's L and T components.
        scalars: real, shape (N, s): the scalar functions (E_z) of the class.
        waves: for each column one wave that it contains, shape (m,): all its waves have one length.
        l_column: columns that are purely L with k + G ≠ 0; they alone couple to E_z.
        l_scalar: for each of these, its column among ``scalars``.
    """

    irrep: Irrep
    l_part: Array
    t_part: Array
    scalars: Array
    waves: Array
    l_column: Array
    l_scalar: Array

    @property
    def size(self) -> int:
        """Number of columns m."""
        return self.l_part.shape[1]

    @property
    def t_column(self) -> Array:
        """Mask of the columns that are TE-like in a uniform layer (and all of those at normal incidence)."""
        mask = np.ones(self.size, dtype=bool)
        mask[self.l_column] = False
        return mask


def blocks(waves: PlaneWaves, group: Group, *, keep: bool = True) -> tuple[Block, ...]:
    """Split the basis by the irreps of the group; empty classes are left out. ``keep`` False: nothing is cached."""
    return _blocks(waves, group) if keep else _blocks.__wrapped__(waves, group)


@lru_cache(maxsize=64)
def _blocks(waves: PlaneWaves, group: Group) -> tuple[Block, ...]:
    images = [_permutation(waves, op) for op in group.operations]
    orbits = _orbits(images, len(waves))
    found = (_block(waves, group, irrep, images, orbits) for irrep in group.irreps)
    return tuple(block for block in found if block.size)


def _permutation(waves: PlaneWaves, op: Operation) -> Array:
    """For each wave the number of the wave that the operation takes it to."""
    turned = waves.vectors @ op.matrix.T
    scale = waves.lengths.max() or 1.0
    key = {tuple(item): i for i, item in enumerate(np.round(waves.vectors / scale, 7) + 0.0)}
    return np.array([key[tuple(item)] for item in np.round(turned / scale, 7) + 0.0])


def _orbits(images: list[Array], count: int) -> list[Array]:
    seen = np.zeros(count, dtype=bool)
    orbits = []
    for first in range(count):
        if not seen[first]:
            # in the order of the operations: orbits of one kind then look alike, and are projected once
            orbit = np.array(list(dict.fromkeys(int(image[first]) for image in images)))
            seen[orbit] = True
            orbits.append(orbit)
    return orbits


def _block(waves: PlaneWaves, group: Group, irrep: Irrep, images: list[Array], orbits: list[Array]) -> Block:
    count, signs = len(waves), np.array([-1.0 if op.mirror else 1.0 for op in group.operations])
    table = np.array(images)
    memo: dict[bytes, tuple[Array, Array]] = {}
    columns: list[tuple[Array, Array]] = []  # L and T
    scalars, wave_of, l_column, l_scalar = [], [], [], []
    zero = np.zeros(count)
    for orbit in orbits:
        even, odd = _projected(irrep, table, signs, orbit, memo)
        scalar = list(_spread(even, orbit, count).T)
        first = int(orbit[0])
        if waves.lengths[first] == 0.0:
            unit = np.eye(1, count, first)[0]
            new = [(unit * l, unit * t) for l, t in _projected_vectors(irrep, group).T]
        else:
            l_column += range(len(columns), len(columns) + len(scalar))
            l_scalar += range(len(scalars), len(scalars) + len(scalar))
            new = [(column, zero) for column in scalar]
            new += [(zero, column) for column in _spread(odd, orbit, count).T]
        columns += new
        wave_of += [first] * len(new)
        scalars += scalar
    parts = np.array(columns).reshape(-1, 2, count)
    return Block(
        irrep=irrep,
        l_part=np.ascontiguousarray(parts[:, 0]).T,
        t_part=np.ascontiguousarray(parts[:, 1]).T,
        scalars=np.array(scalars).reshape(-1, count).T,
        waves=np.array(wave_of, dtype=int),
        l_column=np.array(l_column, dtype=int),
        l_scalar=np.array(l_scalar, dtype=int),
    )


def _projected(
    irrep: Irrep, table: Array, signs: Array, orbit: Array, memo: dict[bytes, tuple[Array, Array]]
) -> tuple[Array, Array]:
    """Orthonormal columns that span the irrep's first partner among the functions on one orbit, shape (orbit, c).

    The first are for functions that keep their sign under mirrors (L, E_z), the second for those that flip it (T).
    """
    place = np.zeros(table.shape[1], dtype=int)
    place[orbit] = np.arange(len(orbit))
    local = place[table[:, orbit]]
    key = local.tobytes()
    if key not in memo:
        moves = np.zeros((len(table), len(orbit), len(orbit)))
        np.put_along_axis(moves, local[:, None, :], 1.0, axis=1)
        share = irrep.degeneracy / len(table)
        even, odd = (
            np.tensordot(weights * share, moves, axes=1) for weights in (irrep.d11, irrep.d11 * signs)
        )
        memo[key] = (_range(even), _range(odd))
    return memo[key]


def _spread(columns: Array, orbit: Array, count: int) -> Array:
    full = np.zeros((count, columns.shape[1]))
    full[orbit] = columns
    return full


def _projected_vectors(irrep: Irrep, group: Group) -> Array:
    """The same for the two components of the wave at normal incidence, shape (2, c)."""
    ops = group.operations
    projector = sum(d11 * op.matrix for op, d11 in zip(ops, irrep.d11, strict=True)) * (
        irrep.degeneracy / len(ops)
    )
    return _range(np.asarray(projector))


def _range(projector: Array) -> Array:
    """Orthonormal real basis of a projector's range, from its eigenvalues near 1."""
    values, vectors = np.linalg.eigh(0.5 * (projector + projector.T))
    columns = vectors[:, values > 0.5]
    signs = np.sign(columns[np.argmax(np.abs(columns) > 1e-6, axis=0), np.arange(columns.shape[1])])
    return columns * np.where(signs == 0.0, 1.0, signs)
