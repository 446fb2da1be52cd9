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
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cavitydesign.errors import InputError

# strict: a number in quotes or a boolean is a mistake of the writer, not a number
Real = Annotated[float, Field(strict=True)]
Positive = Annotated[float, Field(gt=0.0, strict=True)]
NonNegative = Annotated[float, Field(ge=0.0, strict=True)]
Fraction = Annotated[float, Field(gt=0.0, le=1.0, strict=True)]
Origin = Literal["published", "measured", "fitted", "assumed", "given"]

_SOURCE_KEYS = frozenset({"value", "source", "plus_minus", "note"})


class Value(BaseModel):
    """A frozen, validated value. Unknown keys, NaN and infinities are errors; floats are never rounded."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)

    def canonical_bytes(self) -> bytes:
        """The content as canonical JSON: sorted keys, shortest round-trip floats. Equal values give equal bytes."""
        plain = self.model_dump(mode="json")
        return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()

    @property
    def id(self) -> str:
        """SHA-256 of the full content, in hex; the class's name takes part."""
        return hashlib.sha256(type(self).__name__.encode() + b"\0" + self.canonical_bytes()).hexdigest()

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed, validated again (pydantic's ``model_copy(update=…)`` does not)."""
        content = {name: getattr(self, name) for name in type(self).model_fields}
        return validated(type(self), {**content, **changes})


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


V = TypeVar("V", bound=Value)


def validated(kind: type[V], content: Mapping[str, Any], *, key: str = "") -> V:
    """Build a value; the first thing wrong with the content becomes one :class:`InputError` naming its key."""
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise input_error(error, key=key) from None


def input_error(error: ValidationError, *, key: str = "") -> InputError:
    """The most telling of pydantic's complaints as one line: unknown keys first, since they explain missing ones."""
    found = error.errors(include_url=False)
    first = min(found, key=lambda item: (item["type"] != "extra_forbidden", item["type"] == "missing"))
    steps = [str(step) for step in first["loc"] if not _is_branch_name(step)]
    where = ".".join(filter(None, [key, *steps]))
    rules = {
        "missing": "this key is required and is missing",
        "extra_forbidden": "unknown key; check its spelling",
        "finite_number": "must be a finite number",
    }
    message = rules.get(first["type"], first["msg"].removeprefix("Value error, "))
    if first["type"] == "missing":
        return InputError(message, key=where)
    return InputError(message[:1].lower() + message[1:], key=where, value=first["input"])


def _is_branch_name(step: object) -> bool:
    """pydantic puts the name of a union's branch into the location; a user never wrote it."""
    return isinstance(step, str) and (step.startswith("<") or "[" in step or step.startswith("function-"))


def strip_sources(content: Any, path: str = "") -> tuple[Any, list[SourcedNumber]]:
    """Split content with annotated numbers into plain content and the list of where each number comes from."""
    if isinstance(content, Mapping):
        if "value" in content and "source" in content:
            return _one_source(content, path)
        plain, records = {}, []
        for name, item in content.items():
            plain[name], found = strip_sources(item, f"{path}.{name}" if path else str(name))
            records += found
        return plain, records
    if isinstance(content, list | tuple):
        pairs = [strip_sources(item, f"{path}.{index}") for index, item in enumerate(content)]
        return [item for item, _ in pairs], [record for _, found in pairs for record in found]
    return content, []


def _one_source(content: Mapping[str, Any], path: str) -> tuple[Any, list[SourcedNumber]]:
    unknown = sorted(set(content) - _SOURCE_KEYS)
    if unknown:
        raise InputError("a number with a source takes value, source, plus_minus and note", key=path, value=unknown[0])
    value = content["value"]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError("a value with a source must be a number", key=path, value=value)
    return value, [validated(SourcedNumber, {"path": path, **content}, key=path)]


class DefaultSource:
    """Where a field's default comes from: ``x: Annotated[Positive, DefaultSource(plus_minus=10)] = 63.0``.

    A default that a design leaves out is listed in ``design.sources`` with this record.
    """

    __slots__ = ("note", "plus_minus", "source")

    def __init__(self, source: Origin = "assumed", *, plus_minus: float | None = None, note: str = "default"):
        self.source, self.plus_minus, self.note = source, plus_minus, note


def default_sources(value: Value, path: str = "") -> list[SourcedNumber]:
    """Records of the numbers that ``value`` and the values within it take from annotated defaults."""
    records = []
    for name, info in type(value).model_fields.items():
        item, where = getattr(value, name), f"{path}.{name}" if path else name
        if isinstance(item, Value):
            records += default_sources(item, where)
        mark = next((m for m in info.metadata if isinstance(m, DefaultSource)), None)
        if mark and name not in value.model_fields_set and isinstance(item, int | float):
            content = {"path": where, "value": item, "source": mark.source}
            records.append(SourcedNumber(**content, plus_minus=mark.plus_minus, note=mark.note))
    return records
