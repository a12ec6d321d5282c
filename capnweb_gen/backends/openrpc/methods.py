"""The members of an interface as methods of OpenRPC.

Rule: what a call has on the wire, by position: `params` are the elements of its array of arguments. A property is the
method `get:name` without parameters.
"""

from __future__ import annotations

from typing import Any

from capnweb_gen import ir
from capnweb_gen.backends.json_schema.definitions import Definitions, described
from capnweb_gen.backends.json_schema.forms import one_of

Json = dict[str, Any]

UNDEFINED: Json = {"const": ["undefined"]}
"""An argument that is left out, where others follow."""
KEYWORDS = "keywords"


def method(member: ir.Method | ir.Property, namer: ir.Schema, definitions: Definitions) -> Json:
    """One member.

    Args:
        member: of an interface.
        namer: the schema that declares that interface.
        definitions: those of the document, to which types refer.
    """
    is_property = isinstance(member, ir.Property)
    parameters = [] if isinstance(member, ir.Property) else _parameters(member, namer, definitions)
    result = member.type if isinstance(member, ir.Property) else member.result
    marks = {
        f"x-capnweb-{name}": True for name in ("idempotent", "cancellable", "secret") if getattr(member, name, False)
    }
    errors = [
        error for error in namer.errors for one in member.raises if (error.module, error.name) == (one.module, one.name)
    ]
    return {
        "name": f"get:{member.wire}" if is_property else member.wire,
        **_described(member),
        "paramStructure": "by-position",
        "params": parameters,
        "result": {"name": "value" if is_property else "result", "schema": definitions.of(result, namer)},
        **({"x-capnweb-raises": [definitions.error(error, namer) for error in errors]} if errors else {}),
        **marks,
        **({"x-capnweb-cost": member.cost} if member.cost != 1 else {}),
        **({"x-capnweb-items": member.items} if member.items is not None else {}),
    }


def _described(member: ir.Method | ir.Property) -> Json:
    """The first line is a summary; only what says more is a description."""
    first, _, more = (member.doc or "").partition("\n")
    summary = {"summary": first} if first else {}
    return {**summary, **described(member.doc if more else None, member.deprecated)}


def _parameters(method: ir.Method, namer: ir.Schema, definitions: Definitions) -> list[Json]:
    plain = [parameter for parameter in method.parameters if parameter.passing != "keyword"]
    keywords = [parameter for parameter in method.parameters if parameter.passing == "keyword"]
    made = [_parameter(parameter, namer, definitions) for parameter in plain]
    if not keywords:
        return made
    required = [parameter.wire for parameter in keywords if parameter.default is None]
    properties = {parameter.wire: _typed(parameter, namer, definitions) for parameter in keywords}
    if required:  # then whatever comes before has to be there too
        made = [one if one["required"] else {**one, "required": True, "schema": _or_undefined(one)} for one in made]
    return [
        *_as_one(made, keywords),
        {
            "name": _free({parameter.name for parameter in plain}),
            "summary": "What is passed by keyword, as one object.",
            "required": bool(required),
            "schema": {"type": "object", "properties": properties, **({"required": required} if required else {})},
            "x-capnweb-keywords": True,
        },
    ]


def _parameter(parameter: ir.Parameter, namer: ir.Schema, definitions: Definitions) -> Json:
    return {
        "name": parameter.name,
        "required": parameter.default is None and parameter.passing != "variadic",
        "schema": _typed(parameter, namer, definitions),
        **({"x-capnweb-variadic": True} if parameter.passing == "variadic" else {}),
        **({"x-capnweb-secret": True} if parameter.secret else {}),
    }


def _typed(parameter: ir.Parameter, namer: ir.Schema, definitions: Definitions) -> Json:
    """The schema of an argument, with its default if JSON has that."""
    schema = definitions.of(parameter.type, namer)
    default = parameter.default.value if parameter.default else None
    plain = parameter.default is not None and not isinstance(default, ir.SpecialFloat)
    return {**schema, "default": default} if plain else schema


def _or_undefined(one: Json) -> Json:
    schema = {key: value for key, value in one["schema"].items() if key != "default"}
    return {**one_of([schema, UNDEFINED]), **{key: one["schema"][key] for key in ("default",) if key in one["schema"]}}


def _as_one(parameters: list[Json], keywords: list[ir.Parameter]) -> list[Json]:
    """Variadic arguments are one array where keywords follow, and otherwise as many arguments as there are."""
    if not keywords or not parameters or "x-capnweb-variadic" not in parameters[-1]:
        return parameters
    *others, last = parameters
    inner = {"type": "array", "items": last["schema"]}
    packed = {"type": "array", "prefixItems": [inner], "minItems": 1, "maxItems": 1}
    return [*others, {**last, "schema": packed}]


def _free(taken: set[str]) -> str:
    name = KEYWORDS
    while name in taken:
        name += "_"
    return name
