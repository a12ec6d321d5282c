"""The IR: immutable, strict, and the same after a trip through JSON."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from capnweb_gen import ir

HERE = ir.Position(line=1, column=1)
SCALARS = st.sampled_from(["none", "bool", "int", "float", "str", "bytes", "datetime", "any"]).map(
    lambda name: ir.Scalar.model_validate({"name": name})
)
REFERENCES = st.builds(ir.Reference, module=st.sampled_from(["a", "b.c"]), name=st.sampled_from(["X", "Y"]))
LEAVES = st.one_of(
    SCALARS,
    st.builds(
        ir.LiteralShape, values=st.lists(st.one_of(st.booleans(), st.integers(), st.text()), min_size=1).map(tuple)
    ),
    st.builds(ir.TextShape, type=REFERENCES, format=st.text()),
    st.builds(ir.SturdyRefShape, interface=REFERENCES),
    st.builds(ir.ModelShape, model=REFERENCES),
    st.builds(ir.InterfaceShape, interface=REFERENCES),
    st.builds(ir.CallbackShape, callback=REFERENCES),
    st.builds(ir.Unsupported, reason=st.text(), hint=st.text(), position=st.just(HERE)),
)
SHAPES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(ir.ListShape, item=inner),
        st.builds(ir.DictShape, value=inner),
        st.builds(ir.DictShape, key=inner, value=inner),
        st.builds(ir.ConstrainedShape, item=inner, when=st.sampled_from([None, "past", "future"])),
        st.builds(ir.OptionalShape, item=inner),
        st.builds(ir.CallableShape, parameters=st.lists(inner, max_size=3).map(tuple), result=inner),
    ),
    max_leaves=8,
)
DEFAULTS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.builds(ir.SpecialFloat, float=st.sampled_from(["inf", "-inf", "nan"])),
)


@given(SHAPES)
def test_types_survive_json(shape: ir.TypeShape) -> None:
    field = ir.ModelField(name="a", wire="a", accepts="a", type=shape, required=True, position=HERE)
    read = ir.ModelField.model_validate_json(field.model_dump_json())
    assert repr(read) == repr(field)  # values alone would not tell 1 from True


@given(DEFAULTS)
def test_defaults_keep_their_type_in_json(value: ir.DefaultValue) -> None:
    read = ir.Default.model_validate_json(ir.Default(value=value).model_dump_json())
    assert repr(read.value) == repr(value)


def test_nodes_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        HERE.line = 2


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(ValidationError, match="colour"):
        ir.Position.model_validate({"line": 1, "column": 1, "colour": "red"})


def test_another_format_is_refused() -> None:
    with pytest.raises(ValidationError, match="format"):
        ir.Schema.model_validate({"format": 2, "module": "a", "path": "a.py", "output": "a.py"})


def test_callbacks_are_written_where_there_are_any_and_only_there() -> None:
    call = ir.Method(name="__call__", wire="", result=ir.Scalar(name="none"), position=HERE)
    callback = ir.Callback(name="OnBook", call=call, position=HERE)
    schema = ir.Schema(module="a", path="a.py", output="a.py")
    assert "callbacks" not in schema.model_dump(mode="json")
    schema = schema.model_copy(update={"callbacks": (callback,)})
    assert ir.Schema.model_validate_json(schema.model_dump_json()) == schema


def test_costs_are_written_where_they_are_said_and_read_within_their_bounds() -> None:
    method = ir.Method(name="a", wire="a", result=ir.Scalar(name="none"), position=HERE)
    assert not {"cost", "items"} & method.model_dump().keys()
    dear = method.model_copy(update={"cost": 25, "items": 20})
    assert ir.Method.model_validate_json(dear.model_dump_json()) == dear
    for wrong in ({"cost": 0}, {"cost": True}, {"cost": ir.MOST_COST + 1}, {"items": 0}, {"items": 2.5}):
        with pytest.raises(ValidationError, match=r"cost|items"):
            ir.Method.model_validate({**method.model_dump(), **wrong})


def test_walking_a_type_visits_every_part_outermost_first() -> None:
    number = ir.Scalar(name="int")
    inner = ir.ListShape(item=number)
    shape = ir.CallableShape(parameters=(inner,), result=ir.OptionalShape(item=number))
    assert list(ir.walk(shape)) == [shape, inner, number, shape.result, number]
    by_number = ir.DictShape(key=number, value=inner)
    assert list(ir.walk(by_number)) == [by_number, number, inner, number]
