"""Lattices: how a unit cell is repeated. One class for each kind, told apart by ``kind``.

::

    none          line              square        rectangular     hexagonal          oblique
                  ▌   ▌   ▌   ▌     ·  ·  ·       ·    ·    ·      ·  ·  ·  ·        a2 ⟋  at ``angle_deg``
    uniform       ▌   ▌   ▌   ▌     ·  ·  ·       ·    ·    ·       ·  ·  ·          · ⟋    from a1
    layers        ▌   ▌   ▌   ▌     ·  ·  ·       ·    ·    ·      ·  ·  ·  ·        ·───── a1, along x

Each has two vectors, so that code which looks at a cell needs no second case: along y a line lattice's cell is 1 nm
long (areas are per nm of line), and a stack without lattice has a cell of 1 nm x 1 nm in which nothing happens.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BeforeValidator, Field

from cavitydesign.geometry.base import Length, Value
from cavitydesign.kinds import Array

ALONG_NM = 1.0
"""Length of a cell in a direction in which nothing varies, nm."""


class Lattice(Value):
    """Base of the lattices.

    Attributes:
        dimensions: in how many directions the pattern repeats.
        rotations: the highest order of a rotation that such a lattice may have; its divisors may be there too.
        guided_waves: how many guided waves of one order share a wavelength where the pattern vanishes.
    """

    dimensions: ClassVar[int] = 2
    rotations: ClassVar[int] = 2
    guided_waves: ClassVar[int] = 2

    kind: Any  # each kind narrows it to its own name

    @property
    def periods_nm(self) -> tuple[float, float]:
        """Lengths of the two lattice vectors in nm, to the last bit as given."""
        lengths = [getattr(self, name) for name in self._length_names()]
        return lengths[0], lengths[-1]

    @property
    def _direction(self) -> tuple[float, float]:
        """Of a2: cosine and sine of its angle from a1."""
        return 0.0, 1.0

    @property
    def vectors_nm(self) -> Array:
        """Lattice vectors a1 (along x) and a2 as rows, nm; along what does not vary 1 nm."""
        (first, second), (cosine, sine) = self.periods_nm, self._direction
        return np.array([[first, 0.0], [second * cosine, second * sine]])

    @property
    def reciprocal_per_nm(self) -> Array:
        """Reciprocal vectors b1, b2 as rows, 1/nm, with a_i · b_j = 2π δ_ij."""
        return 2.0 * math.pi * np.linalg.inv(self.vectors_nm).T

    @property
    def cell_area_nm2(self) -> float:
        """Area of the unit cell."""
        (ax, ay), (bx, by) = self.vectors_nm
        return float(ax * by - ay * bx)

    @property
    def nearest_nm(self) -> float:
        """Distance of a lattice point from the nearest other one: no disc in a cell may be wider."""
        return min(self.periods_nm[: self.dimensions], default=ALONG_NM)

    @property
    def bragg_periods_nm(self) -> tuple[float, ...]:
        """Distances between neighbouring rows, from which guided waves are reflected; each different one once."""
        sine = self._direction[1]
        return tuple(dict.fromkeys(period * sine for period in self.periods_nm[: self.dimensions]))

    @classmethod
    def _length_names(cls) -> list[str]:
        return [name for name in cls.model_fields if name.startswith("period")]

    def at_period(self, period_nm: float) -> dict[str, float]:
        """The lengths that this lattice takes, by name, when a1 is ``period_nm`` long; the cell keeps its shape."""
        first, _ = self.periods_nm
        return {name: period_nm * (getattr(self, name) / first) for name in self._length_names()}


class NoLattice(Lattice):
    """No pattern: every layer is uniform."""

    dimensions: ClassVar[int] = 0
    rotations: ClassVar[int] = 4
    guided_waves: ClassVar[int] = 0

    kind: Literal["none"] = "none"

    @property
    def periods_nm(self) -> tuple[float, float]:
        """Those of a cell of 1 nm x 1 nm, in which nothing varies."""
        return ALONG_NM, ALONG_NM


class LineLattice(Lattice):
    """Lines along y, repeated along x with ``period_nm``."""

    dimensions: ClassVar[int] = 1

    kind: Literal["line"] = "line"
    period_nm: Length

    @property
    def periods_nm(self) -> tuple[float, float]:
        """The period, and 1 nm along the lines."""
        return self.period_nm, ALONG_NM


class SquareLattice(Lattice):
    """A square cell with sides of ``period_nm``."""

    rotations: ClassVar[int] = 4
    guided_waves: ClassVar[int] = 4

    kind: Literal["square"] = "square"
    period_nm: Length


class RectangularLattice(Lattice):
    """A rectangular cell of ``period_x_nm`` by ``period_y_nm``."""

    kind: Literal["rectangular"] = "rectangular"
    period_x_nm: Length
    period_y_nm: Length


class HexagonalLattice(Lattice):
    """Points at the same distance ``period_nm`` from six neighbours."""

    rotations: ClassVar[int] = 6
    guided_waves: ClassVar[int] = 6

    kind: Literal["hexagonal"] = "hexagonal"
    period_nm: Length

    @property
    def _direction(self) -> tuple[float, float]:
        """At 60°; rows are √3/2 of the period apart."""
        return 0.5, 0.5 * math.sqrt(3.0)


class ObliqueLattice(Lattice):
    """A parallelogram: ``period_1_nm`` along x, and ``period_2_nm`` at ``angle_deg`` from it.

    A cell that happens to be square, rhombic or hexagonal has the symmetry, and gives the modes, of that lattice.
    """

    rotations: ClassVar[int] = 12  # 12 itself never holds, but its divisors are all that a lattice can have

    kind: Literal["oblique"] = "oblique"
    period_1_nm: Length
    period_2_nm: Length
    angle_deg: Annotated[float, Field(ge=20.0, le=160.0, strict=True)]

    @property
    def _direction(self) -> tuple[float, float]:
        angle = math.radians(self.angle_deg)
        return 0.0 if self.angle_deg == 90.0 else math.cos(angle), math.sin(angle)

    @property
    def nearest_nm(self) -> float:
        """Length of the shortest lattice vector, by the reduction of Lagrange and Gauss."""
        short, long = sorted(self.vectors_nm, key=lambda v: float(v @ v))
        while True:
            rest = long - round(float(short @ long) / float(short @ short)) * short
            if rest @ rest >= (1.0 - 1e-12) * (short @ short):
                return float(np.hypot(*short))
            short, long = rest, short


def _square_unless_said(content: Any) -> Any:
    return {"kind": "square", **content} if isinstance(content, Mapping) else content


_Planar = SquareLattice | RectangularLattice | HexagonalLattice | ObliqueLattice
_BY_KIND, _UNSAID = Field(discriminator="kind"), BeforeValidator(_square_unless_said)
AnyLattice = Annotated[NoLattice | LineLattice | _Planar, _BY_KIND, _UNSAID]
"""Any lattice; square where a file does not say its ``kind``."""
PlanarLattice = Annotated[_Planar, _BY_KIND, _UNSAID]
"""A lattice that repeats in two directions; square where a file does not say its ``kind``."""
