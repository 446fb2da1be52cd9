"""Nanopillar arrays: pillars on a substrate (or a spacer), coated with a film of quantum shells.

::

    film (planarising or conformal, see :mod:`cavitydesign.geometry.coating`)
    ──┤pillar├──────┤pillar├──
    spacer (optional); of the pillars' material it is what their etch left
    substrate
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from cavitydesign.geometry.base import LATER, Length
from cavitydesign.geometry.coating import Coat, Relief
from cavitydesign.geometry.complaint import RuleBroken
from cavitydesign.geometry.design import Design
from cavitydesign.geometry.lattice import PlanarLattice
from cavitydesign.geometry.material import AIR, MaterialRef
from cavitydesign.geometry.pattern import Circle, Pattern, PlanarPattern
from cavitydesign.geometry.stack import Layer, Slab, between, check_patterns, slab_layers
from cavitydesign.geometry.walls import Etched, Walled


class Pillar(Walled):
    """A pillar in each cell: round, ``diameter_nm`` wide at its top, or of any ``cross_section`` there."""

    height_nm: Length
    diameter_nm: Length | None = None
    cross_section: Annotated[PlanarPattern | None, LATER] = None
    material: MaterialRef

    @model_validator(mode="after")
    def _one_shape(self) -> Self:
        if self.diameter_nm is None and self.cross_section is None:
            raise RuleBroken("this key is required and is missing (or cross_section)", key="diameter_nm")
        if self.diameter_nm is not None and self.cross_section is not None:
            rule = "give diameter_nm or cross_section, not both"
            raise RuleBroken(rule, key="diameter_nm", value=self.diameter_nm)
        return self

    @property
    def top(self) -> Pattern:
        """Its shape at the top."""
        if self.cross_section is not None:
            return self.cross_section
        assert self.diameter_nm is not None  # validated above
        return Circle(radius_nm=0.5 * self.diameter_nm)


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

    @property
    def _etched(self) -> Etched:
        pillar = self.pillar
        return Etched((pillar.top,), pillar.height_nm, pillar, "pillar", self.written_name, self.lattice)

    def written(self) -> tuple[Pattern, ...]:
        """The pillars alone, as they are at their top: the coat of a conformal film is deposited, not written."""
        return self._etched.shapes

    def told_of_written(self) -> Mapping[str, float]:
        """The lean of the walls."""
        return self._etched.told

    def build_layers(self) -> tuple[Layer, ...]:
        """Superstrate, film and pillar by height, spacer, substrate."""
        period, width = self.lattice.nearest_nm, self.pillar.diameter_nm
        if width is not None and width > period:
            rule = f"a pillar must not be wider than its cell, {period:g} nm"
            raise RuleBroken(rule, key="pillar.diameter_nm", value=width)
        etched = self._etched
        if width is None:
            _check_cross_section(etched)
        etched.check()
        relief = Relief(etched, self.pillar.material, self.superstrate)
        layers = relief.coated(self.film) + slab_layers(self.spacer, "spacer")
        return between(self.superstrate, layers, self.substrate)


def _check_cross_section(etched: Etched) -> None:
    try:
        check_patterns(etched.shapes, etched.lattice, "", etched.name)
    except RuleBroken as broken:
        key = broken.key.removeprefix(".0.")
        raise RuleBroken(broken.rule, key=f"pillar.cross_section.{key}", value=broken.value) from None
