"""Nanopillar arrays: pillars on a substrate (or a spacer), coated with a film of quantum shells.

::

    planarising film            conformal film

    ~~~~~~~~~~~~~~~~~~           ┌~~~~┐    ┌~~~~┐
    film  ┌──┐  film             ~┌──┐~    ~┌──┐~   side walls, tops and floor
          │  │                 ~~~│  │~~~~~~│  │~~~ carry ``film.thickness_nm``
    ──────┴──┴──────           ───┴──┴──────┴──┴───
    spacer (optional)            spacer (optional)
    substrate                    substrate
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from cavitydesign.geometry.base import Length, Value
from cavitydesign.geometry.complaint import RuleBroken
from cavitydesign.geometry.design import Design
from cavitydesign.geometry.lattice import PlanarLattice
from cavitydesign.geometry.material import AIR, MaterialRef
from cavitydesign.geometry.pattern import Circle, Pattern
from cavitydesign.geometry.stack import FLUSH_NM, Inclusion, Layer, Slab

class Pillar(Value):
    """A round pillar in the middle of each cell."""

    height_nm: Length
    diameter_nm: Length
    material: MaterialRef


class PillarFilm(Value):
    """The gain film, ``thickness_nm`` thick.

    ``planarising``: a flat top, ``thickness_nm`` above the pillars' foot. ``conformal``: that thick on every face.
    """

    thickness_nm: Length
    material: MaterialRef
    coating: Literal["planarising", "conformal"] = "planarising"


class NanopillarArray(Design):
    """A nanopillar array; see the drawing above."""

    family: Literal["nanopillar_array"] = "nanopillar_array"
    lattice: PlanarLattice  # type: ignore[assignment]  # required here, none in the base
    pillar: Pillar
    film: PillarFilm
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
        build = self._planarising if self.film.coating == "planarising" else self._conformal
        below = [Layer(name="spacer", **dict(self.spacer))] if self.spacer else []
        ends = (
            Layer(name="superstrate", material=self.superstrate),
            Layer(name="substrate", material=self.substrate),
        )
        return (ends[0], *build(), *below, ends[1])

    def _pillar_in(self, name: str, height: float, *, film: bool) -> Layer:
        core = Inclusion(
            pattern=Circle(radius_nm=0.5 * self.pillar.diameter_nm), material=self.pillar.material
        )
        around = self.film.material if film else self.superstrate
        return Layer(name=name, material=around, thickness_nm=height, gain=film, inclusions=(core,))

    def _planarising(self) -> list[Layer]:
        height, film = self.pillar.height_nm, self.film.thickness_nm
        layers = []
        if abs(film - height) <= FLUSH_NM:
            film = height
        if film > height:
            layers.append(
                Layer(name="film", material=self.film.material, thickness_nm=film - height, gain=True)
            )
        if film < height:
            layers.append(self._pillar_in("bare pillars", height - film, film=False))
        return [*layers, self._pillar_in("pillars in film", min(film, height), film=True)]

    def _conformal(self) -> list[Layer]:
        height, coat, radius = self.pillar.height_nm, self.film.thickness_nm, 0.5 * self.pillar.diameter_nm
        period = self.lattice.nearest_nm
        if 2.0 * (radius + coat) > period:
            rule = f"the coats of pillars {period:g} nm apart merge; use coating = planarising, or a thinner film"
            raise RuleBroken(rule, key="film.thickness_nm", value=coat)
        if coat >= height - FLUSH_NM:
            rule = f"a conformal film is thinner than the pillar is high, {height:g} nm; use coating = planarising"
            raise RuleBroken(rule, key="film.thickness_nm", value=coat)
        coated = Inclusion(pattern=Circle(radius_nm=radius + coat), material=self.film.material, gain=True)
        core = Inclusion(pattern=Circle(radius_nm=radius), material=self.pillar.material)
        outside = self.superstrate
        return [
            Layer(name="caps", material=outside, thickness_nm=coat, inclusions=(coated,)),
            Layer(
                name="coated pillars", material=outside, thickness_nm=height - coat, inclusions=(coated, core)
            ),
            self._pillar_in("floor film", coat, film=True),
        ]
