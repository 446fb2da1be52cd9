"""Two-mirror cavities: a film of quantum shells and a spacer between two mirrors.

::

      superstrate (pump and emission side)
    ═════════════════  front mirror    N pairs H L, and a closing H
      spacer (PMMA)                    the film may lie on either mirror
    ~~~~~~~~~~~~~~~~~  film (gain)
    ═════════════════  back mirror
      substrate
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cavitydesign.geometry.base import Flag, Length, Value
from cavitydesign.geometry.complaint import RuleBroken
from cavitydesign.geometry.design import Design
from cavitydesign.geometry.lattice import NoLattice
from cavitydesign.geometry.material import AIR, MaterialRef
from cavitydesign.geometry.stack import Layer, Slab, between, slab_layers


class Mirror(Value):
    """Quarter-wave pairs ``(HL)^pairs H`` at ``design_wavelength_nm``, or ``layers`` from the outside to the cavity.

    ``closed`` adds the last H. The order is the same seen from either side when it is there.
    """

    design_wavelength_nm: Length | None = None
    pairs: Annotated[int, Field(ge=1, le=200, strict=True)] | None = None
    high: MaterialRef | None = None
    low: MaterialRef | None = None
    closed: Flag = True
    layers: tuple[Slab, ...] = ()

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        for name in ("design_wavelength_nm", "pairs", "high", "low"):
            value = getattr(self, name)
            if self.layers and value is not None:
                rule = "is for a quarter-wave mirror; this one is given by its layers"
                raise RuleBroken(rule, key=name, value=value)
            if not self.layers and value is None:
                rule = "this key is required and is missing (a mirror is quarter-wave pairs, or layers)"
                raise RuleBroken(rule, key=name)
        return self

    def outside_in(self, name: str) -> tuple[Layer, ...]:
        """Layers from the outside to the cavity; the first that light from outside meets is H."""
        if self.layers:
            numbered = (slab_layers(slab, f"{name} {i}") for i, slab in enumerate(self.layers, 1))
            return tuple(layer for layers in numbered for layer in layers)
        assert self.high is not None  # validated above
        assert self.low is not None
        assert self.pairs is not None
        high = Layer(name=f"{name} H", material=self.high, quarter_wave_nm=self.design_wavelength_nm)
        low = Layer(name=f"{name} L", material=self.low, quarter_wave_nm=self.design_wavelength_nm)
        return (high, low) * self.pairs + ((high,) if self.closed else ())


class CavityFilm(Slab):
    """The gain film and the mirror that it was deposited on."""

    on: Literal["front", "back"] = "back"


class TwoMirror(Design):
    """A two-mirror cavity; see the drawing above."""

    family: Literal["two_mirror"] = "two_mirror"
    lattice: NoLattice = NoLattice()  # type: ignore[assignment]  # the base has any
    front_mirror: Mirror
    back_mirror: Mirror
    film: CavityFilm
    spacer: Slab | None = None
    substrate: MaterialRef
    superstrate: MaterialRef = AIR

    def gaps_nm(self) -> Mapping[str, float]:
        """What spacer rings and the opening for the film make."""
        spacer_nm = self.spacer.thickness_nm if self.spacer else 0.0
        return {"spacer": spacer_nm, "film": self.film.thickness_nm}

    def build_layers(self) -> tuple[Layer, ...]:
        """Superstrate, front mirror, spacer and film, back mirror, substrate."""
        film = slab_layers(self.film, "film", gain=True)
        spacer = slab_layers(self.spacer, "spacer")
        inside = [*spacer, *film] if self.film.on == "back" else [*film, *spacer]
        front, back = self.front_mirror.outside_in("front"), self.back_mirror.outside_in("back")
        return between(self.superstrate, [*front, *inside, *reversed(back)], self.substrate)
