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

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from cavitydesign.geometry.base import Flag, Fraction, Length, Value
from cavitydesign.geometry.coating import Coat, Relief
from cavitydesign.geometry.complaint import RuleBroken
from cavitydesign.geometry.design import Design
from cavitydesign.geometry.lattice import LineLattice
from cavitydesign.geometry.material import AIR, MaterialRef
from cavitydesign.geometry.pattern import Bar
from cavitydesign.geometry.stack import FLUSH_NM, Layer, Slab, between, etched_nm, slab_layers


class Ridges(Value):
    """The grated slab. ``duty_cycle_of`` says what the duty cycle is the width of, in periods: ``ridge`` or ``groove``.

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

    def written(self) -> tuple[Bar, ...]:
        """The ridges alone: a conformal film is deposited, not written."""
        return (Bar(width_nm=self.grating.fraction * self.lattice.period_nm),)

    def build_layers(self) -> tuple[Layer, ...]:
        """Superstrate, film and ridges by height, unetched rest, underlayer, substrate."""
        grating, period = self.grating, self.lattice.period_nm
        relief = Relief(
            name="ridges",
            shape=lambda width: Bar(width_nm=width),
            width_nm=grating.fraction * period,
            height_nm=grating.height_nm,
            material=grating.material,
            outside=self.superstrate,
            apart_nm=period,
            gain=grating.gain,
        )
        layers = relief.coated(self.film) if self.film else [relief.bare(grating.height_nm, name="")]
        left = grating.thickness_nm - grating.height_nm
        if left > FLUSH_NM:
            rest = Layer(name="unetched", material=grating.material, thickness_nm=left, gain=grating.gain)
            layers.append(rest)
        return between(self.superstrate, layers + slab_layers(self.underlayer, "underlayer"), self.substrate)
