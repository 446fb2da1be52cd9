"""Lattice, Layer, Stack: what every family becomes, and all that a solver reads.

::

      superstrate        layers[0], no thickness          z
    ────────────────                                      ↑
      layers[1]          uniform, or a background
      layers[2]          with inclusions in each cell     x, y in the plane; the cell is centred at (0, 0)
    ────────────────
      substrate          layers[-1], no thickness
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from cavitydesign.geometry.base import Positive, Value
from cavitydesign.geometry.material import Material, MaterialRef
from cavitydesign.geometry.pattern import Pattern, relation

Array = np.ndarray[Any, np.dtype[Any]]


class Lattice(Value):
    """A two-dimensional Bravais lattice: square or hexagonal with ``period_nm``, or rectangular."""

    kind: Literal["square", "hexagonal", "rectangular"] = "square"
    period_nm: Positive | None = None
    period_x_nm: Positive | None = None
    period_y_nm: Positive | None = None

    @model_validator(mode="after")
    def _periods(self) -> Self:
        two = self.period_x_nm is not None and self.period_y_nm is not None
        if self.kind == "rectangular" and (not two or self.period_nm is not None):
            raise ValueError("a rectangular lattice takes period_x_nm and period_y_nm, and no period_nm")
        if self.kind != "rectangular" and (
            self.period_nm is None or self.period_x_nm is not None or self.period_y_nm is not None
        ):
            raise ValueError(f"a {self.kind} lattice takes period_nm, and no period_x_nm or period_y_nm")
        return self

    @property
    def periods_nm(self) -> tuple[float, float]:
        """Lengths of the two lattice vectors in nm."""
        if self.kind == "rectangular":
            assert self.period_x_nm is not None and self.period_y_nm is not None  # noqa: S101 (validated above)
            return self.period_x_nm, self.period_y_nm
        assert self.period_nm is not None  # noqa: S101 (validated above)
        return self.period_nm, self.period_nm

    @property
    def vectors_nm(self) -> Array:
        """Lattice vectors a1, a2 as rows, nm; hexagonal: 60° apart, a1 along x."""
        a, b = self.periods_nm
        if self.kind == "hexagonal":
            return np.array([[a, 0.0], [0.5 * a, 0.5 * math.sqrt(3.0) * a]])
        return np.array([[a, 0.0], [0.0, b]])

    @property
    def reciprocal_per_nm(self) -> Array:
        """Reciprocal vectors b1, b2 as rows, 1/nm, with a_i · b_j = 2π δ_ij."""
        return 2.0 * math.pi * np.linalg.inv(self.vectors_nm).T

    @property
    def cell_area_nm2(self) -> float:
        """Area of the unit cell."""
        (ax, ay), (bx, by) = self.vectors_nm
        return float(ax * by - ay * bx)


class Inclusion(Value):
    """A shape of another material in each cell. A later one may lie within an earlier one, not across its rim."""

    pattern: Annotated[Pattern, Field(discriminator="shape")]
    material: MaterialRef
    gain: bool = False

    @model_validator(mode="before")
    @classmethod
    def _flat(cls, content: Any) -> Any:
        """In a file the shape's keys stand beside the material's; here they are gathered into the pattern."""
        if not isinstance(content, dict) or "pattern" in content:
            return content
        own = {name: content[name] for name in ("material", "gain") if name in content}
        return {**own, "pattern": {name: item for name, item in content.items() if name not in ("material", "gain")}}

    @model_serializer(mode="wrap")
    def _flatten(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content = handler(self)
        return {**content.pop("pattern", {}), **content}


class Layer(Value):
    """One layer. Its thickness is given, or is a quarter wave of its own index at ``quarter_wave_nm``."""

    material: MaterialRef
    thickness_nm: Positive | None = None
    quarter_wave_nm: Positive | None = None
    gain: bool = False
    inclusions: tuple[Inclusion, ...] = ()
    name: str = ""

    @model_validator(mode="after")
    def _one_thickness(self) -> Self:
        if self.thickness_nm is not None and self.quarter_wave_nm is not None:
            raise ValueError("a layer has thickness_nm or quarter_wave_nm, not both")
        return self

    @property
    def is_half_space(self) -> bool:
        """True for the superstrate and the substrate."""
        return self.thickness_nm is None and self.quarter_wave_nm is None

    @property
    def has_gain(self) -> bool:
        """True where the layer or one of its inclusions is part of the gain film."""
        return self.gain or any(inclusion.gain for inclusion in self.inclusions)


class Stack(Value):
    """Layers from superstrate to substrate over one lattice; every material spelt out."""

    lattice: Lattice | None = None
    layers: tuple[Layer, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_layers(self.layers, self.lattice)
        for layer in self.layers:
            for item in (layer, *layer.inclusions):
                if isinstance(item.material, str):
                    raise ValueError(f"material {item.material!r} is a name; a stack needs the material itself")
        return self

    @property
    def is_uniform(self) -> bool:
        """True when no layer has inclusions: one plane wave then suffices."""
        return not any(layer.inclusions for layer in self.layers)

    @property
    def materials(self) -> tuple[Material, ...]:
        """Every different material, in order of appearance."""
        found = [item.material for layer in self.layers for item in (layer, *layer.inclusions)]
        return tuple(dict.fromkeys(material for material in found if not isinstance(material, str)))


def check_layers(layers: tuple[Layer, ...], lattice: Lattice | None) -> None:
    """Half-spaces at both ends and nowhere else; inclusions that fit their cell. Raises ValueError."""
    for index, layer in enumerate(layers):
        outer = index in (0, len(layers) - 1)
        where = f"layers.{index}"
        if outer and (not layer.is_half_space or layer.inclusions):
            raise ValueError(f"{where}: superstrate and substrate are uniform half-spaces, without thickness or inclusions")
        if not outer and layer.is_half_space:
            raise ValueError(f"{where}: thickness_nm is missing (only the first and the last layer have none)")
        if layer.inclusions and layer.quarter_wave_nm is not None:
            raise ValueError(f"{where}: quarter_wave_nm is for uniform layers; give thickness_nm")
        if layer.inclusions and lattice is None:
            raise ValueError(f"{where}: inclusions need a [lattice]")
        if layer.inclusions and lattice is not None:
            _check_inclusions(layer, lattice, where)


def _check_inclusions(layer: Layer, lattice: Lattice, where: str) -> None:
    a1, a2 = lattice.vectors_nm
    images = [i * a1 + j * a2 for i in (-1, 0, 1) for j in (-1, 0, 1)]
    outlines = [inclusion.pattern.outline() for inclusion in layer.inclusions]
    for index, outline in enumerate(outlines):
        for shift in images:
            if shift.any() and relation(outline, outline + shift) != "disjoint":
                raise ValueError(f"{where}.inclusions.{index}: is wider than its cell and overlaps its own copy next door")
        for earlier in range(index):
            found = {relation(outline, outlines[earlier] + shift) for shift in images}
            if "crossing" in found:
                raise ValueError(f"{where}.inclusions.{index}: crosses inclusion {earlier}; let it lie inside or outside")
            if "around" in found:
                raise ValueError(f"{where}.inclusions.{index}: hides inclusion {earlier}; list the outer one first")
