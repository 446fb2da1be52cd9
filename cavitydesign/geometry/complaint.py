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
_SHAPES = frozenset({"circle", "ellipse", "rectangle", "polygon", "bar"})
_TAGS = {
    **dict.fromkeys(("pattern", "cross_section", "holes"), _SHAPES),
    "lattice": frozenset({"none", "line", "square", "rectangular", "hexagonal", "oblique"}),
    "emitter": frozenset({"shells", "measured", "constant"}),
}
_TAG_KEYS = {"pattern": "shape", "lattice": "kind", "emitter": "model"}
_BRANCHES = ("function-", "constrained-", "literal[", "tuple[", "[key]")
"""How pydantic calls branches of unions, which a user never wrote."""
_SCALARS = frozenset({"float", "int", "str", "bool"})


class RuleBroken(ValueError):
    """A rule between several fields of a value is broken; raised inside validators.

    ``key`` is relative to the value whose validator raises it; ``value`` is what stands there, if that tells something.
    """

    def __init__(self, rule: str, *, key: str = "", value: Any = _UNSAID):
        self.rule, self.key, self.value = rule, key, value
        super().__init__(rule)

    def told(self, under: str = "") -> InputError:
        """As an error about the key ``under`` which the value stands."""
        got = {} if self.value is _UNSAID else {"value": self.value}
        return InputError(self.rule, key=".".join(filter(None, [under, self.key])), **got)


class RulesBroken(ValueError):
    """Several rules are broken at once."""

    def __init__(self, broken: list[ValueError]):
        self.broken = broken
        super().__init__("; ".join(map(str, broken)))


def all_hold(*checks: Callable[[], Any]) -> None:
    """Run every check of a validator, and raise together what they raise."""
    broken: list[ValueError] = []
    for check in checks:
        try:
            check()
        except ValueError as error:
            broken.append(error)
    if broken:
        raise broken[0] if len(broken) == 1 else RulesBroken(broken)


def told_once(faults: Iterable[InputError]) -> InputError:
    """One fault as it is, several as one error; a fault that several places share, once."""
    return told_together({fault.lines: fault for fault in faults}.values())


def input_error(
    error: ValidationError,
    *,
    kind: type[BaseModel],
    key: str = "",
    faults: Mapping[str, InputError] | None = None,
) -> InputError:
    """All of pydantic's complaints about a value of class ``kind``: one of them as it is, several as InputErrors.

    One for each key, in the order in which they explain each other: ``faults`` that were found before, by their keys,
    beneath which nothing more is told; a wrong kind of something, whose other keys are then not looked at; unknown
    keys; wrong values; missing keys, but for those that an unknown one was meant to be.
    """
    told: dict[str, InputError] = dict(faults or {})
    before = tuple(f"{place}." for place in told)
    explained: set[str] = set()
    items: list[Any] = sorted(error.errors(include_url=False), key=_rank)
    wrong_within = {item["loc"][:-1] for item in items}
    for item in items:
        where = ".".join(filter(None, [key, *_steps(item["loc"])]))
        table = where.rpartition(".")[0]
        hidden = f"{table}.*" in explained or (item["type"] == "missing" and where in explained)
        shrunk = item["type"] == "too_short" and item["loc"] in wrong_within  # wrong entries are not counted
        if hidden or shrunk or f"{where}.".startswith(before):
            continue
        if item["type"] == "extra_forbidden":
            nearest = _nearest(kind, item["loc"])
            rule = f"did you mean {nearest}?" if nearest else "check its spelling"
            told.setdefault(where, InputError(f"unknown key; {rule}", key=where, value=item["input"]))
            explained.add(".".join(filter(None, [table, nearest])))
        else:
            told.setdefault(where, told_together(_complaints(item, where)))
        if _rank(item) == 0:
            explained.add(f"{table}.*")
    return told_once(told.values())


def _rank(item: Mapping[str, Any]) -> int:
    if item["type"] == "literal_error" and item["loc"][-1] in _TAG_KEYS.values():
        return 0
    return {"extra_forbidden": 1, "missing": 3}.get(item["type"], 2)


def _complaints(item: Mapping[str, Any], where: str) -> Iterator[InputError]:
    """What is wrong, other than an unknown key."""
    inner = item.get("ctx", {}).get("error")
    for error in inner.broken if isinstance(inner, RulesBroken) else [inner]:
        of_one = {"msg": str(error), "ctx": {"error": error}} if error is not inner else {}
        yield _complaint({**item, **of_one}, where)


def _complaint(item: Mapping[str, Any], where: str) -> InputError:
    context = item.get("ctx", {})
    inner = context.get("error")
    if isinstance(inner, RuleBroken):
        return inner.told(where)
    if isinstance(inner, ValidationError):  # the layers that a family's numbers make are at fault
        told = input_error(inner, kind=BaseModel)
        return InputError(f"these numbers give a stack that cannot be: {told}", key=where)
    rule, value = _rule(item), item["input"]
    place = next((str(step) for step in reversed(item["loc"]) if step in _TAG_KEYS), "pattern")
    if item["type"] == "union_tag_not_found":
        return InputError(rule, key=f"{where}.{_TAG_KEYS[place]}")
    if item["type"] == "union_tag_invalid" and context["tag"] not in _FORMS:
        return InputError(rule, key=f"{where}.{_TAG_KEYS[place]}", value=context["tag"])
    composite = isinstance(value, Mapping | BaseModel)  # which would only hide what the rule is about
    if item["type"] == "missing" or (item["type"] in ("value_error", "assertion_error") and composite):
        return InputError(rule, key=where)
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
    known = sorted({name for model in models for name in model.model_fields} - {location[-1]})
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


def _steps(location: Iterable[int | str]) -> list[str]:
    """The location as a user wrote it: no branches of unions, a shape's keys beside its material's."""
    steps: list[str] = []
    last: int | str = ""
    for step in location:
        if step in _FORMS or str(step).startswith(_BRANCHES):
            continue
        is_tag = step in _TAGS.get(str(last), ())
        last = last if isinstance(step, int) else step  # of holes.0 it is holes that says what may follow
        if is_tag:
            continue
        if step != "pattern":
            steps.append(str(step))
    while steps and steps[-1] in _SCALARS:
        steps.pop()
    return steps


def _rule(item: Mapping[str, Any]) -> str:
    """What the value must be, in the words of this package."""
    kind, context = item["type"], item.get("ctx", {})
    if item["loc"][-1:] == ("[key]",):
        return "a name must be text without dots, which separate the steps of a path"
    if kind == "greater_than" and item["input"] <= 0.0:  # the small number that it must exceed explains less
        return "must be > 0"
    if kind == "union_tag_invalid" and "<" in context["expected_tags"]:
        return "must be a material, such as { n = 1.85 } or { library = main/SiO2/Malitson }"
    if kind in _RULES:
        return _RULES[kind].format(**context).replace("'", "")
    message = str(item["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return message[:1].lower() + message[1:]


_RULES: Mapping[str, str] = {
    **dict.fromkeys(("missing", "union_tag_not_found"), "this key is required and is missing"),
    "finite_number": "must be a finite number",
    **dict.fromkeys(("float_type", "float_parsing"), "must be a number"),
    **dict.fromkeys(
        ("int_type", "int_from_float", "int_parsing", "int_parsing_size"), "must be a whole number"
    ),
    "bool_type": "must be true or false",
    "string_type": "must be a text in quotes",
    "string_too_short": "must not be empty",
    "string_too_long": "must be at most {max_length} characters long",
    "string_pattern_mismatch": "must be shelf/book/page of refractiveindex.info, as in main/SiO2/Malitson",
    **dict.fromkeys(("model_type", "model_attributes_type", "dict_type"), "must be a table of keys"),
    "tuple_type": "must be a list",
    "invalid_key": "a key must be text",
    "too_short": "must have at least {min_length} entries, not {actual_length}",
    "too_long": "must have at most {max_length} entries",
    "greater_than": "must be > {gt:g}",
    "greater_than_equal": "must be ≥ {ge:g}",
    "less_than": "must be < {lt:g}",
    "less_than_equal": "must be ≤ {le:g}",
    "literal_error": "must be {expected}",
    "union_tag_invalid": "must be one of {expected_tags}",
}
