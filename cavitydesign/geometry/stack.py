"""Layer, Stack: what every family becomes, and all that a solver reads.

::

      superstrate        layers[0], no thickness          z
    ────────────────                                      ↑
      layers[1]          uniform, or a background
      layers[2]          with inclusions in each cell     x, y in the plane; the cell is centred at (0, 0)
    ────────────────
      substrate          layers[-1], no thickness
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Self

import numpy as np
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from cavitydesign.geometry.base import Flag, Length, Value
from cavitydesign.geometry.complaint import RuleBroken
from cavitydesign.geometry.lattice import AnyLattice, Lattice, NoLattice
from cavitydesign.geometry.material import Material, MaterialRef
from cavitydesign.geometry.pattern import Bar, Circle, Pattern, relation
from cavitydesign.kinds import Array

FLUSH_NM = 1e-6
"""Two heights closer than this are one: a sum of thicknesses carries rounding, and no layer is that thin."""


class Slab(Value):
    """A uniform layer, as the parts of a family are given."""

    thickness_nm: Length
    material: MaterialRef


def etched_nm(thickness_nm: float, depth_nm: float | None) -> float:
    """How deep a slab is etched: through, where no depth is given. Raises RuleBroken about ``etch_depth_nm``."""
    if depth_nm is not None and depth_nm > thickness_nm:
        rule = f"must not exceed thickness_nm, {thickness_nm:g}"
        raise RuleBroken(rule, key="etch_depth_nm", value=depth_nm)
    return thickness_nm if depth_nm is None else depth_nm


class Inclusion(Value):
    """A shape of another material in each cell. A later one may lie within an earlier one, not across its rim."""

    pattern: Annotated[Pattern, Field(discriminator="shape")]
    material: MaterialRef
    gain: Flag = False

    @model_validator(mode="before")
    @classmethod
    def _flat(cls, content: Any) -> Any:
        """In a file the shape's keys stand beside the material's; here they are gathered into the pattern."""
        if not isinstance(content, dict) or "pattern" in content:
            return content
        own = {name: content[name] for name in ("material", "gain") if name in content}
        return {**own, "pattern": {name: item for name, item in content.items() if name not in own}}

    @model_serializer(mode="wrap")
    def _flatten(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content = handler(self)
        return {"shape": self.pattern.shape, **content.pop("pattern", {}), **content}


class Layer(Value):
    """One layer. Its thickness is given, or is a quarter wave of its own index at ``quarter_wave_nm``."""

    material: MaterialRef
    thickness_nm: Length | None = None
    quarter_wave_nm: Length | None = None
    gain: Flag = False
    inclusions: tuple[Inclusion, ...] = ()
    name: str = ""

    @model_validator(mode="after")
    def _one_thickness(self) -> Self:
        if self.thickness_nm is not None and self.quarter_wave_nm is not None:
            rule = "a layer has thickness_nm or quarter_wave_nm, not both"
            raise RuleBroken(rule, key="quarter_wave_nm", value=self.quarter_wave_nm)
        return self

    @property
    def is_half_space(self) -> bool:
        """True for the superstrate and the substrate."""
        return self.thickness_nm is None and self.quarter_wave_nm is None

    @property
    def has_gain(self) -> bool:
        """True where the layer or one of its inclusions is part of the gain film."""
        return self.gain or any(inclusion.gain for inclusion in self.inclusions)


def slab_layers(slab: Slab | None, name: str, *, gain: bool = False) -> list[Layer]:
    """The layer that a slab is; none where there is no slab."""
    if slab is None:
        return []
    return [Layer(name=name, material=slab.material, thickness_nm=slab.thickness_nm, gain=gain)]


def between(above: MaterialRef, layers: Iterable[Layer], below: MaterialRef) -> tuple[Layer, ...]:
    """Layers between the two half-spaces, superstrate first."""
    return Layer(name="superstrate", material=above), *layers, Layer(name="substrate", material=below)


class Stack(Value):
    """Layers from superstrate to substrate over one lattice; every material spelt out."""

    lattice: AnyLattice = NoLattice()
    layers: tuple[Layer, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_layers(self.layers, self.lattice)
        for index, layer in enumerate(self.layers):
            for item in (layer, *layer.inclusions):
                if isinstance(item.material, str):
                    rule = "a stack needs the material itself, not its name"
                    raise RuleBroken(rule, key=f"layers.{index}.material", value=item.material)
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


def check_layers(layers: tuple[Layer, ...], lattice: Lattice) -> None:
    """Half-spaces at both ends and nowhere else; inclusions that fit their cell. Raises RuleBroken."""
    for index, layer in enumerate(layers):
        outer = index in (0, len(layers) - 1)
        where = f"layers.{index}"
        for name in ("thickness_nm", "quarter_wave_nm"):
            if outer and getattr(layer, name) is not None:
                rule = "the first and the last layer are half-spaces and have no thickness"
                raise RuleBroken(rule, key=f"{where}.{name}", value=getattr(layer, name))
        if not outer and layer.is_half_space:
            rule = "this key is required and is missing (only the first and the last layer have none)"
            raise RuleBroken(rule, key=f"{where}.thickness_nm")
        if layer.inclusions and (outer or layer.quarter_wave_nm is not None or not lattice.dimensions):
            what = "a half-space" if outer else "a layer with quarter_wave_nm"
            rule = f"{what} has none" if outer or lattice.dimensions else "inclusions need a [lattice]"
            raise RuleBroken(rule, key=f"{where}.inclusions")
        if layer.inclusions:
            patterns = [inclusion.pattern for inclusion in layer.inclusions]
            check_patterns(patterns, lattice, f"{where}.inclusions")


def check_patterns(
    patterns: Sequence[Pattern], lattice: Lattice, where: str, name: str = "inclusions"
) -> None:
    """No shape meets its own copies; of two that overlap, in any cells, the later lies inside the earlier.

    Args:
        patterns: the shapes of one layer.
        lattice: how they repeat.
        where: the key of the list of them.
        name: what a person calls several of them.

    Raises:
        RuleBroken: names the shape and the key of what is wrong with it.
    """
    outlines, one = [pattern.outline() for pattern in patterns], name.removesuffix("s")
    for index, (pattern, outline) in enumerate(zip(patterns, outlines, strict=True)):
        if isinstance(pattern, Bar) != (lattice.dimensions == 1):
            rule = "a bar" if lattice.dimensions == 1 else "a circle, ellipse, rectangle or polygon"
            rule = f"an {one} of a {lattice.kind} lattice is {rule}"
            raise RuleBroken(rule, key=f"{where}.{index}.shape", value=pattern.shape)
        if meets_its_copies(pattern, lattice):
            rule, size = (
                "is wider than its cell and overlaps its own copy next door",
                _SIZE_KEY[pattern.shape],
            )
            raise RuleBroken(rule, key=f"{where}.{index}.{size}", value=getattr(pattern, size))
        for earlier, other in enumerate(outlines[:index]):
            found = {relation(outline, other + shift) for shift in _shifts(outline, other, lattice)}
            if "crossing" in found:
                rule = (
                    f"crosses {one} {earlier}, here or in the next cell; let the later shape lie within the "
                )
                rule += "earlier one or beside it, or draw both as one polygon"
                raise RuleBroken(rule, key=f"{where}.{index}")
            if "around" in found:
                rule = f"hides {one} {earlier}; list the outer one first"
                raise RuleBroken(rule, key=f"{where}.{index}")


_MOST_COPIES = 1000
_SIZE_KEY = {
    "circle": "radius_nm",
    "ellipse": "semi_axes_nm",
    "rectangle": "size_nm",
    "polygon": "vertices_nm",
    "bar": "width_nm",
}


def meets_its_copies(pattern: Pattern, lattice: Lattice) -> bool:
    """Whether a shape overlaps its own copy in another cell; to touch it is no overlap."""
    if isinstance(pattern, Circle):  # exact, unlike the outline
        return 2.0 * pattern.radius_nm > lattice.nearest_nm * (1.0 + 1e-12)
    if pattern.area_nm2 > lattice.cell_area_nm2 * (1.0 + 1e-9):
        return True
    outline = pattern.outline()
    shifts = (shift for shift in _shifts(outline, outline, lattice) if shift.any())
    return any(relation(outline, outline + shift) != "disjoint" for shift in shifts)


def _shifts(first: Array, second: Array, lattice: Lattice) -> list[Array]:
    """The lattice vectors by which ``second`` must be moved for its bounding cell to reach that of ``first``."""
    inverse = np.linalg.inv(lattice.vectors_nm)
    a, b = first @ inverse, second @ inverse
    low, high = np.ceil(a.min(0) - b.max(0)).astype(int), np.floor(a.max(0) - b.min(0)).astype(int)
    if np.prod(high - low + 1.0) > _MOST_COPIES:
        rule = f"an inclusion is longer than {_MOST_COPIES} periods; check period_nm"
        raise RuleBroken(rule, key="lattice")
    a1, a2 = lattice.vectors_nm
    return [i * a1 + j * a2 for i in range(low[0], high[0] + 1) for j in range(low[1], high[1] + 1)]
