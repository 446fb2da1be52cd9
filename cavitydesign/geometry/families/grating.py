"""Distributed-feedback lasers of one dimension: a film of nanocrystals over ridges that repeat along x.

::

      superstrate
    ~~~~~~~~~~~~~~~~~~~~~~~~   film (gain), planarising or conformal; or none, where the ridges themselves amplify
    ~~┌───┐~~~~~~┌───┐~~~~~~   ridges, ``etch_depth_nm`` high
    ──┘   └──────┘   └──────
    ████████████████████████   what the etch left of ``grating.thickness_nm``
      underlayer, substrate

Its order is not asked for, since it follows from the period: a guided wave is reflected where ``m λ = 2 n_eff Λ``
(``cavitydesign modes --solver bragg`` names m). m = 1 does not radiate; m = 2 sends light straight up and down.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import model_validator

from cavitydesign.geometry.base import Flag, Fraction, Length
from cavitydesign.geometry.coating import Coat, Relief
from cavitydesign.geometry.complaint import RuleBroken
from cavitydesign.geometry.design import Design
from cavitydesign.geometry.lattice import LineLattice
from cavitydesign.geometry.material import AIR, MaterialRef
from cavitydesign.geometry.pattern import Bar, Pattern
from cavitydesign.geometry.stack import FLUSH_NM, Layer, Slab, between, etched_nm, slab_layers
from cavitydesign.geometry.walls import Etched, Walled


class Ridges(Walled):
    """The grated slab. ``duty_cycle_of`` says what the duty cycle is the width of, in periods: ``ridge`` or ``groove``.

    Where walls lean (``sidewall_deg``) it is the width at the top of the ridges.
    ``etch_depth_nm`` left out: etched through. ``gain``: the ridges, and what is left below them, amplify.
    """

    thickness_nm: Length
    material: MaterialRef
    duty_cycle: Fraction
    duty_cycle_of: Literal["ridge", "groove"]
    etch_depth_nm: Length | None = None
    gain: Flag = False

    @model_validator(mode="after")
    def _etched(self) -> Self:
        if self.duty_cycle == 1.0:
            raise RuleBroken("must be < 1", key="duty_cycle", value=self.duty_cycle)
        etched_nm(self.thickness_nm, self.etch_depth_nm)
        return self

    @property
    def height_nm(self) -> float:
        """Height of the ridges."""
        return etched_nm(self.thickness_nm, self.etch_depth_nm)

    @property
    def fraction(self) -> float:
        """Width of a ridge in periods."""
        return self.duty_cycle if self.duty_cycle_of == "ridge" else 1.0 - self.duty_cycle


class GratingLaser(Design):
    """A distributed-feedback laser of one dimension; see the drawing above."""

    written_name: ClassVar[str] = "ridges"

    family: Literal["grating"] = "grating"
    lattice: LineLattice  # type: ignore[assignment]  # required here, none in the base
    grating: Ridges
    film: Coat | None = None
    underlayer: Slab | None = None
    substrate: MaterialRef
    superstrate: MaterialRef = AIR

    @property
    def _etched(self) -> Etched:
        grating = self.grating
        ridge = Bar(width_nm=grating.fraction * self.lattice.period_nm)
        return Etched((ridge,), grating.height_nm, grating, "grating", self.written_name, self.lattice)

    def written(self) -> tuple[Pattern, ...]:
        """The ridges alone, as they are at their top: a conformal film is deposited, not written."""
        return self._etched.shapes

    def told_of_written(self) -> Mapping[str, float]:
        """The lean of the walls."""
        return self._etched.told

    def build_layers(self) -> tuple[Layer, ...]:
        """Superstrate, film and ridges by height, unetched rest, underlayer, substrate."""
        grating, etched = self.grating, self._etched
        etched.check()
        relief = Relief(etched, grating.material, self.superstrate, gain=grating.gain)
        layers = relief.coated(self.film) if self.film else relief.bare(name=self.written_name)
        left = grating.thickness_nm - grating.height_nm
        if left > FLUSH_NM:
            rest = Layer(name="unetched", material=grating.material, thickness_nm=left, gain=grating.gain)
            layers.append(rest)
        return between(self.superstrate, layers + slab_layers(self.underlayer, "underlayer"), self.substrate)
