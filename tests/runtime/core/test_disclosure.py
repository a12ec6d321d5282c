"""Which errors a peer is sent as they are, and what it is sent in place of others."""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import AsyncIterator
from typing import Any

import pytest

from capnweb_runtime.core.devaluate import DECLARATION
from capnweb_runtime.core.disclosure import PLAIN, is_referred, mark_failure, may_leave, refer, stand_in
from capnweb_runtime.core.hook import Disclosure
from capnweb_runtime.errors import DisposedError, LimitExceeded, RangeError, RpcError, SessionClosed
from capnweb_runtime.objects.any_stub import AnyStub
from capnweb_runtime.objects.stub import RpcStub
from capnweb_runtime.objects.target import RpcTarget
from capnweb_runtime.observe import Observer
from capnweb_runtime.transports.memory import pair
from tests.runtime.example import DeskStub
from tests.runtime.example import DeskTarget as Desk

BUILTIN: list[type[Exception]] = [
    cls
    for cls in vars(builtins).values()
    if isinstance(cls, type) and issubclass(cls, Exception) and cls is not ExceptionGroup
]


def made(cls: type[BaseException]) -> BaseException:
    error: Any = cls.__new__(cls, "secret")
    return error  # type: ignore[no-any-return]  # whatever its constructor wants


class TestMayLeave:
    @pytest.mark.parametrize("cls", sorted(BUILTIN, key=str))
    def test_of_the_built_in_exceptions_those_that_tell_a_caller_something_are_plain(
        self, cls: type[Exception]
    ) -> None:
        named = {"ValueError", "TypeError", "LookupError", "NotImplementedError", "TimeoutError", "PermissionError"}
        assert may_leave(made(cls), "plain") == (cls.__name__ in named)
        assert may_leave(made(cls), "all")

    def test_subclasses_are_not(self) -> None:
        subclasses: list[Any] = [type("Own", (cls,), {}) for cls in PLAIN]
        assert not any(may_leave(made(cls), "plain") for cls in subclasses)

    def test_a_permission_that_the_operating_system_denied_is_not(self) -> None:
        assert may_leave(PermissionError("not yours"), "plain")
        assert not may_leave(PermissionError(13, "Permission denied", "/etc/shadow"), "plain")

    @pytest.mark.parametrize(
        "error", [RpcError("e", "Own"), RangeError("e"), SessionClosed("e"), LimitExceeded("e"), DisposedError("e")]
    )
    @pytest.mark.parametrize("disclosure", ["declared", "plain"])
    def test_what_this_package_defines_always_does(self, error: Exception, disclosure: Disclosure) -> None:
        mark_failure(error)
        assert may_leave(error, disclosure)

    def test_what_is_declared_always_does(self) -> None:
        error = KeyError("k")
        vars(error)[DECLARATION] = object()
        assert may_leave(error, "declared")
        assert may_leave(error, "plain")

    def test_declared_alone_keeps_what_the_application_raised_and_not_our_own_refusals(self) -> None:
        error = TypeError("argument 'a': expected int, got None")
        assert may_leave(error, "declared")
        mark_failure(error)
        assert not may_leave(error, "declared")
        assert may_leave(error, "plain")


class TestStandIn:
    def test_an_error_has_one_reference_which_its_note_has_too(self) -> None:
        error = KeyError("secret")
        assert not is_referred(error)
        reference = refer(error)
        assert is_referred(error)
        assert refer(error) == reference
        assert error.__notes__ == [f"The peer was told: reference {reference}."]
        assert refer(KeyError("secret")) != reference

    def test_the_peer_gets_the_reference_and_nothing_else(self) -> None:
        error = KeyError("secret")
        sent = stand_in(error)
        assert type(sent) is RpcError
        assert "secret" not in str(sent)
        assert refer(error) in str(sent)
        assert sent.props == {"reference": refer(error)}


class Failing(Desk):
    """Fails in every way in which the application's code can."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def nothing(self) -> None:
        raise self.error

    async def add(self, a: int, b: int) -> int:
        await asyncio.sleep(0)
        raise self.error

    def echo(self, value: Any) -> Any:
        async def chunks() -> AsyncIterator[Any]:
            yield 1
            raise self.error

        return chunks()


class Heard(Observer):
    def __init__(self) -> None:
        self.failures: list[tuple[str, BaseException]] = []

    def target_failed(self, where: str, error: BaseException) -> None:
        self.failures.append((where, error))


async def caught(call: Any) -> BaseException:
    with pytest.raises(Exception) as error:  # noqa: PT011  (any; the tests say which)
        await call
    return error.value


async def between(target: RpcTarget, disclosure: Disclosure, observer: Observer, stub: type[RpcStub]) -> Any:
    client, _ = pair(None, target, errors=disclosure, observer=observer)
    return client.main(stub)


@pytest.mark.parametrize("method", ["nothing", "add"])
async def test_an_error_that_stays_is_logged_under_the_reference_that_its_caller_gets(method: str) -> None:
    heard = Heard()
    desk = await between(Failing(KeyError("secret")), "plain", heard, DeskStub)
    error = await caught(desk.nothing() if method == "nothing" else desk.add(1, 2))
    assert type(error) is RpcError
    assert "secret" not in str(error)
    ((where, logged),) = heard.failures
    assert where == f"Failing.{method}"
    assert logged.__notes__ == [f"The peer was told: reference {error.props['reference']}."]


async def test_a_stream_that_fails_ends_with_a_reference_too() -> None:
    heard = Heard()
    desk = await between(Failing(OSError(2, "no such file", "/etc/secret")), "plain", heard, AnyStub)
    stream = await desk.call("echo", 1)

    async def read() -> None:
        async for chunk in stream:
            assert chunk == 1  # which is lost if the failure comes before somebody reads

    error = await caught(read())
    assert "secret" not in str(error)
    assert "reference" in str(error)
    assert [type(failed) for _, failed in heard.failures] == [FileNotFoundError]


async def test_a_cause_that_stays_is_left_out() -> None:
    error = ValueError("no such user")
    error.__cause__ = KeyError("secret")
    desk = await between(Failing(error), "plain", Heard(), DeskStub)
    plain = await caught(desk.nothing())
    assert (str(plain), plain.__cause__) == ("no such user", None)
    error.__cause__ = LookupError("no row")
    plain = await caught((await between(Failing(error), "plain", Heard(), DeskStub)).nothing())
    assert repr(plain.__cause__) == "LookupError('no row')"


async def test_what_an_observer_puts_in_its_place_is_sent() -> None:
    class Translating(Heard):
        def sending_error(self, error: BaseException) -> BaseException:
            return RpcError("gone", "Missing") if isinstance(error, KeyError) else error

    error = await caught((await between(Failing(KeyError("secret")), "plain", Translating(), DeskStub)).nothing())
    assert isinstance(error, RpcError)
    assert error.name == "Missing"


async def test_everything_is_sent_where_that_is_asked_for() -> None:
    error = await caught((await between(Failing(KeyError("secret")), "all", Heard(), DeskStub)).nothing())
    assert repr(error) == "KeyError('secret')"


async def test_declared_alone_still_tells_which_argument_was_wrong() -> None:
    desk = await between(Failing(ValueError("secret")), "declared", Heard(), AnyStub)
    assert "argument 'a'" in str(await caught(desk.call("add", "1", 2)))
    assert "secret" not in str(await caught(desk.call("add", 1, 2)))


async def test_an_error_that_is_a_value_is_held_to_the_same() -> None:
    class Returning(Desk):
        def echo(self, value: Any) -> Any:
            return [KeyError("secret"), ValueError("known")]

    heard = Heard()
    masked, known = await (await between(Returning(), "plain", heard, AnyStub)).call("echo", 1)
    assert "secret" not in str(masked)
    assert str(known) == "known"
    assert [where for where, _ in heard.failures] == ["an error that is sent"]
