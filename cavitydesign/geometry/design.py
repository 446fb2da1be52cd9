"""What the four kinds of design share: name, materials, lattice, device, emitter, pump, and where each number comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from cavitydesign.errors import InputError
from cavitydesign.geometry.base import SourcedNumber, Value, default_sources, validated
from cavitydesign.geometry.emitter import Emitter, Pump
from cavitydesign.geometry.material import Material, MaterialField, MaterialRef, WavelengthRange
from cavitydesign.geometry.stack import Inclusion, Lattice, Layer, Stack

Periods = Annotated[int, Field(ge=1)]


class Device(Value):
    """A finite device: how many periods (or, for a cavity without a lattice, nothing)."""

    periods: tuple[Periods, Periods]


class Design(Value):
    """Base of the families. Each adds its own parts and says how they become layers (:meth:`layers`)."""

    name: Annotated[str, Field(min_length=1)]
    family: str
    materials: dict[str, MaterialField] = {}
    lattice: Lattice | None = None
    device: Device | None = None
    emitter: Emitter | None = None
    pump: Pump | None = None
    window_nm: WavelengthRange = (560.0, 700.0)
    sources: tuple[SourcedNumber, ...] = ()

    def build_layers(self) -> tuple[Layer, ...]:
        """The layers of this family, superstrate first; materials may still be names."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _becomes_a_stack(self) -> Self:
        self.to_stack()
        return self

    def to_stack(self) -> Stack:
        """The stack that the solvers read, with every material spelt out."""
        layers = tuple(self._spelt_out(layer, index) for index, layer in enumerate(self.build_layers()))
        return Stack(lattice=self.lattice, layers=layers)

    def _spelt_out(self, layer: Layer, index: int) -> Layer:
        inclusions = tuple(
            Inclusion(pattern=item.pattern, gain=item.gain, material=self._material(item.material, index))
            for item in layer.inclusions
        )
        content = {name: getattr(layer, name) for name in Layer.model_fields}
        return Layer(**{**content, "material": self._material(layer.material, index), "inclusions": inclusions})

    def _material(self, reference: MaterialRef, index: int) -> Material:
        if not isinstance(reference, str):
            return reference
        if reference not in self.materials:
            known = ", ".join(sorted(self.materials)) or "none"
            raise ValueError(f"layers.{index}: no material {reference!r} in [materials] (it has: {known})")
        return self.materials[reference]

    def all_sources(self) -> tuple[SourcedNumber, ...]:
        """Every record of where a number comes from: those of the file, then those of defaults it left out."""
        named = {record.path for record in self.sources}
        return (*self.sources, *(record for record in default_sources(self) if record.path not in named))

    def assumed(self) -> tuple[SourcedNumber, ...]:
        """The numbers that nobody published, measured or fitted."""
        return tuple(record for record in self.all_sources() if record.source == "assumed")

    def value_at(self, path: str) -> float:
        """The number at a dotted path such as ``lattice.period_nm`` or ``layers.2.thickness_nm``."""
        found = self.model_dump()
        for step in path.split("."):
            found = _child(found, step, path)
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise InputError("is not a number of this design", key=path, value=found)
        return float(found)

    def with_value(self, path: str, value: float) -> Self:
        """A design with the number at ``path`` changed; what was said of the old number's source no longer holds."""
        return self.with_values({path: value})

    def with_values(self, values: Mapping[str, float]) -> Self:
        """A design with several numbers changed at once, validated once."""
        content: dict[str, Any] = self.model_dump(exclude_unset=True)
        full = self.model_dump()
        for path, value in values.items():
            old = self.value_at(path)
            new = int(value) if isinstance(old, int) else value
            *parents, last = path.split(".")
            place, shadow = content, full
            for step in parents:
                shadow = _child(shadow, step, path)
                place = _open(place, step, shadow)
            _assign(place, last, new)
        kept = tuple(record for record in self.sources if record.path not in values)
        return validated(type(self), {**content, "sources": kept})


def _child(place: Any, step: str, path: str) -> Any:
    if isinstance(place, Mapping) and step in place:
        return place[step]
    if isinstance(place, list | tuple) and step.isdigit() and int(step) < len(place):
        return place[int(step)]
    known = ", ".join(map(str, place)) if isinstance(place, Mapping) else "no keys"
    raise InputError(f"no such number in this design; at {step!r} it has: {known}", key=path)


def _open(place: Any, step: str, shadow: Any) -> Any:
    """Step into content in place, thawing tuples and filling in parts that the file left to their defaults."""
    if isinstance(place, list):
        index: Any = int(step)
    else:
        index = step
        place.setdefault(step, shadow)
    if isinstance(place[index], tuple):
        place[index] = list(place[index])
    return place[index]


def _assign(place: Any, step: str, value: float) -> None:
    place[int(step) if isinstance(place, list) else step] = value
