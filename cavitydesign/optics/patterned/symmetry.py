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

    @property
    def zeros(self) -> int:
        """How often each mode is a zero of its block's determinant: both partners of a mixed pair are in the block."""
        return 2 if self.mixed else 1


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
    """C_n, or with a mirror line through the centre at the angle ``axis`` (radians) C_nv.

    A: even, B: odd under the smallest rotation; 1: even, 2: odd under the first mirror. Without mirrors the complex
    pairs k, -k share a spectrum; they are kept together in one real class (``mixed``).
    """
    j = np.arange(n)
    operations = [_operation(2.0 * math.pi * i / n, 0.0, mirror=False) for i in range(n)]
    single = [("A", np.ones(n)), ("B", (-1.0) ** j)][: 2 if n % 2 == 0 else 1]
    orders = range(1, (n + 1) // 2)
    double = [("E" if len(orders) == 1 else f"E{k}", np.cos(2.0 * math.pi * k * j / n)) for k in orders]
    if axis is None:
        irreps = [Irrep(label, 1, row) for label, row in single]
        irreps += [Irrep(label, 2, turn, mixed=True) for label, turn in double]
        return Group(f"C{n}", tuple(operations), tuple(irreps))
    operations += [_operation(2.0 * math.pi * i / n, axis, mirror=True) for i in range(n)]
    tags = (("'", 1.0), ("''", -1.0)) if n == 1 else (("1", 1.0), ("2", -1.0))
    irreps = [
        Irrep(label + tag, 1, np.append(row, sign * row)) for label, row in single for tag, sign in tags
    ]
    irreps += [Irrep(label, 2, np.append(turn, turn)) for label, turn in double]
    return Group("Cs" if n == 1 else f"C{n}v", tuple(operations), tuple(irreps))
