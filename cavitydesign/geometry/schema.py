"""The JSON schema of a design file, for editors and for programs that write designs.

Made from the very classes that validate a file, and changed in what a file may say otherwise than these hold it: a
number may carry its source, an inclusion's shape stands beside its material, a table is the name of a file.
"""

from __future__ import annotations

from typing import Any, get_args

from cavitydesign.errors import InputError
from cavitydesign.geometry.base import Origin
from cavitydesign.geometry.emitter import ConstantEmitter
from cavitydesign.geometry.families import families

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def design_schema(family: str) -> dict[str, Any]:
    """The JSON schema of the design files of one family.

    Args:
        family: its name, as a file gives it.

    Raises:
        InputError: there is no such family.
    """
    known = families()
    if family not in known:
        raise InputError(f"must be one of {', '.join(known)}", key="family", value=family)
    schema = known[family].model_json_schema()
    schema["properties"].pop("sources")  # a file writes them beside the numbers
    schema["required"] = ["family", *schema["required"]]
    parts = schema.get("$defs", {})
    parts.pop("SourcedNumber", None)
    for name in {"Table", "GainTable"} & parts.keys():
        parts[name]["properties"] = {"table": parts[name]["properties"]["table"]}
        parts[name]["required"] = ["table"]
    parts["Emitter"]["properties"]["model"] = {"const": "shells"}
    for name in ConstantEmitter.idle:
        del parts["ConstantEmitter"]["properties"][name]
    if "Inclusion" in parts:
        parts["Inclusion"] = _flat(parts.pop("Inclusion"), parts)
    return {"$schema": _DIALECT, "$id": f"cavitydesign-{family}", **_widened(schema)}


def _flat(inclusion: dict[str, Any], parts: dict[str, Any]) -> dict[str, Any]:
    """An inclusion as a file has it: the keys of one of the shapes beside its own."""
    shapes = inclusion["properties"].pop("pattern")["discriminator"]["mapping"]
    forms = []
    for reference in shapes.values():
        shape = parts[reference.rpartition("/")[2]]
        own = {**shape["properties"], **inclusion["properties"]}
        forms.append(
            {**shape, "properties": own, "required": ["shape", *shape.get("required", ()), "material"]}
        )
    return {"description": inclusion["description"], "anyOf": forms}


def _widened(schema: Any) -> Any:
    """Every number either plain or with its source; of alternatives one at least (a missing tag is a default)."""
    if isinstance(schema, list):
        return [_widened(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") in ("number", "integer"):
        return {"anyOf": [schema, _sourced(schema)]}
    kept = {name: item for name, item in schema.items() if name not in ("discriminator", "default")}
    if "oneOf" in kept:
        kept["anyOf"] = kept.pop("oneOf")
    widened = {name: _widened(item) for name, item in kept.items()}
    return {**widened, **({"default": schema["default"]} if "default" in schema else {})}


def _sourced(number: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "value": {name: item for name, item in number.items() if name not in ("title", "default")},
            "source": {"enum": list(get_args(Origin))},
            "plus_minus": {"type": "number", "minimum": 0},
            "note": {"type": "string"},
        },
        "required": ["value", "source"],
        "additionalProperties": False,
    }
