"""Spelling: how each kind of type reads in each place of a generated module."""

from __future__ import annotations

from typing import Literal

import pytest

from capnweb_gen import graph, ir
from capnweb_gen.backends.python.scope import Scope
from capnweb_gen.backends.python.spelling import Spelling

INT = ir.Scalar(name="int")
NONE = ir.Scalar(name="none")
ANY = ir.Scalar(name="any")
MODEL = ir.ModelShape(model=ir.Reference(module="a", name="Book"))
LOAN = ir.InterfaceShape(interface=ir.Reference(module="a", name="Loan"))
CALL = ir.CallableShape(parameters=(MODEL,), result=NONE)
ASK = ir.CallableShape(parameters=(LOAN, INT), result=INT)
ON_BOOK = ir.CallbackShape(callback=ir.Reference(module="a", name="OnBook"))
UUID = ir.Scalar(name="uuid")
ADDRESS = ir.TextShape(type=ir.Reference(module="ipaddress", name="IPv4Address"), format="ipv4")
RED = ir.LiteralShape(values=("red", 1))
STUB = ir.StubShape()
NUMBER = ir.UnionShape(members=(ir.Scalar(name="float"), INT))
URL = ir.Scalar(name="url")
INT_OR_PROMISE = "int | rpc.RpcPromise[int]"


def many(item: ir.TypeShape) -> ir.TypeShape:
    return ir.ListShape(item=item)


def named(value: ir.TypeShape) -> ir.TypeShape:
    return ir.DictShape(value=value)


def maybe(item: ir.TypeShape) -> ir.TypeShape:
    return ir.OptionalShape(item=item)


def stream(item: ir.TypeShape) -> ir.TypeShape:
    return ir.StreamShape(item=item)


def writable(item: ir.TypeShape) -> ir.TypeShape:
    return ir.WritableShape(item=item)


def pair(*items: ir.TypeShape) -> ir.TypeShape:
    return ir.TupleShape(items=items)


def spelling(taken: frozenset[str] = frozenset()) -> Spelling:
    schema = ir.Schema(module="a", path="a.py", output="a.py")
    return Spelling(Scope(schema, graph.by_module((schema,)), frozenset()), taken)


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (INT, "rpc.RpcPromise[int]"),
        (NONE, "rpc.RpcPromise[None]"),
        (RED, 'rpc.RpcPromise[Literal["red", 1]]'),
        (MODEL, "BookPromise"),
        (LOAN, "LoanPromise"),
        (maybe(INT), "rpc.RpcPromise[int | None]"),
        (maybe(MODEL), "BookPromise[Book | None]"),
        (maybe(LOAN), "LoanPromise[LoanStub | None]"),
        (maybe(many(INT)), "rpc.RpcPromise[list[int] | None]"),
        (many(INT), "rpc.ListPromise[int, rpc.RpcPromise[int]]"),
        (many(LOAN), "rpc.ListPromise[LoanStub, LoanPromise]"),
        (many(maybe(MODEL)), "rpc.ListPromise[Book | None, BookPromise[Book | None]]"),
        (named(many(MODEL)), "rpc.DictPromise[list[Book], rpc.ListPromise[Book, BookPromise]]"),
        (ANY, "rpc.AnyPromise"),
        (STUB, "rpc.StubPromise"),
        (maybe(STUB), "rpc.StubPromise[rpc.AnyStub | None]"),
        (named(ANY), "rpc.DictPromise[Any, rpc.AnyPromise]"),
        (URL, "rpc.RpcPromise[rpc.Url]"),
        (NUMBER, "rpc.RpcPromise[float | int]"),
        (maybe(NUMBER), "rpc.RpcPromise[float | int | None]"),
        (pair(INT, LOAN), "rpc.RpcPromise[tuple[int, LoanStub]]"),
        (stream(MODEL), "rpc.StreamPromise[Book]"),
        (stream(LOAN), "rpc.StreamPromise[LoanStub]"),
        (maybe(stream(INT)), "rpc.StreamPromise[int, rpc.ReadableStream[int] | None]"),
        (many(stream(INT)), "rpc.ListPromise[rpc.ReadableStream[int], rpc.StreamPromise[int]]"),
        (writable(LOAN), "rpc.RpcPromise[rpc.WritableStream[LoanTarget | LoanStub]]"),
        (ASK, "rpc.CallbackPromise[[LoanTarget | LoanStub, int], int]"),
        (ON_BOOK, "OnBookPromise"),
        (maybe(ON_BOOK), "OnBookPromise[OnBookStub | None]"),
        (maybe(CALL), "rpc.CallbackPromise[[Book], None, rpc.CallbackStub[[Book], None] | None]"),
    ],
)
def test_what_a_call_gives(shape: ir.TypeShape, text: str) -> None:
    assert spelling().promise(shape) == text


def of_generic(form: Literal["pydantic", "dataclass"], *arguments: ir.TypeShape) -> tuple[Spelling, ir.ModelShape]:
    """A spelling for a schema with a generic model that was given type arguments, and that model."""
    origin = ir.Reference(module="b", name="Page")
    generic = ir.Generic(origin=origin, arguments=arguments)
    position = ir.Position(line=1, column=1)
    made = ir.Model(name="PageOf", module="a", path="a.py", form=form, generic=generic, position=position)
    schema = ir.Schema(module="a", path="a.py", output="a.py", models=(made,))
    shape = ir.ModelShape(model=ir.Reference(module="a", name="PageOf"))
    return Spelling(Scope(schema, graph.by_module((schema,)), frozenset()), frozenset()), shape


@pytest.mark.parametrize(
    ("argument", "awaited", "given"),
    [
        (LOAN, "LoanStub", "LoanTarget | LoanStub"),
        (maybe(LOAN), "LoanStub | None", "LoanTarget | LoanStub | None"),
        (many(LOAN), "list[LoanStub]", "list[LoanTarget | LoanStub]"),
        (named(LOAN), "dict[str, LoanStub]", "dict[str, LoanTarget | LoanStub]"),
        (pair(INT, LOAN), "tuple[int, LoanStub]", "tuple[int, LoanTarget | LoanStub]"),
        (stream(INT), "rpc.ReadableStream[int]", "AsyncIterable[int]"),
        (many(INT), "list[int]", "list[int]"),
        (MODEL, "Book", "Book"),
    ],
)
def test_a_generic_model_holds_stubs_when_it_arrives_and_takes_targets(
    argument: ir.TypeShape, awaited: str, given: str
) -> None:
    spelled, shape = of_generic("pydantic", argument)
    assert spelled.awaited(shape) == f"Page[{awaited}]"
    assert spelled.given(shape) == f"Page[{given}]"
    assert spelled.argument(shape) == f"Page[{given}] | rpc.RpcPromise[Page[{awaited}]]"


@pytest.mark.parametrize(
    ("form", "argument", "text", "typed"),
    [
        ("pydantic", INT, "Page[int]", "Page[int]"),
        ("pydantic", LOAN, "Page", 'cast("type[Page[LoanStub]]", Page)'),
        ("dataclass", INT, "Page", 'cast("type[Page[int]]", Page)'),
    ],
)
def test_the_class_of_a_generic_model_at_run_time(
    form: Literal["pydantic", "dataclass"], argument: ir.TypeShape, text: str, typed: str
) -> None:
    spelled, shape = of_generic(form, argument)
    assert spelled.model_class(shape.model) == text
    assert spelled.typed_model_class(shape.model) == typed


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (INT, "int | rpc.RpcPromise[int]"),
        (NONE, "rpc.RpcPromise[None] | None"),
        (ANY, "Any"),
        (MODEL, "Book | rpc.RpcPromise[Book]"),
        (LOAN, "LoanTarget | LoanStub | rpc.RpcPromise[LoanStub]"),
        (maybe(INT), "int | rpc.RpcPromise[int | None] | None"),
        (many(INT), "rpc.ListArg[int | rpc.RpcPromise[int]] | rpc.RpcPromise[list[int]]"),
        (named(MODEL), "Mapping[str, Book | rpc.RpcPromise[Book]] | rpc.RpcPromise[dict[str, Book]]"),
        (CALL, "Callable[[Book], object] | rpc.CallbackStub[[Book], None]"),
        (maybe(CALL), "Callable[[Book], object] | rpc.CallbackStub[[Book], None] | None"),
        (ON_BOOK, "OnBookLike"),
        (many(ON_BOOK), "rpc.ListArg[OnBookLike] | rpc.RpcPromise[list[OnBookStub]]"),
        (
            ASK,
            "Callable[[LoanStub, int], int | Awaitable[int]] | rpc.CallbackStub[[LoanTarget | LoanStub, int], int]",
        ),
        (
            many(CALL),
            (
                "rpc.ListArg[Callable[[Book], object] | rpc.CallbackStub[[Book], None]]"
                " | rpc.RpcPromise[list[rpc.CallbackStub[[Book], None]]]"
            ),
        ),
        (STUB, "rpc.RpcTarget | rpc.RpcStub | Callable[..., Any] | rpc.RpcPromise[Any]"),
        (maybe(STUB), "rpc.RpcTarget | rpc.RpcStub | Callable[..., Any] | rpc.RpcPromise[Any] | None"),
        (URL, "rpc.Url | rpc.RpcPromise[rpc.Url]"),
        (NUMBER, "float | int | rpc.RpcPromise[float | int]"),
        (maybe(NUMBER), "float | int | rpc.RpcPromise[float | int | None] | None"),
        (pair(INT, MODEL), f"tuple[{INT_OR_PROMISE}, Book | rpc.RpcPromise[Book]] | rpc.RpcPromise[tuple[int, Book]]"),
        (stream(INT), "AsyncIterable[int]"),
        (stream(LOAN), "AsyncIterable[LoanTarget | LoanStub]"),
        (maybe(stream(INT)), "AsyncIterable[int] | None"),
        (writable(INT), "rpc.WritableTarget[int] | rpc.WritableStream[int]"),
        (writable(LOAN), "rpc.WritableTarget[LoanStub] | rpc.WritableStream[LoanTarget | LoanStub]"),
    ],
)
def test_what_a_caller_may_give(shape: ir.TypeShape, text: str) -> None:
    assert spelling().argument(shape) == text


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (INT, "int"),
        (LOAN, "LoanStub"),
        (CALL, "rpc.CallbackStub[[Book], None]"),
        (ON_BOOK, "OnBookStub"),
        (many(maybe(LOAN)), "list[LoanStub | None]"),
        (named(many(INT)), "dict[str, list[int]]"),
        (STUB, "rpc.AnyStub"),
        (URL, "rpc.Url"),
        (pair(INT, LOAN), "tuple[int, LoanStub]"),
        (stream(LOAN), "rpc.ReadableStream[LoanStub]"),
        (writable(LOAN), "rpc.WritableStream[LoanTarget | LoanStub]"),
    ],
)
def test_what_a_target_is_called_with(shape: ir.TypeShape, text: str) -> None:
    assert spelling().awaited(shape) == text


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (INT, "int | Awaitable[int]"),
        (NONE, "Awaitable[None] | None"),
        (ANY, "Any"),
        (LOAN, "LoanTarget | LoanStub | Awaitable[LoanTarget | LoanStub]"),
        (ON_BOOK, "OnBookLike | Awaitable[OnBookLike]"),
        (many(INT), "Sequence[int] | Awaitable[Sequence[int]]"),
        (
            named(many(LOAN)),
            "Mapping[str, Sequence[LoanTarget | LoanStub]] | Awaitable[Mapping[str, Sequence[LoanTarget | LoanStub]]]",
        ),
        (maybe(MODEL), "Book | Awaitable[Book | None] | None"),
        (NUMBER, "float | int | Awaitable[float | int]"),
        (pair(INT), "tuple[int] | Awaitable[tuple[int]]"),
        (stream(LOAN), "AsyncIterable[LoanTarget | LoanStub] | Awaitable[AsyncIterable[LoanTarget | LoanStub]]"),
        (
            writable(INT),
            (
                "rpc.WritableTarget[int] | rpc.WritableStream[int]"
                " | Awaitable[rpc.WritableTarget[int] | rpc.WritableStream[int]]"
            ),
        ),
        (
            STUB,
            (
                "rpc.RpcTarget | rpc.RpcStub | Callable[..., Any]"
                " | Awaitable[rpc.RpcTarget | rpc.RpcStub | Callable[..., Any]]"
            ),
        ),
        (
            ir.CallableShape(parameters=(), result=INT),
            (
                "Callable[[], int | Awaitable[int]] | rpc.CallbackStub[[], int]"
                " | Awaitable[Callable[[], int | Awaitable[int]] | rpc.CallbackStub[[], int]]"
            ),
        ),
    ],
)
def test_what_a_target_gives(shape: ir.TypeShape, text: str) -> None:
    assert spelling().result(shape) == text


def test_codecs_are_declared_once_and_after_their_parts() -> None:
    spell = spelling()
    assert spell.codec(many(maybe(INT))) == "LIST_OPTIONAL_INT"
    assert spell.codec(many(maybe(INT))) == "LIST_OPTIONAL_INT"
    assert spell.codec(CALL) == "CALL_BOOK"
    assert spell.codec(ASK) == "CALL_LOAN_INT_TO_INT"
    assert spell.codec(MODEL) == "BOOK"
    assert spell.codec(ON_BOOK) == "ON_BOOK"
    assert spell.codec(INT) == "rpc.INT"
    assert spell.codecs == (
        "OPTIONAL_INT = rpc.optional(rpc.INT)",
        "LIST_OPTIONAL_INT = rpc.list_of(OPTIONAL_INT)",
        "CALL_BOOK = rpc.callback(rpc.NONE, BOOK)",
        "CALL_LOAN_INT_TO_INT = rpc.callback(rpc.INT, LOAN, rpc.INT)",
    )


@pytest.mark.parametrize(
    ("shape", "codec", "text"),
    [
        (stream(INT), "STREAM_INT", "rpc.stream_of(rpc.INT)"),
        (writable(INT), "WRITABLE_INT", "rpc.writable_of(rpc.INT)"),
        (pair(INT, STUB), "TUPLE_INT_STUB", "rpc.tuple_of(rpc.INT, rpc.STUB)"),
        (maybe(URL), "OPTIONAL_URL", "rpc.optional(rpc.URL)"),
        (ir.CallableShape(parameters=(STUB,), result=ANY), "CALL_STUB_TO_ANY", "rpc.callback(rpc.ANY, rpc.STUB)"),
        (ir.DictShape(key=INT, value=INT), "DICT_INT_TO_INT", "rpc.dict_by_number(rpc.INT, rpc.INT)"),
        (ir.DictShape(key=UUID, value=INT), "DICT_UUID_TO_INT", "rpc.dict_by(rpc.UUID, rpc.INT)"),
        (ADDRESS, "IPV4_ADDRESS", "rpc.format_of(IPv4Address)"),
        (
            ir.ConstrainedShape(item=ir.Scalar(name="datetime"), when="past", microseconds="round"),
            "DATETIME_LIMITED",
            'rpc.constrained(rpc.datetime_of("round"), when="past")',
        ),
    ],
)
def test_codecs_say_what_is_inside(shape: ir.TypeShape, codec: str, text: str) -> None:
    spell = spelling()
    assert spell.codec(shape) == codec
    assert spell.codecs == (f"{codec} = {text}",)


def test_a_union_tries_float_last_so_that_an_int_stays_one() -> None:
    spell = spelling()
    assert spell.codec(NUMBER) == "FLOAT_OR_INT"
    assert spell.codecs == ("FLOAT_OR_INT = rpc.union_of(rpc.INT, rpc.FLOAT)",)


def test_constants_that_are_equal_in_python_have_codecs_of_their_own() -> None:
    spell = spelling()
    one, true = ir.LiteralShape(values=(1,)), ir.LiteralShape(values=(True,))
    assert [spell.codec(one), spell.codec(true)] == ["LITERAL_1", "LITERAL_TRUE"]
    assert spell.codecs == ("LITERAL_1 = rpc.literal_of(1)", "LITERAL_TRUE = rpc.literal_of(True)")


def test_codecs_with_the_same_name_are_numbered() -> None:
    spell = spelling(taken=frozenset({"LIST_INT"}))
    assert spell.codec(many(INT)) == "LIST_INT_2"
    symbols = [ir.LiteralShape(values=(value,)) for value in ("a b", "a-b", "?")]
    assert [spell.codec(shape) for shape in symbols] == ["LITERAL_A_B", "LITERAL_A_B_2", "LITERAL"]


def test_long_names_of_codecs_are_cut() -> None:
    wordy = ir.LiteralShape(values=tuple(f"a rather long constant number {number}" for number in range(9)))
    assert spelling().codec(wordy) == "LITERAL"
    assert spelling().codec(pair(*[LOAN] * 12)) == "TUPLE"
    assert spelling().codec(ir.UnionShape(members=(wordy, *[INT] * 20))) == "UNION"
    assert spelling().codec(ir.CallableShape(parameters=(LOAN,) * 12, result=NONE)) == "CALL"
