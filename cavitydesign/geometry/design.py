"""What all families of designs share: name, materials, lattice, device, emitter, pump, and where numbers come from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, partial
from operator import attrgetter
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from cavitydesign.errors import InputError
from cavitydesign.geometry.base import SourcedNumber, Value, default_sources, validated
from cavitydesign.geometry.complaint import RuleBroken, all_hold
from cavitydesign.geometry.device import Device
from cavitydesign.geometry.emitter import AnyEmitter, Pump
from cavitydesign.geometry.lattice import AnyLattice, NoLattice
from cavitydesign.geometry.material import Material, MaterialField, MaterialRef, WavelengthRange
from cavitydesign.geometry.pattern import Pattern
from cavitydesign.geometry.stack import Layer, Stack

_by_path = AfterValidator(lambda records: tuple(sorted(records, key=attrgetter("path"))))
"""In one order, whatever that of the file, so that it leaves no trace in the id."""
FAMILIES: dict[str, type[Design]] = {}
"""Every class of designs that has been defined so far, by the name that a file gives as ``family``."""


class Design(Value):
    """Base of the families.

    A family narrows ``family`` to its own name, by which files find it as soon as the class is defined, and ``lattice``
    to the kinds that it can have; it adds its own parts, and says how they become layers (:meth:`build_layers`) and
    what of it lithography writes (:meth:`written`, or :meth:`gaps_nm` for a cavity between two mirrors).

    Attributes:
        written_name: what a person calls the shapes that are written.
    """

    written_name: ClassVar[str] = "inclusions"

    name: Annotated[str, Field(min_length=1)]
    family: Any  # each family narrows it to its own name
    materials: dict[Annotated[str, Field(pattern=r"^[^.]+$")], MaterialField] = Field(default_factory=dict)
    lattice: AnyLattice = NoLattice()
    device: Device | None = None
    emitter: AnyEmitter | None = None
    pump: Pump | None = None
    window_nm: WavelengthRange = (560.0, 700.0)
    sources: Annotated[tuple[SourcedNumber, ...], _by_path] = ()

    @classmethod
    def __pydantic_init_subclass__(cls, **arguments: Any) -> None:
        super().__pydantic_init_subclass__(**arguments)
        if "family" in cls.__annotations__:
            name = cls.model_fields["family"].default
            other = FAMILIES.setdefault(name, cls)
            if (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
                raise TypeError(f"{other.__module__}.{other.__qualname__} is the family {name!r} already")
            FAMILIES[name] = cls

    def build_layers(self) -> tuple[Layer, ...]:
        """The layers of this family, superstrate first; materials may still be names."""
        raise NotImplementedError

    def gaps_nm(self) -> Mapping[str, float]:
        """Thicknesses that spacer rings or openings of a mask make, by what its labels call them; here none."""
        return {}

    def told_of_written(self) -> Mapping[str, float]:
        """What a mask's manifest says of what is written, beside its outline, by the dotted key; here nothing."""
        return {}

    def written(self) -> tuple[Pattern, ...]:
        """What lithography writes in one cell. Here: the inclusions, alike in every layer that has any.

        Raises:
            RuleBroken: where there is nothing to write, or not one thing.
        """
        patterned = [tuple(item.pattern for item in layer.inclusions) for layer in self.to_stack().layers]
        patterned = [patterns for patterns in patterned if patterns]
        if not patterned:
            raise RuleBroken("has no layer with inclusions, so there is nothing to write")
        if any(patterns != patterned[0] for patterns in patterned):
            raise RuleBroken("has layers with different patterns; say which with design_layer")
        return patterned[0]

    @model_validator(mode="after")
    def _becomes_a_stack(self) -> Self:
        def sources() -> None:
            content = self.model_dump() if self.sources else {}
            for record in self.sources:
                found = _at(content, record.path)
                if found not in (record.value, (record.value,)):  # one number may stand for a list of one
                    raise RuleBroken(f"sources speak of {record.value:g}", key=record.path, value=found)

        device = [partial(self.device.check_on, self.lattice)] if self.device else []
        all_hold(self.to_stack, *device, sources)
        return self

    def __hash__(self) -> int:
        return hash(self.canonical_bytes())

    def to_stack(self) -> Stack:
        """The stack that the solvers read, with every material spelt out."""
        return self._stack

    @cached_property
    def _stack(self) -> Stack:
        layers = tuple(self._spelt_out(layer, index) for index, layer in enumerate(self.build_layers()))
        return Stack(lattice=self.lattice, layers=layers)

    def _spelt_out(self, layer: Layer, index: int) -> Layer:
        inclusions = tuple(
            item.model_copy(update={"material": self._material(item.material, index)})
            for item in layer.inclusions
        )
        material = self._material(layer.material, index)
        return layer.model_copy(update={"material": material, "inclusions": inclusions})

    def _material(self, reference: MaterialRef, index: int) -> Material:
        if not isinstance(reference, str):
            return reference
        if reference not in self.materials:
            named = (path for path, found in _parts(self) if isinstance(found, str) and found == reference)
            place = next((path for path in named if path.rpartition(".")[2] in MATERIAL_KEYS), None)
            raise unknown_material(reference, self.materials, key=place or f"layers.{index}.material")
        return self.materials[reference]

    def key_of(self, material: Material) -> str | None:
        """The dotted key under which a material stands in this design; None for one that is not in it."""
        found = (path for path, part in _parts(self) if isinstance(part, Material) and part == material)
        return next(found, None)

    def all_sources(self) -> tuple[SourcedNumber, ...]:
        """Every record of where a number comes from: those of the file, then those of defaults it left out."""
        named = {record.path for record in self.sources}
        return (*self.sources, *(record for record in default_sources(self) if record.path not in named))

    def assumed(self) -> tuple[SourcedNumber, ...]:
        """The numbers that nobody published, measured or fitted."""
        return tuple(record for record in self.all_sources() if record.source == "assumed")

    def fitted(self) -> tuple[SourcedNumber, ...]:
        """The numbers that were fitted to a measurement."""
        return tuple(record for record in self.all_sources() if record.source == "fitted")

    def value_at(self, path: str) -> float:
        """The number at a dotted path such as ``lattice.period_nm`` or ``layers.2.thickness_nm``."""
        found = _at(self.model_dump(), path)
        _check_number(found, path)
        return float(found)

    def check_path(self, path: str) -> None:
        """Refuse a dotted path at which this design has nothing, not even a number that was left out."""
        _at(self.model_dump(), path)

    def with_value(self, path: str, value: float) -> Self:
        """A design with the number at ``path`` changed; what was said of the old number's source no longer holds."""
        return self.with_values({path: value})

    def with_values(self, values: Mapping[str, float]) -> Self:
        """A design with several numbers changed at once, validated once.

        A number that was left out (``grating.etch_depth_nm``) may be given too. What else was left to its default
        stays so, and still counts as assumed; a changed default does not.
        """
        content: dict[str, Any] = self.model_dump(exclude_unset=True)
        full = self.model_dump()
        for path, value in values.items():
            *parents, last = path.split(".")
            place, shadow = content, full
            for step in parents:
                shadow = _child(shadow, step, path)
                place = _open(place, step, shadow)
            old = _child(shadow, last, path)
            if old is not None:
                _check_number(old, path)
            whole = isinstance(old, int) and isinstance(value, float) and value.is_integer()
            place[_index(place, last)] = int(value) if whole else _plain(value)
        kept = tuple(record for record in self.sources if record.path not in values)
        return validated(type(self), {**content, "family": self.family, "sources": kept})

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed, validated again; sources of what was changed are dropped."""
        kept = tuple(record for record in self.sources if record.path.split(".")[0] not in changes)
        return super().replace(**{"sources": kept, **changes})


def _parts(content: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Everything within a value, itself included, with its dotted key."""
    yield path, content
    if isinstance(content, Value):
        content = {name: getattr(content, name) for name in type(content).model_fields}
    if isinstance(content, Mapping):
        for name, item in content.items():
            yield from _parts(item, f"{path}.{name}" if path else str(name))
    elif isinstance(content, tuple):
        for index, item in enumerate(content):
            yield from _parts(item, f"{path}.{index}")


MATERIAL_KEYS = frozenset({"material", "substrate", "superstrate", "high", "low"})
"""Keys of a design file under which a material or the name of one stands."""


def unknown_material(name: str, known: Iterable[str], key: str = "") -> RuleBroken:
    """What to say of a name that is not in [materials], ``known``."""
    rule = (
        f"[materials] has no material of this name (it has: {', '.join(sorted(map(str, known))) or 'none'})"
    )
    return RuleBroken(rule, key=key, value=name)


def _plain(value: Any) -> Any:
    """Scalars of numpy as Python's; to a strict field only these are numbers."""
    return value.item() if isinstance(value, np.generic) else value


def _check_number(found: Any, path: str) -> None:
    if isinstance(found, bool) or not isinstance(found, int | float):
        keys = (
            f"; it has the keys {', '.join(map(str, found))}" if isinstance(found, Mapping) and found else ""
        )
        raise InputError(f"is not a number{keys or ' of this design'}", key=path, value=found)


def _at(content: Any, path: str) -> Any:
    for step in path.split("."):
        content = _child(content, step, path)
    return content


def _child(place: Any, step: str, path: str) -> Any:
    if isinstance(place, Mapping) and step in place:
        return place[step]
    if isinstance(place, list | tuple) and step.isdecimal() and int(step) < len(place):
        return place[int(step)]
    if isinstance(place, Mapping):
        has = f"it has {', '.join(map(str, place))}"
    elif isinstance(place, list | tuple):
        has = f"it has {len(place)} entries, from 0"
    elif isinstance(place, str):
        has = f"{place!r} is a name; the numbers of a material stand at materials.{place}"
    else:
        has = "nothing is given here"
    raise InputError(f"no such number in this design; where {step!r} was looked for {has}", key=path)


def _open(place: Any, step: str, shadow: Any) -> Any:
    """Step into content in place, thawing tuples and filling in parts that the file left to their defaults."""
    index = _index(place, step)
    if isinstance(place, dict):
        place.setdefault(step, shadow)
    if isinstance(place[index], tuple):
        place[index] = list(place[index])
    return place[index]


def _index(place: Any, step: str) -> Any:
    return int(step) if isinstance(place, list) else step
