"""Nanopillar arrays: pillars on a substrate (or a spacer), coated with a film of quantum shells.

::

    film (planarising or conformal, see :mod:`cavitydesign.geometry.coating`)
    ──┤pillar├──────┤pillar├──
    spacer (optional)
    substrate
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from cavitydesign.geometry.base import Length, Value
from cavitydesign.geometry.coating import Coat, Relief
from cavitydesign.geometry.complaint import RuleBroken
from cavitydesign.geometry.design import Design
from cavitydesign.geometry.lattice import PlanarLattice
from cavitydesign.geometry.material import AIR, MaterialRef
from cavitydesign.geometry.pattern import Circle, Pattern
from cavitydesign.geometry.stack import Layer, Slab, between, slab_layers


class Pillar(Value):
    """A round pillar in the middle of each cell."""

    height_nm: Length
    diameter_nm: Length
    material: MaterialRef


class NanopillarArray(Design):
    """A nanopillar array; see the drawing above."""

    family: Literal["nanopillar_array"] = "nanopillar_array"
    lattice: PlanarLattice  # type: ignore[assignment]  # required here, none in the base
    pillar: Pillar
    film: Coat
    spacer: Slab | None = None
    substrate: Annotated[MaterialRef, Field(description="the wafer; it may absorb")]
    superstrate: MaterialRef = AIR

    written_name: ClassVar[str] = "pillars"

    def written(self) -> tuple[Pattern, ...]:
        """The pillars alone: the coat of a conformal film is deposited, not written."""
        return (Circle(radius_nm=0.5 * self.pillar.diameter_nm),)

    def build_layers(self) -> tuple[Layer, ...]:
        """Superstrate, film and pillar by height, spacer, substrate."""
        period = self.lattice.nearest_nm
        if self.pillar.diameter_nm > period:
            rule = f"a pillar must not be wider than its cell, {period:g} nm"
            raise RuleBroken(rule, key="pillar.diameter_nm", value=self.pillar.diameter_nm)
        relief = Relief(
            name="pillars",
            shape=lambda width: Circle(radius_nm=0.5 * width),
            width_nm=self.pillar.diameter_nm,
            height_nm=self.pillar.height_nm,
            material=self.pillar.material,
            outside=self.superstrate,
            apart_nm=period,
        )
        layers = relief.coated(self.film) + slab_layers(self.spacer, "spacer")
        return between(self.superstrate, layers, self.substrate)
