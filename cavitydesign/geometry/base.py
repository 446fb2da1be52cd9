"""What every geometry value shares: frozen, validated, addressed by its full content; and where each number comes from.

A number in a design file is written plainly, ``period_nm = 360.0``, or with its source::

    film_index = { value = 1.85, source = "assumed", plus_minus = 0.15, note = "index of the film is not published" }

Loading strips the second form to the plain number, so that code only ever meets floats, and keeps the record in
``design.sources``. A default that a file leaves out counts as assumed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cavitydesign.errors import InputError
from cavitydesign.geometry.complaint import input_error, told_once

# Strict: a number in quotes or a boolean is a mistake of the writer, not a number. The bounds are far from anything
# physical; they keep squares and areas of a mistyped number from overflowing.
_HUGE, _TINY = 1e30, 1e-30
Real = Annotated[float, Field(ge=-_HUGE, le=_HUGE, strict=True)]
Positive = Annotated[float, Field(gt=_TINY, le=_HUGE, strict=True)]
NonNegative = Annotated[float, Field(ge=0.0, le=_HUGE, strict=True)]
Fraction = Annotated[float, Field(gt=0.0, le=1.0, strict=True)]
Length = Annotated[float, Field(gt=1e-6, le=1e9, strict=True)]
"""A thickness, width or period in nm: more than 1e-6 nm, up to a metre."""
Place = Annotated[float, Field(ge=-1e9, le=1e9, strict=True)]
"""A coordinate in nm."""
Flag = Annotated[bool, Field(strict=True)]
Count = Annotated[int, Field(ge=1, le=1_000_000, strict=True)]
Origin = Literal["published", "measured", "fitted", "assumed", "given"]


class _Later:
    """See :data:`LATER`."""


LATER = _Later()
"""Marks a field that a class got after designs of it had been stored: ``Annotated[Length | None, LATER] = None``."""

_NO_FAULTS: Mapping[str, InputError] = {}


class Value(BaseModel):
    """A frozen, validated value. Unknown keys, NaN and infinities are errors; floats are never rounded."""

    # defer_build: a schema is made when its type is first used; most runs use one family of them all
    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True, defer_build=True
    )

    idle: ClassVar[frozenset[str]] = frozenset()
    """Fields of a parent's class that say nothing of this one."""

    if TYPE_CHECKING:  # pydantic makes it, by value, because the config says frozen

        def __hash__(self) -> int: ...

    def canonical_bytes(self) -> bytes:
        """The content as canonical JSON: sorted keys, shortest round-trip floats. Equal values give equal bytes.

        Fields marked :data:`LATER` that stand at their default are left out: a design from before them keeps its id.
        """
        plain = self.model_dump(mode="json", exclude=_unsaid(self))
        return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()

    @property
    def id(self) -> str:
        """SHA-256 of the full content, in hex; the class's name takes part."""
        return hashlib.sha256(type(self).__name__.encode() + b"\0" + self.canonical_bytes()).hexdigest()

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed, validated again (pydantic's ``model_copy(update=…)`` does not).

        What was left to its default stays left to it, so that it still counts as assumed.
        """
        content = {name: getattr(self, name) for name in self.model_fields_set}
        return validated(type(self), {**content, **changes})


def _unsaid(item: Any) -> Any:
    """What pydantic is to leave out of a value for its id: fields marked LATER at their default, in its parts too."""
    if isinstance(item, Value):
        found: dict[Any, Any] = {}
        for name, info in type(item).model_fields.items():
            content = getattr(item, name)
            inner = content == info.default if LATER in info.metadata else _unsaid(content)
            if inner:
                found[name] = inner
        return found
    if isinstance(item, Mapping) or (isinstance(item, tuple) and item and isinstance(item[0], Value)):
        pairs = item.items() if isinstance(item, Mapping) else enumerate(item)
        return {key: inner for key, content in pairs if (inner := _unsaid(content))}
    return {}


class SourcedNumber(Value):
    """Where one number of a design comes from.

    ``path`` is its dotted key, ``plus_minus`` the half-width of what it may as well be (one standard deviation),
    in the number's own unit.
    """

    path: str
    value: Real
    source: Origin
    plus_minus: NonNegative | None = None
    note: str = ""

    def record(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"input": self.path, **self.model_dump(exclude={"path"})}


V = TypeVar("V", bound=Value)


def validated(
    kind: type[V], content: Mapping[str, Any], *, key: str = "", faults: Mapping[str, InputError] = _NO_FAULTS
) -> V:
    """Build a value; what is wrong with the content becomes an :class:`InputError` naming each key.

    ``faults`` are those found before, by the key where they stand: told too, and then nothing else about that key.
    """
    try:
        found = kind.model_validate(content)
    except ValidationError as error:
        raise input_error(error, kind=kind, key=key, faults=faults) from None
    if faults:
        raise told_once(faults.values())
    return found


def strip_sources(content: Any, *, faults: dict[str, InputError]) -> tuple[Any, list[SourcedNumber]]:
    """Split content with annotated numbers into plain content and the list of where each number comes from.

    What is wrong with an annotation is added to ``faults`` under its key.
    """
    records: list[SourcedNumber] = []

    def plain(item: Any, path: str) -> Any:
        if isinstance(item, Mapping) and "value" in item and set(item) & {"source", "plus_minus", "note"}:
            try:
                records.append(_record(item, path))
            except InputError as fault:
                faults[path] = fault
            return item["value"]
        if isinstance(item, Mapping):
            return {name: plain(part, f"{path}.{name}" if path else str(name)) for name, part in item.items()}
        if isinstance(item, list | tuple):
            return [plain(part, f"{path}.{index}") for index, part in enumerate(item)]
        return item

    return plain(content, ""), records


def _record(content: Mapping[str, Any], path: str) -> SourcedNumber:
    unknown = sorted(map(str, set(content) - {"value", "source", "plus_minus", "note"}))
    if unknown:
        rule = "a number with a source takes value, source, plus_minus and note"
        raise InputError(rule, key=path, value=unknown[0])
    if "source" not in content:
        origins = ", ".join(get_args(Origin))
        raise InputError(f"a number with a note needs its source: one of {origins}", key=path)
    value = content["value"]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError("a value with a source must be a number", key=path, value=value)
    return validated(SourcedNumber, {"path": path, **content}, key=path)


@dataclass(frozen=True, slots=True)
class DefaultSource:
    """Where a field's default comes from: ``x: Annotated[Positive, DefaultSource(plus_minus=10)] = 63.0``.

    A default that a design leaves out is listed in ``design.sources`` with this record.
    """

    source: Origin = "assumed"
    _: KW_ONLY
    plus_minus: float | None = None
    note: str = "default"


def default_sources(value: Value, path: str = "") -> list[SourcedNumber]:
    """Records of the numbers that ``value`` and the values within it take from annotated defaults."""
    records = []
    for name, info in type(value).model_fields.items():
        item, where = getattr(value, name), f"{path}.{name}" if path else name
        if isinstance(item, Value):
            records += default_sources(item, where)
        mark = next((m for m in info.metadata if isinstance(m, DefaultSource)), None)
        if mark and name not in value.model_fields_set | value.idle and isinstance(item, int | float):
            content = {"path": where, "value": item, "source": mark.source}
            records.append(SourcedNumber(**content, plus_minus=mark.plus_minus, note=mark.note))
    return records
