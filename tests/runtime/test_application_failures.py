"""Whatever code of an application raises while a value is read rejects the call that the value belongs to: the session
lives, the text stays at home, and the application is told once.
"""

from __future__ import annotations

import asyncio
import builtins
import enum
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel, Field, field_validator

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.errors import ENDS_PROGRAM, RpcError, as_answer
from capnweb_runtime.objects.any_stub import AnyStub
from capnweb_runtime.transports.memory import pair
from tests.runtime.pair import Recording, Side

SECRET = "row 7 of /var/db/users"
KINDS = [
    *("RuntimeError", "KeyError", "RecursionError", "OSError", "StopIteration", "StopAsyncIteration", "GeneratorExit"),
    *("CancelledError", "BaseException", "LookupError with a cause"),
]


class Refused(Exception):
    """What methods declare."""


def fail(kind: str) -> str:
    """Raises an exception of that name, unless it is none."""
    if kind == "fine":
        return kind
    if kind == "CancelledError":
        raise asyncio.CancelledError(SECRET)
    if kind == "UnicodeDecodeError":
        raise UnicodeDecodeError("utf-8", SECRET.encode(), 0, 1, SECRET)
    if kind == "Refused":
        refused: Any = Refused("no")
        refused.detail = Checked.model_construct(kind="fine")
        raise refused
    if kind == "LookupError with a cause":
        raise OSError(SECRET) from KeyError(SECRET)
    cls: Callable[..., BaseException] = getattr(builtins, kind)
    raise cls(SECRET)


class Checked(BaseModel):
    kind: str

    @field_validator("kind")
    @classmethod
    def check(cls, value: str) -> str:
        return fail(value)


class Filled(BaseModel):
    kind: str
    made: str = Field(default_factory=lambda data: fail(data["kind"]))


@dataclass
class Posted:
    kind: str

    def __post_init__(self) -> None:
        fail(self.kind)


@dataclass(frozen=True)
class Hashed:
    kind: str

    def __hash__(self) -> int:
        return len(fail(self.kind))


class Kind(enum.Enum):
    FINE = "fine"

    @classmethod
    def _missing_(cls, value: object) -> Any:
        fail(str(value))


def codec_of(cls: Any, make: Callable[..., Any], *more: str) -> Any:
    """The codec of a class with a field `kind`, as generated code has it; others never arrive."""
    builder = make(cls, "kind", *more)

    def encode(value: Any, to: rpc.Exporter) -> rpc.Wire:
        return {"kind": value.kind}

    def read(wire: Any, source: rpc.Importer) -> dict[str, rpc.Wire]:
        if type(wire) is not dict:
            raise builder.not_an_object(wire)
        return {"kind": rpc.STR.read(wire, "kind", source)}

    return rpc.model(cls, encode, builder.decoder(read), lambda: rpc.RpcPromise)


CHECKED = codec_of(Checked, rpc.builder)
CODECS: dict[str, tuple[Any, Callable[[str], Any]]] = {
    "a pydantic validator": (CHECKED, lambda kind: {"kind": kind}),
    "a post-init": (codec_of(Posted, rpc.record_builder), lambda kind: {"kind": kind}),
    "_missing_": (rpc.enum_of(Kind), lambda kind: kind),
    "a hash": (rpc.set_of(codec_of(Hashed, rpc.record_builder)), lambda kind: [{"kind": kind}]),
    "inside a list": (rpc.list_of(CHECKED), lambda kind: [{"kind": kind}]),
}


CALLBACK = rpc.callback(rpc.INT, CHECKED)
STREAM = rpc.stream_of(CHECKED)
WRITABLE = rpc.writable_of(CHECKED)
DECLARED = rpc.error(Refused, "Refused", rpc.error_field("detail", CHECKED))


def spec_of(codec: Any) -> type[rpc.Interface]:
    class Spec(rpc.Interface):
        take = rpc.method("take", rpc.INT, rpc.param("value", codec))
        give = rpc.method("give", codec, rpc.param("kind", rpc.STR))
        fine = rpc.method("fine", rpc.INT)
        apply = rpc.method("apply", rpc.INT, rpc.param("function", CALLBACK), rpc.param("kind", rpc.STR))
        read = rpc.method("read", rpc.INT, rpc.param("chunks", STREAM))
        sink = rpc.method("sink", WRITABLE)
        numbers = rpc.method("numbers", rpc.list_of(rpc.STR))
        blow = rpc.method("blow", rpc.INT, rpc.param("kind", rpc.STR))
        careful = rpc.method("careful", rpc.INT, rpc.param("value", codec), raises=[DECLARED])
        refuse = rpc.method("refuse", rpc.INT, rpc.param("kind", rpc.STR), raises=[DECLARED])

    return Spec


class Sink(rpc.WritableTarget[Any]):
    def write(self, chunk: Any) -> None:
        pass


def target_of(spec: type[rpc.Interface]) -> Any:
    class Target(rpc.RpcTarget, spec=spec):
        def take(self, value: Any) -> int:
            return 1

        def give(self, kind: str) -> Any:
            return Checked.model_construct(kind=kind)

        def fine(self) -> int:
            return 5

        async def apply(self, function: Any, kind: str) -> int:
            result: int = await function(Checked.model_construct(kind=kind))
            return result

        async def read(self, chunks: Any) -> int:
            return len([chunk async for chunk in chunks])

        def sink(self) -> Any:
            return Sink()

        def numbers(self) -> list[str]:
            return ["fine", "RuntimeError"]

        def refuse(self, kind: str) -> int:
            error: Any = Refused("no")
            error.detail = Checked.model_construct(kind=kind)
            raise error

        def blow(self, kind: str) -> int:
            fail(kind)
            return 0

        def careful(self, value: Any) -> int:
            return 0

    return Target()


class Stub(rpc.Calls, rpc.RpcStub):
    """Calls whatever it is told to."""

    def call(self, method: Any, *args: Any) -> rpc.RpcPromise[Any]:
        return self._call(method, *args)


class Ends:
    """Two sessions, and what their application was told of."""

    def __init__(self, codec: Any = CHECKED) -> None:
        self.spec: Any = spec_of(codec)
        self.told = Recording()
        self.client, self.server = pair(None, target_of(self.spec), observer=self.told)
        self.plain = self.client.main(AnyStub)
        self.stub = Stub(self.client.session.remote_main)

    async def refused(self, call: Any) -> BaseException:
        """What a call fails with; both sessions go on."""
        with pytest.raises(Exception) as caught:  # noqa: PT011  (whatever it is)
            await call
        assert await self.plain.call("fine") == 5
        assert self.server.session.reason is self.client.session.reason is None
        return caught.value

    def heard_once(self, where: str) -> None:
        """The application was told, once, and with the text."""
        [(place, error)] = self.told.failures
        assert place == where
        assert SECRET in f"{error} {error.__cause__}"

    async def close(self) -> None:
        self.plain.dispose()
        await self.client.wait_closed()


def leaks(error: BaseException) -> bool:
    """Whether the secret is in an error that arrived."""
    return SECRET in f"{error} {vars(error)} {error.__cause__!r}"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", CODECS)
async def test_in_an_argument_it_rejects_the_call_and_its_text_stays_here(place: str, kind: str) -> None:
    codec, wire = CODECS[place]
    ends = Ends(codec)
    error = await ends.refused(ends.plain.call("take", wire(kind)))
    assert not leaks(error)
    if place == "_missing_" and kind == "KeyError":  # as code says that there is no such member
        assert isinstance(error, TypeError)
        assert ends.told.failures == []
    else:
        assert isinstance(error, RpcError)
        ends.heard_once("Target.take")
    await ends.close()


@pytest.mark.parametrize("place", ["a pydantic validator", "a post-init"])
async def test_a_subclass_of_an_error_that_refuses_a_value_is_named_and_its_text_stays_here(place: str) -> None:
    codec, wire = CODECS[place]
    ends = Ends(codec)
    error = await ends.refused(ends.plain.call("take", wire("UnicodeDecodeError")))
    assert "argument 'value" in str(error)
    assert "its validator raised UnicodeDecodeError" in str(error)
    assert not leaks(error)
    refused = await ends.refused(ends.plain.call("take", wire("ValueError")))
    assert SECRET in str(refused)  # which was raised to tell the caller
    await ends.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_in_a_result_it_fails_that_call_where_it_is_awaited(kind: str) -> None:
    ends = Ends()
    error = await ends.refused(ends.stub.call(ends.spec.give, kind))
    assert SECRET in f"{error} {error.__cause__}"
    assert isinstance(error, Exception)
    assert ends.told.failures == []
    await ends.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_in_an_argument_of_a_callback_it_rejects_that_call(kind: str) -> None:
    ends = Ends()
    error = await ends.refused(ends.stub.call(ends.spec.apply, lambda value: 1, kind))
    assert not leaks(error)
    assert "<lambda>" in ends.told.failures[0][0]
    await ends.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_in_a_chunk_it_ends_the_stream_and_the_reader_is_told(kind: str) -> None:
    ends = Ends()

    async def chunks() -> AsyncIterator[Any]:
        yield Checked.model_construct(kind="fine")
        yield Checked.model_construct(kind=kind)

    error = await ends.refused(ends.stub.call(ends.spec.read, chunks()))
    assert not leaks(error)
    ends.heard_once("Target.read")
    await ends.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_in_what_is_written_it_fails_the_write(kind: str) -> None:
    ends = Ends()
    sink = await ends.stub.call(ends.spec.sink)
    await sink.write(Checked.model_construct(kind="fine"))
    await sink.write(Checked.model_construct(kind=kind))
    error = await ends.refused(sink.close())
    assert not leaks(error)
    ends.heard_once("_Sink.write")
    await ends.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_in_a_map_it_rejects_the_map(kind: str) -> None:
    ends = Ends()
    numbers = ends.plain.call("give", "fine")
    error = await ends.refused(numbers.map(lambda one: ends.plain.call("take", {"kind": kind})))
    assert not leaks(error)
    ends.heard_once("Target.take")
    await ends.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_in_a_property_of_a_declared_error_that_stays_an_error_of_the_wire(kind: str) -> None:
    ends = Ends()
    error = await ends.refused(ends.stub.call(ends.spec.refuse, kind))
    assert type(error) is RpcError
    assert error.name == "Refused"
    assert "This is no Refused" in error.__notes__[0]
    await ends.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_in_what_makes_a_default_it_rejects_the_call(kind: str) -> None:
    ends = Ends(codec_of(Filled, rpc.builder, "made"))
    error = await ends.refused(ends.plain.call("take", {"kind": kind}))
    assert not leaks(error)
    ends.heard_once("Target.take")
    await ends.close()


@pytest.mark.parametrize("kind", ["GeneratorExit", "BaseException"])
async def test_a_method_may_raise_anything_too(kind: str) -> None:
    ends = Ends()
    error = await ends.refused(ends.stub.call(ends.spec.blow, kind))
    assert not leaks(error)
    ends.heard_once("Target.blow")
    await ends.close()


async def test_what_a_method_declares_may_be_raised_by_a_validator() -> None:
    ends = Ends()
    error = await ends.refused(ends.stub.call(ends.spec.careful, Checked.model_construct(kind="Refused")))
    assert isinstance(error, Refused)
    assert ends.told.failures == []
    await ends.close()


@pytest.mark.parametrize("error", [asyncio.CancelledError(), GeneratorExit(), StopIteration(), StopAsyncIteration()])
def test_what_means_something_to_whoever_waits_is_named_by_another(error: BaseException) -> None:
    answer = as_answer(error)
    assert isinstance(answer, RpcError)
    assert type(error).__name__ in str(answer)
    assert answer.__cause__ is error


@pytest.mark.parametrize("cls", ENDS_PROGRAM)
def test_what_ends_the_program_is_no_answer(cls: type[BaseException]) -> None:
    side = Side(target_of(spec_of(CHECKED)))
    with pytest.raises(cls):
        side.hear(["push", ["pipeline", 0, ["take"], [{"kind": cls.__name__}]]])
