"""From pydantic's complaints to one line: the dotted key as a file spells it, the rule, the value.

A validator that looks at several fields raises :class:`RuleBroken`, which says which key breaks the rule; the way to
the validator's own value is put in front of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from cavitydesign.errors import InputError

_UNSAID: Any = object()
_FORMS = frozenset({"<n>", "<library>", "<sellmeier>", "<cauchy>", "<table>", "<film>", "<name>"})
_SHAPES = frozenset({"circle", "rectangle", "polygon"})
_SCALARS = frozenset({"float", "int", "str", "bool"})


class RuleBroken(ValueError):
    """A rule between several fields of a value is broken; raised inside validators.

    ``key`` is relative to the value whose validator raises it; ``value`` is what stands there, if that tells something.
    """

    def __init__(self, rule: str, *, key: str = "", value: Any = _UNSAID):
        self.rule, self.key, self.value = rule, key, value
        super().__init__(rule)


def input_error(error: ValidationError, *, key: str = "") -> InputError:
    """The most telling of pydantic's complaints as one line: unknown keys first, since they explain missing ones."""
    found = error.errors(include_url=False)
    first: Mapping[str, Any] = min(
        found, key=lambda item: (item["type"] != "extra_forbidden", item["type"] == "missing")
    )
    context = first.get("ctx", {})
    inner = context.get("error")
    where = ".".join(filter(None, [key, *_steps(first["loc"])]))
    if isinstance(inner, RuleBroken):
        return _from_rule(inner, where)
    if isinstance(inner, InputError):
        return inner
    if isinstance(inner, ValidationError):  # the layers that a family's numbers make are at fault
        told = input_error(inner)
        return InputError(f"these numbers give a stack that cannot be: {told}", key=where)
    rule = _rule(first)
    if first["type"] == "missing":
        return InputError(rule, key=where)
    value = first["input"]
    if first["type"] in ("value_error", "assertion_error") and _is_composite(value):
        return InputError(
            rule, key=where
        )  # the rule names what it is about; the whole table would only hide it
    if first["type"] == "union_tag_invalid" and context["tag"] not in _FORMS:
        return InputError(rule, key=f"{where}.shape", value=context["tag"])
    if first["type"] == "union_tag_not_found":
        return InputError("this key is required and is missing", key=f"{where}.shape")
    return InputError(rule, key=where, value=value)


def _from_rule(broken: RuleBroken, where: str) -> InputError:
    key = ".".join(filter(None, [where, broken.key]))
    if broken.value is _UNSAID:
        return InputError(broken.rule, key=key)
    return InputError(broken.rule, key=key, value=broken.value)


def _is_composite(value: object) -> bool:
    return isinstance(value, Mapping) or hasattr(type(value), "model_fields")


def _steps(location: Iterable[int | str]) -> list[str]:
    """The location as a user wrote it: no branches of unions, a shape's keys beside its material's."""
    steps: list[str] = []
    in_pattern = False
    for step in location:
        if step in _FORMS or (in_pattern and step in _SHAPES) or _is_branch(step):
            continue
        in_pattern = step == "pattern"
        if not in_pattern:
            steps.append(str(step))
    while steps and steps[-1] in _SCALARS:
        steps.pop()
    return steps


def _is_branch(step: object) -> bool:
    """pydantic puts the name of a union's branch into the location; a user never wrote it."""
    return isinstance(step, str) and step.startswith(
        ("function-", "constrained-", "literal[", "tuple[", "[key]")
    )


def _rule(item: Mapping[str, Any]) -> str:
    """What the value must be, in the words of this package."""
    kind, context = item["type"], item.get("ctx", {})
    if item["loc"][-1:] == ("[key]",):
        return "a name must be text without dots, which separate the steps of a path"
    if (
        kind == "greater_than" and item["input"] <= 0.0
    ):  # the small number that lengths must exceed explains less
        return "must be > 0"
    if kind in _RULES:
        return _RULES[kind](context)
    message = str(item["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return message[:1].lower() + message[1:]


def _one_of(context: Mapping[str, Any]) -> str:
    return f"must be {str(context['expected']).replace(chr(39), '')}"


def _tags(context: Mapping[str, Any]) -> str:
    expected = str(context["expected_tags"])
    if "<" in expected:
        return "must be a material, such as { n = 1.85 } or { library = main/SiO2/Malitson }"
    return f"must be one of {expected.replace(chr(39), '')}"


def _number(_: Mapping[str, Any]) -> str:
    return "must be a number"


def _table(_: Mapping[str, Any]) -> str:
    return "must be a table of keys"


def _list(_: Mapping[str, Any]) -> str:
    return "must be a list"


def _whole(_: Mapping[str, Any]) -> str:
    return "must be a whole number"


_RULES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "missing": lambda _: "this key is required and is missing",
    "extra_forbidden": lambda _: "unknown key; check its spelling",
    "finite_number": lambda _: "must be a finite number",
    "float_type": _number,
    "float_parsing": _number,
    "int_type": _whole,
    "int_from_float": _whole,
    "int_parsing": _whole,
    "int_parsing_size": _whole,
    "bool_type": lambda _: "must be true or false",
    "string_type": lambda _: "must be a text in quotes",
    "string_too_short": lambda _: "must not be empty",
    "string_too_long": lambda c: f"must be at most {c['max_length']} characters long",
    "string_pattern_mismatch": lambda _: (
        "must be shelf/book/page of refractiveindex.info, as in main/SiO2/Malitson"
    ),
    "model_type": _table,
    "model_attributes_type": _table,
    "dict_type": _table,
    "tuple_type": _list,
    "invalid_key": lambda _: "a key must be text",
    "too_short": lambda c: f"must have at least {c['min_length']} entries, not {c['actual_length']}",
    "too_long": lambda c: f"must have at most {c['max_length']} entries",
    "greater_than": lambda c: f"must be > {c['gt']:g}",
    "greater_than_equal": lambda c: f"must be ≥ {c['ge']:g}",
    "less_than": lambda c: f"must be < {c['lt']:g}",
    "less_than_equal": lambda c: f"must be ≤ {c['le']:g}",
    "literal_error": _one_of,
    "union_tag_invalid": _tags,
}
