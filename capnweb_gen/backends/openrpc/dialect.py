"""Schemas of JSON in the dialect of OpenRPC. Rule: its documents are read as draft 7, which says some things of 2020-12
in other words, and looks at nothing beside a reference.
"""

from __future__ import annotations

from typing import Any, cast

Json = dict[str, Any]

_SCHEMAS = frozenset({"additionalProperties", "items", "propertyNames", "x-capnweb-stream"})
_LISTS = frozenset({"allOf", "anyOf", "prefixItems"})


def draft_7(schema: Json) -> Json:
    """The same schema in draft 7."""
    made: Json = {}
    for key, value in schema.items():
        if key in _SCHEMAS and isinstance(value, dict):
            made[key] = draft_7(cast("Json", value))
        elif key in _LISTS:
            made["items" if key == "prefixItems" else key] = [draft_7(part) for part in value]
        elif key == "properties":
            made[key] = {name: draft_7(part) for name, part in value.items()}
        elif key == "x-capnweb-function":
            made[key] = _function(value)
        else:
            made[key] = value
    if "$ref" in made and len(made) > 1:
        return {"allOf": [{"$ref": made.pop("$ref")}], **made}
    return made


def _function(function: Json) -> Json:
    parameters = [{**parameter, "schema": draft_7(parameter["schema"])} for parameter in function["parameters"]]
    return {"parameters": parameters, "result": draft_7(function["result"])}
