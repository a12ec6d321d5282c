"""What the codec of a type is called in a generated module. Rule: readable where it is short, and else short."""

from __future__ import annotations

import re

from capnweb_gen import ir
from capnweb_gen.backends.python import module_names

LONGEST_NAME = 60

_COLLECTION_LABELS = {"set": "SET", "frozenset": "FROZENSET", "tuple": "TUPLE_OF_ANY"}


def label(shape: ir.TypeShape) -> str:
    """A readable name for a codec: `LIST_PROFILE`, `CALL_INT_TO_STR`."""
    match shape:
        case ir.Scalar(name=name):
            return name.upper()
        case ir.ModelShape(model=reference) | ir.InterfaceShape(interface=reference):
            return module_names.constant(reference.name)
        case ir.CallbackShape(callback=reference):
            return module_names.constant(reference.name)
        case ir.EnumShape(enum=reference, members=members, partial=True):
            names = (module_names.constant(reference.name), *(member.name.upper() for member in members))
            return _short("_".join(names), names[0])
        case ir.TextShape(type=reference):
            return module_names.constant(reference.name.replace("IPv", "Ipv"))
        case ir.SturdyRefShape(interface=reference):
            return f"STURDY_{module_names.constant(reference.name)}"
        case ir.EnumShape(enum=reference) | ir.NewTypeShape(new_type=reference):
            return module_names.constant(reference.name)
        case ir.ConstrainedShape(item=item):
            return f"{label(item)}_LIMITED"
        case ir.ListShape(item=item):
            return f"LIST_{label(item)}"
        case ir.CollectionShape(container=container, item=item):
            return f"{_COLLECTION_LABELS[container]}_{label(item)}"
        case ir.DictShape(value=value) if shape.key == ir.Scalar(name="str"):
            return f"DICT_{label(value)}"
        case ir.DictShape(key=key, value=value):
            return f"DICT_{label(key)}_TO_{label(value)}"
        case ir.OptionalShape(item=item):
            return f"OPTIONAL_{label(item)}"
        case ir.OpenShape(item=item):
            return f"OPEN_{label(item)}"
        case ir.StubShape():
            return "STUB"
        case ir.StreamShape(item=item):
            return f"STREAM_{label(item)}"
        case ir.WritableShape(item=item):
            return f"WRITABLE_{label(item)}"
        case ir.TupleShape(items=items):
            return _short("_".join(["TUPLE", *map(label, items)]), "TUPLE")
        case ir.UnionShape(members=members):
            return _short("_OR_".join(map(label, members)), "UNION")
        case ir.LiteralShape(values=values):
            words = "_".join(re.sub(r"[^A-Z0-9]+", "_", str(value).upper()).strip("_") for value in values)
            return f"LITERAL_{words}".rstrip("_") if len(words) <= LONGEST_NAME else "LITERAL"
        case ir.CallableShape(parameters=parameters, result=result):
            taken = "_".join(["CALL", *map(label, parameters)])
            given = "" if isinstance(result, ir.Scalar) and result.name == "none" else f"_TO_{label(result)}"
            return _short(taken + given, "CALL")
        case ir.Unsupported():
            raise AssertionError(f"{shape!r} cannot be spelled: check lets no such type through")


def _short(name: str, otherwise: str) -> str:
    return name if len(name) <= LONGEST_NAME else otherwise
