"""Photonic-crystal surface-emitting lasers: a grating of holes in SiNx on SiOx, filled and covered by quantum shells.

::

      superstrate
    ~~~~~~~~~~~~~~~~~~~~   overlayer (gain)
    ████    ████    ████   grating: holes in SiNx, filled with ``infill`` (gain), down to ``etch_depth_nm``
    ████████████████████   what the etch left of the SiNx
      substrate (SiOx)
"""

from __future__ import annotations

import math
from typing import ClassVar, Literal, Self, get_args

from pydantic import model_validator

from cavitydesign.geometry.base import Flag, Fraction, Length, Value
from cavitydesign.geometry.complaint import RuleBroken
from cavitydesign.geometry.design import Design
from cavitydesign.geometry.lattice import Lattice, PlanarLattice
from cavitydesign.geometry.material import AIR, MaterialRef
from cavitydesign.geometry.pattern import Circle, Rectangle
from cavitydesign.geometry.stack import FLUSH_NM, Inclusion, Layer, Slab, between, etched_nm, slab_layers

DutyCycleOf = Literal["solid_area", "hole_area", "solid_line", "hole_line"]


class Grating(Value):
    """The patterned slab. The hole's size is ``hole_nm`` (diameter or side), or follows from a duty cycle.

    ``duty_cycle_of`` says what the duty cycle is a fraction of: ``solid_area`` or ``hole_area`` of the unit cell,
    ``solid_line`` or ``hole_line`` of the period along x through the middle of a hole.
    """

    thickness_nm: Length
    material: MaterialRef
    hole: Literal["circle", "square"] = "circle"
    hole_nm: Length | None = None
    duty_cycle: Fraction | None = None
    duty_cycle_of: DutyCycleOf | None = None
    etch_depth_nm: Length | None = None

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        if self.hole_nm is None and self.duty_cycle is None:
            raise RuleBroken("this key is required and is missing (or hole_nm)", key="duty_cycle")
        if self.hole_nm is not None and self.duty_cycle is not None:
            raise RuleBroken("give hole_nm or duty_cycle, not both", key="hole_nm", value=self.hole_nm)
        if self.duty_cycle is not None and self.duty_cycle_of is None:
            rule = f"this key is required with duty_cycle and is missing: one of {', '.join(get_args(DutyCycleOf))}"
            raise RuleBroken(rule, key="duty_cycle_of")
        if self.duty_cycle is None and self.duty_cycle_of is not None:
            rule = "is for duty_cycle, which is missing"
            raise RuleBroken(rule, key="duty_cycle_of", value=self.duty_cycle_of)
        if self.duty_cycle == 1.0:
            raise RuleBroken("must be < 1", key="duty_cycle", value=self.duty_cycle)
        etched_nm(self.thickness_nm, self.etch_depth_nm)
        return self

    def hole_size_nm(self, lattice: Lattice) -> float:
        """Diameter (circle) or side (square) of the hole in nm."""
        if self.hole_nm is not None:
            return self.hole_nm
        assert self.duty_cycle is not None  # validated above
        assert self.duty_cycle_of is not None
        hole = 1.0 - self.duty_cycle if self.duty_cycle_of.startswith("solid") else self.duty_cycle
        if self.duty_cycle_of.endswith("line"):
            return hole * lattice.periods_nm[0]
        area = hole * lattice.cell_area_nm2
        return 2.0 * math.sqrt(area / math.pi) if self.hole == "circle" else math.sqrt(area)


class Infill(Value):
    """What fills the holes; ``gain = false`` for holes left empty or filled with something passive."""

    material: MaterialRef
    gain: Flag = True


class Pcsel(Design):
    """A second-order PCSEL; see the drawing above."""

    family: Literal["pcsel"] = "pcsel"
    lattice: PlanarLattice  # type: ignore[assignment]  # required here, none in the base
    grating: Grating
    infill: Infill
    overlayer: Slab | None = None
    underlayer: Slab | None = None
    substrate: MaterialRef
    superstrate: MaterialRef = AIR

    written_name: ClassVar[str] = "holes"

    def build_layers(self) -> tuple[Layer, ...]:
        """Superstrate, overlayer, grating, unetched rest, underlayer, substrate."""
        grating = self.grating
        size = grating.hole_size_nm(self.lattice)
        period = self.lattice.nearest_nm
        if size > period:
            key = "hole_nm" if grating.hole_nm is not None else "duty_cycle"
            rule = f"the hole, {size:.4g} nm wide, must not be wider than its cell, {period:g} nm"
            rule += "" if key == "hole_nm" else "; check duty_cycle_of"
            raise RuleBroken(rule, key=f"grating.{key}", value=getattr(grating, key))
        shape = Circle(radius_nm=0.5 * size) if grating.hole == "circle" else Rectangle(size_nm=(size, size))
        hole = Inclusion(pattern=shape, material=self.infill.material, gain=self.infill.gain)
        etched = etched_nm(grating.thickness_nm, grating.etch_depth_nm)
        left = grating.thickness_nm - etched
        patterned = Layer(name="grating", material=grating.material, thickness_nm=etched, inclusions=(hole,))
        layers = [*slab_layers(self.overlayer, "overlayer", gain=True), patterned]
        if left > FLUSH_NM:
            layers.append(Layer(name="unetched", material=grating.material, thickness_nm=left))
        return between(self.superstrate, layers + slab_layers(self.underlayer, "underlayer"), self.substrate)
