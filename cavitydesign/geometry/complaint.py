"""From pydantic's complaints to lines: the dotted key as a file spells it, the rule, the value.

A validator that looks at several fields raises :class:`RuleBroken`, which says which key breaks the rule; the way to
the validator's own value is put in front of it.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from cavitydesign.errors import InputError, told_together

_UNSAID: Any = object()
_FORMS = frozenset({"<n>", "<library>", "<sellmeier>", "<cauchy>", "<table>", "<film>", "<name>"})
_TAGS = {
    "pattern": frozenset({"circle", "rectangle", "polygon", "bar"}),
    "lattice": frozenset({"none", "line", "square", "rectangular", "hexagonal", "oblique"}),
    "emitter": frozenset({"shells", "measured", "constant"}),
}
_TAG_KEYS = {"pattern": "shape", "lattice": "kind", "emitter": "model"}
_SCALARS = frozenset({"float", "int", "str", "bool"})


class RuleBroken(ValueError):
    """A rule between several fields of a value is broken; raised inside validators.

    ``key`` is relative to the value whose validator raises it; ``value`` is what stands there, if that tells something.
    """

    def __init__(self, rule: str, *, key: str = "", value: Any = _UNSAID):
        self.rule, self.key, self.value = rule, key, value
        super().__init__(rule)


def input_error(error: ValidationError, *, kind: type[BaseModel], key: str = "") -> InputError:
    """All of pydantic's complaints about a value of class ``kind``: one of them as it is, several as InputErrors.

    One for each key, in the order in which they explain each other: a wrong kind of something, whose other keys are
    then not looked at; unknown keys; wrong values; missing keys, but for those that an unknown one was meant to be.
    """
    told: dict[str, InputError] = {}
    explained: set[str] = set()
    for item in sorted(error.errors(include_url=False), key=_rank):
        where = ".".join(filter(None, [key, *_steps(item["loc"])]))
        table = where.rpartition(".")[0]
        if f"{table}.*" in explained or (item["type"] == "missing" and where in explained):
            continue
        if item["type"] == "extra_forbidden":
            nearest = _nearest(kind, item["loc"])
            rule = f"did you mean {nearest}?" if nearest else "check its spelling"
            told.setdefault(where, InputError(f"unknown key; {rule}", key=where, value=item["input"]))
            explained.add(".".join(filter(None, [table, nearest])))
        else:
            told.setdefault(where, _complaint(item, where))
        if _rank(item) == 0:
            explained.add(f"{table}.*")
    return told_together(told.values())


def _rank(item: Mapping[str, Any]) -> int:
    if item["type"] == "literal_error" and item["loc"][-1] in _TAG_KEYS.values():
        return 0
    return {"extra_forbidden": 1, "missing": 3}.get(item["type"], 2)


def _complaint(item: Mapping[str, Any], where: str) -> InputError:
    """One complaint, other than one about an unknown key."""
    context = item.get("ctx", {})
    inner = context.get("error")
    if isinstance(inner, RuleBroken):
        return _from_rule(inner, where)
    if isinstance(inner, InputError):
        return inner
    if isinstance(inner, ValidationError):  # the layers that a family's numbers make are at fault
        told = input_error(inner, kind=BaseModel)
        return InputError(f"these numbers give a stack that cannot be: {told}", key=where)
    rule = _rule(item)
    if item["type"] == "missing":
        return InputError(rule, key=where)
    value = item["input"]
    if item["type"] in ("value_error", "assertion_error") and _is_composite(value):
        return InputError(
            rule, key=where
        )  # the rule names what it is about; the whole table would only hide it
    place = next((str(step) for step in reversed(item["loc"]) if step in _TAG_KEYS), "pattern")
    if item["type"] == "union_tag_invalid" and context["tag"] not in _FORMS:
        return InputError(rule, key=f"{where}.{_TAG_KEYS[place]}", value=context["tag"])
    if item["type"] == "union_tag_not_found":
        return InputError("this key is required and is missing", key=f"{where}.{_TAG_KEYS[place]}")
    return InputError(rule, key=where, value=value)


def _nearest(kind: type[BaseModel], location: tuple[int | str, ...]) -> str | None:
    """The known key that an unknown one, the last step of a location within ``kind``, was most likely meant to be."""
    models = [kind]
    for step in location[:-1]:
        named = [model for model in models if _is_branch_of(model, step)]
        fields = [model.model_fields[str(step)] for model in models if step in model.model_fields]
        inner = [model for field in fields for model in _models_in(field.annotation)]
        beside = models if step == "pattern" else []  # a shape's keys stand beside those of what holds it
        models = named or [*inner, *beside] or models
    known = sorted({name for model in models for name in model.model_fields})
    return next(iter(difflib.get_close_matches(str(location[-1]), known, n=1)), None)


def _is_branch_of(model: type[BaseModel], step: int | str) -> bool:
    """Whether a step of a location is the tag by which a union chose this model."""
    tags = (model.model_fields.get(name) for name in _TAG_KEYS.values())
    return getattr(model, "tag", None) == step or any(field and field.default == step for field in tags)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every model that an annotation names, within unions, tuples and tables too."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


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
    last: int | str = ""
    for step in location:
        if step in _FORMS or step in _TAGS.get(str(last), ()) or _is_branch(step):
            continue
        last = step
        if step != "pattern":
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
