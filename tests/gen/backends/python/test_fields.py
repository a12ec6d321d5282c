"""The lines of a model's functions: one for each field, which looks at scalars itself."""

from __future__ import annotations

import pytest

from capnweb_gen import ir
from capnweb_gen.backends.python.fields import Fields

POSITION = ir.Position(line=1, column=1)


def field(
    name: str, shape: ir.TypeShape, *, wire: str = "", required: bool = True, computed: bool = False
) -> ir.ModelField:
    return ir.ModelField(
        name=name,
        wire=wire or name,
        accepts=name,
        type=shape,
        required=required,
        computed=computed,
        position=POSITION,
    )


def scalar(name: ir.ScalarName) -> ir.Scalar:
    return ir.Scalar(name=name)


def lines(*fields: ir.ModelField, form: str = "pydantic") -> Fields:
    model = ir.Model.model_validate(
        {"name": "M", "module": "m", "path": "m.py", "fields": fields, "form": form, "position": POSITION}
    )
    return Fields(model, lambda shape: f"rpc.{getattr(shape, 'name', 'other').upper()}")


@pytest.mark.parametrize(
    ("name", "sent", "read"),
    [
        ("int", "int and -(2**53) < x < 2**53", "int"),
        ("float", "float and x and x - x == 0.0", "float"),
        ("str", "str", "str"),
    ],
)
def test_a_scalar_is_looked_at_in_the_line_itself(name: ir.ScalarName, sent: str, read: str) -> None:
    made, codec = lines(field("a", scalar(name), wire="b")), f"rpc.{name.upper()}"
    assert made.sent == (f'"b": x if type(x := value.a) is {sent} else {codec}.encode(x, to),',)
    assert made.read == (f'"a": x if type(x := wire.get("b")) is {read} else {codec}.read(wire, "b", source),',)


def test_what_is_no_scalar_is_left_to_its_codec() -> None:
    made = lines(field("a", ir.ListShape(item=scalar("int"))))
    assert made.sent == ('"a": rpc.OTHER.encode(value.a, to),',)
    assert made.read == ('"a": rpc.OTHER.read(wire, "a", source),',)


def test_a_line_that_would_be_too_long_is_left_to_the_codec() -> None:
    name = "a" * 36
    made = lines(field(name, scalar("str")))
    assert made.sent == (f'"{name}": rpc.STR.encode(value.{name}, to),',)
    assert made.read == (f'"{name}": rpc.STR.read(wire, "{name}", source),',)


def test_fields_are_read_in_order_and_those_with_a_default_if_they_are_there() -> None:
    made = lines(field("a", scalar("int")), field("b", scalar("int"), required=False), field("c", scalar("int")))
    assert len(made.read) == 1
    assert made.read_then == (
        'rpc.read_optional(fields, "b", wire, "b", rpc.INT, source)',
        'fields["c"] = rpc.INT.read(wire, "c", source)',
    )


def test_a_computed_field_is_sent_and_not_read() -> None:
    made = lines(field("a", scalar("int")), field("b", scalar("int"), required=False, computed=True))
    assert (len(made.sent), len(made.read), made.read_then) == (2, 1, ())
    assert made.keys == ['"a"', 'computed=("b",)']


def test_a_key_that_a_typed_dict_may_lack_is_sent_if_it_is_there() -> None:
    made = lines(field("a", scalar("int")), field("b", scalar("int"), required=False), form="typed_dict")
    assert 'value["a"]' in made.sent[0]
    assert made.sent_if_there == (('if "b" in value:', 'wire["b"] = rpc.INT.encode(value["b"], to)'),)
