"""Point groups of the unit cell: which operations leave it (and the Bloch wavevector) alone, and their irreps.

The operations are the 2 × 2 orthogonal matrices of the group C_nv about a centre: rotations by 2πj/n and, where
there are mirrors, those rotations times the mirror y → -y. An irrep is given here by the function ``d11(g)``:
for a one-dimensional irrep its character, for a two-dimensional one the upper left element of its matrix, so that

    P = (d / |G|) Σ_g d11(g) g

projects any representation onto the first partner of that irrep (Tinkham, Group Theory and Quantum Mechanics,
eq. 3-32). The second partner has the same spectrum and is never computed: that is what ``degeneracy = 2`` means.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from cavitydesign.kinds import Array


@dataclass(frozen=True, slots=True)
class Operation:
    """A rotation by ``2π turn / order``, after the mirror y → -y if ``mirror``; then turned by the axis' angle."""

    matrix: Array
    mirror: bool


@dataclass(frozen=True, slots=True, eq=False)
class Irrep:
    """A symmetry class: label, degeneracy, and d11 for each operation of the group.

    ``mixed`` marks the classes of rotation groups without mirrors in which both partners of a pair are kept together.
    """

    label: str
    degeneracy: int
    d11: Array
    mixed: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """A point group with its irreps; ``name`` is the Schoenflies symbol. Made once each, so compared by identity."""

    name: str
    operations: tuple[Operation, ...]
    irreps: tuple[Irrep, ...]


def _operation(angle: float, axis: float, *, mirror: bool) -> Operation:
    """Rotation by ``angle``, after the mirror at the line through the centre along ``axis``."""
    turned = angle + (2.0 * axis if mirror else 0.0)
    c, s = math.cos(turned), math.sin(turned)
    c, s = (round(c), round(s)) if abs(c * s) < 1e-12 else (c, s)  # exact for the square and the rectangle
    return Operation(np.array([[c, s], [s, -c]] if mirror else [[c, -s], [s, c]], dtype=float), mirror)


def find_group(
    is_symmetric: Callable[[Array], bool], *, highest: int, axes: tuple[float, ...] = (0.0,)
) -> Group:
    """The largest group C_n or C_nv (n dividing ``highest``) whose operations all pass ``is_symmetric(matrix)``.

    ``axes`` are the angles of the mirror lines to try when there is no rotation besides the identity.
    """
    for n in (n for n in range(highest, 0, -1) if highest % n == 0):
        bare = point_group(n)
        if not all(is_symmetric(op.matrix) for op in bare.operations[1:]):
            continue
        for axis in axes:
            mirrored = point_group(n, axis)
            if all(is_symmetric(op.matrix) for op in mirrored.operations[n:]):
                return mirrored
        return bare
    raise AssertionError("the identity always passes")


@lru_cache(maxsize=128)
def point_group(n: int, axis: float | None = None) -> Group:
    """C_n, or with a mirror line through the centre at the angle ``axis`` (radians) C_nv."""
    rotations = [_operation(2.0 * math.pi * j / n, 0.0, mirror=False) for j in range(n)]
    if axis is None:
        return _rotation_group(n, rotations)
    return _mirrored_group(
        n, rotations, [_operation(2.0 * math.pi * j / n, axis, mirror=True) for j in range(n)]
    )


def _mirrored_group(n: int, rotations: list[Operation], mirrors: list[Operation]) -> Group:
    """C_nv. A: even, B: odd under the smallest rotation; 1: even, 2: odd under the first mirror."""
    j = np.arange(n)
    alternating = (-1.0) ** j
    one_dimensional = [("1", np.ones(n), 1.0), ("2", np.ones(n), -1.0)]
    irreps = [Irrep(f"A{tag}", 1, np.concatenate([row, sign * row])) for tag, row, sign in one_dimensional]
    if n == 1:
        names = ("A'", "A''")
        irreps = [Irrep(name, 1, irrep.d11) for name, irrep in zip(names, irreps, strict=True)]
    elif n % 2 == 0:
        irreps += [Irrep("B1", 1, np.concatenate([alternating, alternating]))]
        irreps += [Irrep("B2", 1, np.concatenate([alternating, -alternating]))]
    pairs = range(1, (n + 1) // 2)
    for k in pairs:
        turn = np.cos(2.0 * math.pi * k * j / n)
        label = "E" if len(pairs) == 1 else f"E{k}"
        irreps.append(Irrep(label, 2, np.concatenate([turn, turn])))
    return Group("Cs" if n == 1 else f"C{n}v", (*rotations, *mirrors), tuple(irreps))


def _rotation_group(n: int, rotations: list[Operation]) -> Group:
    """C_n. The complex pairs k, -k share a spectrum; they are kept together in one real class (``mixed``)."""
    j = np.arange(n)
    irreps = [Irrep("A", 1, np.ones(n))]
    if n % 2 == 0:
        irreps.append(Irrep("B", 1, (-1.0) ** j))
    pairs = range(1, (n + 1) // 2)
    for k in pairs:
        label = "E" if len(pairs) == 1 else f"E{k}"
        irreps.append(Irrep(label, 2, np.cos(2.0 * math.pi * k * j / n), mixed=True))
    return Group(f"C{n}", tuple(rotations), tuple(irreps))
