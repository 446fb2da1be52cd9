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
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self, get_args

from pydantic import model_validator

from cavitydesign.geometry.base import LATER, Flag, Fraction, Length, NonNegative, Value
from cavitydesign.geometry.complaint import RuleBroken
from cavitydesign.geometry.design import Design
from cavitydesign.geometry.lattice import Lattice, PlanarLattice
from cavitydesign.geometry.material import AIR, MaterialRef
from cavitydesign.geometry.pattern import Circle, Pattern, PlanarPattern, Rectangle
from cavitydesign.geometry.stack import (
    FLUSH_NM,
    Inclusion,
    Layer,
    Slab,
    between,
    check_patterns,
    etched_nm,
    slab_layers,
)
from cavitydesign.geometry.walls import Etched, Walled

DutyCycleOf = Literal["solid_area", "hole_area", "solid_line", "hole_line"]


class Grating(Walled):
    """The patterned slab: one hole in the middle of each cell, or several ``holes``, each with shape, size and place.

    The one hole's size is ``hole_nm`` (diameter or side), or follows from a duty cycle. ``duty_cycle_of`` says what
    that is a fraction of: ``solid_area`` or ``hole_area`` of the unit cell, ``solid_line`` or ``hole_line`` of the
    period along x through the middle of a hole. ``corner_radius_nm`` is for a square one. Where walls lean
    (``sidewall_deg``), sizes are those at the top.
    """

    thickness_nm: Length
    material: MaterialRef
    hole: Literal["circle", "square"] = "circle"
    hole_nm: Length | None = None
    corner_radius_nm: Annotated[NonNegative, LATER] = 0.0
    holes: Annotated[tuple[PlanarPattern, ...], LATER] = ()
    duty_cycle: Fraction | None = None
    duty_cycle_of: DutyCycleOf | None = None
    etch_depth_nm: Length | None = None

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        if self.holes:
            self._check_alone()
        elif self.hole_nm is None and self.duty_cycle is None:
            rule = "this key is required and is missing (or hole_nm, or holes)"
            raise RuleBroken(rule, key="duty_cycle")
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
        if self.corner_radius_nm and self.hole != "square":
            raise RuleBroken("is for hole = square", key="corner_radius_nm", value=self.corner_radius_nm)
        etched_nm(self.thickness_nm, self.etch_depth_nm)
        return self

    def _check_alone(self) -> None:
        for name in ("hole", "hole_nm", "corner_radius_nm", "duty_cycle"):
            if name in self.model_fields_set and (value := getattr(self, name)):
                rule = "is for one hole in the middle of the cell; each of holes says its own shape, size and place"
                raise RuleBroken(rule, key=name, value=value)

    def hole_size_nm(self, lattice: Lattice) -> float:
        """Diameter (circle) or side (square) of the one hole in nm."""
        if self.hole_nm is not None:
            return self.hole_nm
        assert self.duty_cycle is not None  # validated above
        assert self.duty_cycle_of is not None
        hole = 1.0 - self.duty_cycle if self.duty_cycle_of.startswith("solid") else self.duty_cycle
        if self.duty_cycle_of.endswith("line"):
            return hole * lattice.periods_nm[0]
        area = hole * lattice.cell_area_nm2
        if self.hole == "circle":
            return 2.0 * math.sqrt(area / math.pi)
        return math.sqrt(area + (4.0 - math.pi) * self.corner_radius_nm**2)

    def shapes(self, lattice: Lattice) -> tuple[Pattern, ...]:
        """The holes of one cell, at the top. Raises RuleBroken where they do not fit it."""
        if self.holes:
            check_patterns(self.holes, lattice, "grating.holes", "holes")
            return self.holes
        size, period = self.hole_size_nm(lattice), lattice.nearest_nm
        if size > period:
            key = "hole_nm" if self.hole_nm is not None else "duty_cycle"
            rule = f"the hole, {size:.4g} nm wide, must not be wider than its cell, {period:g} nm"
            rule += "" if key == "hole_nm" else "; check duty_cycle_of"
            raise RuleBroken(rule, key=f"grating.{key}", value=getattr(self, key))
        if self.hole == "circle":
            return (Circle(radius_nm=0.5 * size),)
        if self.corner_radius_nm > 0.5 * size * (1.0 + 1e-12):
            rule = f"must not exceed half the hole, {0.5 * size:.6g}"
            raise RuleBroken(rule, key="grating.corner_radius_nm", value=self.corner_radius_nm)
        return (Rectangle(size_nm=(size, size), corner_radius_nm=self.corner_radius_nm),)


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

    @property
    def _etched(self) -> Etched:
        grating, lattice = self.grating, self.lattice
        depth = etched_nm(grating.thickness_nm, grating.etch_depth_nm)
        shapes = grating.shapes(lattice)
        return Etched(shapes, depth, grating, "grating", self.written_name, lattice, holes=True)

    def written(self) -> tuple[Pattern, ...]:
        """The holes, as they are at their top."""
        return self._etched.shapes

    def told_of_written(self) -> Mapping[str, float]:
        """The lean of the walls."""
        return self._etched.told

    def build_layers(self) -> tuple[Layer, ...]:
        """Superstrate, overlayer, grating, unetched rest, underlayer, substrate."""
        grating, infill, etched = self.grating, self.infill, self._etched
        etched.check()
        layers = slab_layers(self.overlayer, "overlayer", gain=True)
        for thick, depth in etched.steps(0.0, etched.height_nm):
            holes = tuple(
                Inclusion(pattern=shape, material=infill.material, gain=infill.gain)
                for shape in etched.at(depth)
            )
            layers.append(
                Layer(name="grating", material=grating.material, thickness_nm=thick, inclusions=holes)
            )
        left = grating.thickness_nm - etched.height_nm
        if left > FLUSH_NM:
            layers.append(Layer(name="unetched", material=grating.material, thickness_nm=left))
        return between(self.superstrate, layers + slab_layers(self.underlayer, "underlayer"), self.substrate)
