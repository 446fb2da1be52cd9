"""Photonic-crystal surface-emitting lasers: a square-lattice grating in SiNx on SiOx, filled and covered by quantum shells.

::

      superstrate
    ~~~~~~~~~~~~~~~~~~~~   overlayer (gain)
    ████    ████    ████   grating: holes in SiNx, filled with ``infill`` (gain), down to ``etch_depth_nm``
    ████████████████████   what the etch left of the SiNx
      substrate (SiOx)
"""

from __future__ import annotations

import math
from typing import Literal, Self

from pydantic import model_validator

from cavitydesign.geometry.base import Fraction, Positive, Value
from cavitydesign.geometry.design import Design
from cavitydesign.geometry.material import AIR, MaterialRef
from cavitydesign.geometry.nanopillar import Slab
from cavitydesign.geometry.pattern import Circle, Rectangle
from cavitydesign.geometry.stack import Inclusion, Lattice, Layer

DutyCycleOf = Literal["solid_area", "hole_area", "solid_line", "hole_line"]


class Grating(Value):
    """The patterned slab. The hole's size is ``hole_nm`` (diameter or side), or follows from a duty cycle.

    ``duty_cycle_of`` says what the duty cycle is a fraction of: ``solid_area`` or ``hole_area`` of the unit cell's area,
    ``solid_line`` or ``hole_line`` of the period along x through the middle of a hole.
    """

    thickness_nm: Positive
    material: MaterialRef
    hole: Literal["circle", "square"] = "circle"
    hole_nm: Positive | None = None
    duty_cycle: Fraction | None = None
    duty_cycle_of: DutyCycleOf | None = None
    etch_depth_nm: Positive | None = None

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        if (self.hole_nm is None) == (self.duty_cycle is None):
            raise ValueError("give either hole_nm or duty_cycle (with duty_cycle_of)")
        if (self.duty_cycle is None) != (self.duty_cycle_of is None):
            raise ValueError("duty_cycle needs duty_cycle_of: solid_area, hole_area, solid_line or hole_line")
        if self.duty_cycle == 1.0:
            raise ValueError("duty_cycle must be below 1")
        if self.etch_depth_nm is not None and self.etch_depth_nm > self.thickness_nm:
            raise ValueError("etch_depth_nm must not exceed thickness_nm")
        return self

    def hole_size_nm(self, lattice: Lattice) -> float:
        """Diameter (circle) or side (square) of the hole in nm."""
        if self.hole_nm is not None:
            return self.hole_nm
        assert self.duty_cycle is not None and self.duty_cycle_of is not None  # noqa: S101 (validated above)
        hole = 1.0 - self.duty_cycle if self.duty_cycle_of.startswith("solid") else self.duty_cycle
        if self.duty_cycle_of.endswith("line"):
            return hole * lattice.periods_nm[0]
        area = hole * lattice.cell_area_nm2
        return 2.0 * math.sqrt(area / math.pi) if self.hole == "circle" else math.sqrt(area)


class Cover(Value):
    """The quantum-shell film on top of the grating."""

    thickness_nm: Positive
    material: MaterialRef


class Infill(Value):
    """What fills the holes; ``gain = false`` for holes left empty or filled with something passive."""

    material: MaterialRef
    gain: bool = True


class Pcsel(Design):
    """A second-order square-lattice PCSEL; see the drawing above."""

    family: Literal["pcsel"] = "pcsel"
    lattice: Lattice  # type: ignore[assignment]  # required here, optional in the base
    grating: Grating
    infill: Infill
    overlayer: Cover | None = None
    underlayer: Slab | None = None
    substrate: MaterialRef
    superstrate: MaterialRef = AIR

    def build_layers(self) -> tuple[Layer, ...]:
        """Superstrate, overlayer, grating, unetched rest, underlayer, substrate."""
        grating = self.grating
        size = grating.hole_size_nm(self.lattice)
        if size > min(self.lattice.periods_nm):
            raise ValueError(
                f"grating: a hole {size:.4g} nm wide does not fit the period of {min(self.lattice.periods_nm):g} nm; "
                "check duty_cycle and duty_cycle_of"
            )
        shape = Circle(radius_nm=0.5 * size) if grating.hole == "circle" else Rectangle(size_nm=(size, size))
        hole = Inclusion(pattern=shape, material=self.infill.material, gain=self.infill.gain)
        depth = grating.etch_depth_nm or grating.thickness_nm
        layers = [Layer(name="superstrate", material=self.superstrate)]
        if self.overlayer:
            layers.append(Layer(name="overlayer", gain=True, **dict(self.overlayer)))
        layers.append(Layer(name="grating", material=grating.material, thickness_nm=depth, inclusions=(hole,)))
        if depth < grating.thickness_nm:
            layers.append(Layer(name="unetched", material=grating.material, thickness_nm=grating.thickness_nm - depth))
        if self.underlayer:
            layers.append(Layer(name="underlayer", **dict(self.underlayer)))
        return (*layers, Layer(name="substrate", material=self.substrate))
