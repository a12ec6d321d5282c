"""How types are spelled in TypeScript."""

from __future__ import annotations

import pytest

from capnweb_gen import ir
from capnweb_gen.backends.typescript.scope import Scope
from capnweb_gen.backends.typescript.spelling import Spelling
from capnweb_gen.backends.typescript.survey import survey

INT, STR, FLOAT, NONE = (ir.Scalar(name=name) for name in ("int", "str", "float", "none"))
ITEM = ir.InterfaceShape(interface=ir.Reference(module="m", name="Item"))
MODEL = ir.ModelShape(model=ir.Reference(module="m", name="Profile"))
COLOUR = ir.Reference(module="m", name="Colour")
RED, BLUE = ir.EnumMember(name="RED", value="red"), ir.EnumMember(name="dark blue", value="blue")
CALL = ir.CallableShape(parameters=(INT, STR), result=NONE)


def spelled() -> tuple[Scope, Spelling]:
    schema = ir.Schema(module="m", path="m.py", output="m.py")
    scope = Scope(schema, survey((schema,)))
    return scope, Spelling(scope)


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (INT, "Int"),
        (FLOAT, "number"),
        (ir.Scalar(name="bytes"), "Uint8Array"),
        (ir.Scalar(name="datetime"), "Date"),
        (ir.Scalar(name="decimal"), "Decimal"),
        (ir.Scalar(name="any"), "unknown"),
        (ir.LiteralShape(values=("a", 1, True)), '"a" | 1 | true'),
        (ir.ListShape(item=ir.OptionalShape(item=STR)), "(string | null)[]"),
        (ir.ListShape(item=ir.CollectionShape(container="tuple", item=STR)), "(readonly string[])[]"),
        (ir.CollectionShape(container="set", item=STR), "SetOf<string>"),
        (ir.CollectionShape(container="tuple", item=INT), "readonly Int[]"),
        (ir.TupleShape(items=()), "[]"),
        (ir.TupleShape(items=(INT, STR)), "[Int, string]"),
        (ir.DictShape(value=MODEL), "Record<string, Profile>"),
        (ir.DictShape(key=INT, value=STR), "Record<Int, string>"),
        (ir.DictShape(key=ir.LiteralShape(values=("a", "b")), value=STR), 'Partial<Record<"a" | "b", string>>'),
        (ir.DictShape(key=ir.EnumShape(enum=COLOUR, members=(RED,)), value=STR), "Partial<Record<Colour, string>>"),
        (ir.EnumShape(enum=COLOUR, members=(RED,)), "Colour"),
        (
            ir.EnumShape(enum=COLOUR, members=(RED, BLUE), partial=True),
            'typeof Colour.RED | (typeof Colour)["dark blue"]',
        ),
        (ITEM, "RpcStub<Item>"),
        (CALL, "RpcStub<(first: Int, second: string) => void | Promise<void>>"),
        (ir.StreamShape(item=ITEM), "ReadableStream<RpcStub<Item>>"),
        (ir.WritableShape(item=STR), "WritableStream<string>"),
        (ir.StubShape(), "RpcStub<AnyTarget>"),
        (ir.SturdyRefShape(interface=ITEM.interface), "SturdyRef<Item>"),
    ],
)
def test_a_type_that_is_held(shape: ir.TypeShape, text: str) -> None:
    assert spelled()[1].held(shape) == text


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (ITEM, "Item"),
        (ir.DictShape(value=ir.OptionalShape(item=ITEM)), "Record<string, Item | null>"),
        (ir.OptionalShape(item=CALL), "((first: Int, second: string) => void | Promise<void>) | null"),
        (ir.StreamShape(item=ITEM), "ReadableStream<RpcStub<Item>>"),
    ],
)
def test_a_capability_that_a_call_gives_is_no_stub_yet(shape: ir.TypeShape, text: str) -> None:
    assert spelled()[1].given(shape) == text


def test_what_gives_nothing_gives_void() -> None:
    assert spelled()[1].promised(NONE) == "Promise<void>"
    assert spelled()[1].promised(ir.OptionalShape(item=STR)) == "Promise<string | null>"


@pytest.mark.parametrize(
    ("limit", "text", "within"),
    [
        ({"ge": 0}, "IntGe0", "Int"),
        ({"ge": -5, "le": 2**53}, "IntGeMinus5Le9007199254740992", "Int"),
        ({"le": 2**64}, "IntLe18446744073709551616", "LargeInt"),
        ({"gt": -(2**60)}, "IntGtMinus1152921504606846976", "LargeInt"),
    ],
)
def test_an_integer_that_may_be_large_is_a_bigint_too(limit: dict[str, int], text: str, within: str) -> None:
    scope, spelling = spelled()
    assert spelling.held(ir.ConstrainedShape.model_validate({"item": INT, **limit})) == text
    alias = next(alias for alias in scope.aliases if alias.name == text)
    assert alias.spelled == within
    assert within == "Int" or "number | bigint" in [alias.spelled for alias in scope.aliases]


def test_different_limits_have_different_names() -> None:
    _, spelling = spelled()
    shapes = [ir.ConstrainedShape(item=STR, pattern=pattern) for pattern in ("^a$", "^b$", "^a$")]
    assert [spelling.held(shape) for shape in shapes] == ["StringPattern", "StringPattern_", "StringPattern"]


def test_a_function_that_takes_itself_is_not_spelled_as_a_stub_within() -> None:
    visit, other = (ir.Reference(module="m", name=name) for name in ("Visit", "Other"))
    again, apart = ir.CallbackShape(callback=visit), ir.CallbackShape(callback=other)
    position = ir.Position(line=1, column=1)
    parameter = ir.Parameter(name="again", wire="again", type=again, position=position)

    def callback(name: str, *parameters: ir.Parameter) -> ir.Callback:
        call = ir.Method(name="call", wire="call", parameters=parameters, result=NONE, position=position)
        return ir.Callback(name=name, call=call, position=position)

    schema = ir.Schema(
        module="m", path="m.py", output="m.py", callbacks=(callback("Visit", parameter), callback("Other"))
    )
    spelling = Spelling(Scope(schema, survey((schema,))))
    assert spelling.held(again) == "RpcStub<Visit>"
    assert spelling.held(again, visit) == "Visit"
    assert spelling.held(apart, visit) == "RpcStub<Other>"


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (ir.DictShape(value=MODEL), "{ [key: string]: Profile }"),
        (ir.OptionalShape(item=ir.DictShape(key=INT, value=MODEL)), "{ [key: Int]: Profile } | null"),
        (
            ir.ListShape(item=ir.DictShape(key=ir.LiteralShape(values=("a",)), value=MODEL)),
            '{ [K in "a"]?: Profile }[]',
        ),
    ],
)
def test_dictionaries_are_written_out_where_an_alias_may_name_itself(shape: ir.TypeShape, text: str) -> None:
    assert spelled()[1].whole(shape) == text
