"""Types and signatures as people read them.

Rule: as a schema in Python would say it, without modules.
"""

from __future__ import annotations

from capnweb_gen import ir

_SCALARS: dict[ir.ScalarName, str] = {
    "none": "None",
    "exact_datetime": "datetime",
    "local_datetime": "datetime without a time zone",
    "decimal": "Decimal",
    "uuid": "UUID",
    "blob": "Blob",
    "url": "Url",
    "headers": "Headers",
    "request": "Request",
    "response": "Response",
    "json": "JSON",
    "any": "Any",
}


def type_text(shape: ir.TypeShape) -> str:
    """A type."""
    match shape:
        case ir.Scalar(name=name):
            return _SCALARS.get(name, name)
        case ir.LiteralShape(values=values):
            return f"Literal[{', '.join(map(repr, values))}]"
        case ir.EnumShape(enum=reference) | ir.TextShape(type=reference) | ir.NewTypeShape(new_type=reference):
            return reference.name
        case ir.ModelShape(model=reference) | ir.InterfaceShape(interface=reference):
            return reference.name
        case ir.CallbackShape(callback=reference):
            return reference.name
        case ir.SturdyRefShape(interface=reference):
            return f"SturdyRef[{reference.name}]"
        case ir.StubShape():
            return "Stub"
        case ir.Unsupported():
            return "?"
        case _:
            return _composed(shape)


def _composed(shape: ir.TypeShape) -> str:
    match shape:
        case ir.ConstrainedShape(item=item):
            return type_text(item)
        case ir.OptionalShape(item=item):
            return f"{type_text(item)} | None"
        case ir.OpenShape(item=item):
            return f"Open[{type_text(item)}]"
        case ir.UnionShape(members=members):
            return " | ".join(map(type_text, members))
        case ir.ListShape(item=item):
            return f"list[{type_text(item)}]"
        case ir.CollectionShape(container="tuple", item=item):
            return f"tuple[{type_text(item)}, ...]"
        case ir.CollectionShape(container=container, item=item):
            return f"{container}[{type_text(item)}]"
        case ir.TupleShape(items=items):
            return f"tuple[{', '.join(map(type_text, items))}]"
        case ir.DictShape(key=key, value=value):
            return f"dict[{type_text(key)}, {type_text(value)}]"
        case ir.StreamShape(item=item):
            return f"AsyncIterator[{type_text(item)}]"
        case ir.WritableShape(item=item):
            return f"Writable[{type_text(item)}]"
        case ir.CallableShape(parameters=parameters, result=result):
            return f"Callable[[{', '.join(map(type_text, parameters))}], {type_text(result)}]"
        case _:
            return "?"


def signature(method: ir.Method, name: str | None = None) -> str:
    """A method as a schema declares it: `get_profile(user_id: int) -> Profile`."""
    parts: list[str] = []
    starred = False
    for index, parameter in enumerate(method.parameters):
        if parameter.passing == "keyword" and not starred:
            parts.append("*")
            starred = True
        written = f"{parameter.name}: {type_text(parameter.type)}"
        if parameter.passing == "variadic":
            written, starred = f"*{written}", True
        if parameter.default is not None:
            written += f" = {_default(parameter.default)}"
        parts.append(written)
        following = method.parameters[index + 1 : index + 2]
        if parameter.passing == "positional_only" and all(one.passing != "positional_only" for one in following):
            parts.append("/")
    return f"{name or method.name}({', '.join(parts)}) -> {type_text(method.result)}"


def _default(default: ir.Default) -> str:
    value = default.value
    return value.float if isinstance(value, ir.SpecialFloat) else repr(value)
