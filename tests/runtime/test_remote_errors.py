"""Errors that came from a peer: told from those of this side, and as much of what they were as can be."""

from __future__ import annotations

import errno
import traceback
from typing import Any

import pytest

from capnweb_runtime import AnyStub, RpcError, SessionClosed
from tests.runtime.conftest import Join
from tests.runtime.example import Desk, DeskStub

ANSWER = "raised by the peer, in answer to"


class Failing(Desk):
    """Whose members raise what the test says."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    @property
    def best(self) -> Any:
        raise self.error

    def add(self, a: int, b: int) -> int:
        raise self.error

    def book(self, title: str) -> Any:
        raise self.error


def notes(error: BaseException) -> list[str]:
    return list(getattr(error, "__notes__", ()))


class TestWhose:
    @pytest.mark.parametrize(
        ("use", "asked"),
        [
            (lambda desk: desk.add(1, 2), "Desk.add"),
            (lambda desk: desk.best, "Desk.best"),
            (lambda desk: desk.best.title, "Desk.best"),
            (lambda desk: desk.book("Emma").title, "Desk.book"),
            (lambda desk: AnyStub(desk._hook.dup()).call("add", 1, 2), "add"),
            (lambda desk: AnyStub(desk._hook.dup()).get(("best", "title")), "best.title"),
            (lambda desk: desk.ints(2).map(lambda n: desk.add(n, 1)), ""),
        ],
    )
    def test_one_of_the_peers_says_so_and_what_was_asked(self, join: Join, use: Any, asked: str) -> None:
        pair = join(None, Failing(ValueError("no")))
        promise = use(pair.a.main(DeskStub))
        for _ in range(2):
            with pytest.raises(ValueError, match="no") as caught:
                pair.wait(promise)
            assert notes(caught.value) == [f"{ANSWER} {asked}" if asked else "raised by the peer"]
            caught.value.__traceback__ = None

    def test_a_traceback_shows_it(self, join: Join) -> None:
        pair = join(None, Failing(RpcError("no", "QuotaExceeded")))
        with pytest.raises(RpcError) as caught:
            pair.wait(pair.a.main(DeskStub).add(1, 2))
        shown = traceback.format_exception_only(caught.value)
        assert shown == [
            "capnweb_runtime.errors.RpcError: QuotaExceeded: no\n",
            f"{ANSWER} Desk.add\n",
        ]
        caught.value.__traceback__ = None

    def test_one_of_a_function_of_the_peers_too(self, join: Join) -> None:
        def no(value: int) -> int:
            raise KeyError("no")

        pair = join(None, Desk())
        with pytest.raises(KeyError) as caught:
            pair.wait(pair.a.main(DeskStub).apply(no, 1))
        assert notes(caught.value) == [f"{ANSWER} Desk.apply"]
        caught.value.__traceback__ = None

    def test_one_of_this_side_does_not(self, join: Join) -> None:
        pair = join(None, Desk(), clean=False)
        desk = pair.a.main(DeskStub)
        promise = desk.hold("x")
        with pytest.raises(TypeError) as wrong:
            _ = desk.add("1", 2)  # type: ignore[arg-type]  # that is what is tested
        assert notes(wrong.value) == []
        pair.a.session.abort(SessionClosed("over"))
        for one in (promise, desk.add(1, 2)):
            with pytest.raises(SessionClosed) as caught:
                pair.wait(one)
            assert notes(caught.value) == []

    def test_a_result_that_is_of_another_type_is_an_error_of_this_side(self, join: Join) -> None:
        pair = join(None, Desk(), clean=False)
        desk: Any = pair.a.main(DeskStub)
        promise = desk.add(1, 2)
        pair.a.hear(["resolve", 1, "three"])
        with pytest.raises(TypeError, match="expected") as caught:
            pair.wait(promise)
        assert notes(caught.value) == []


class TestWhatItWas:
    def test_a_built_in_exception_arrives_as_its_nearest_base(self, join: Join) -> None:
        pair = join(None, Failing(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad")))
        with pytest.raises(ValueError, match="can't decode byte 0xff") as caught:
            pair.wait(pair.a.main(DeskStub).add(1, 2))
        assert notes(caught.value) == ["UnicodeDecodeError, where it was raised", f"{ANSWER} Desk.add"]
        caught.value.__traceback__ = None

    def test_one_that_only_the_interpreter_may_raise_is_an_rpc_error(self, join: Join) -> None:
        pair = join(None, Failing(StopAsyncIteration("no")))
        with pytest.raises(RpcError) as caught:
            pair.wait(pair.a.main(DeskStub).add(1, 2))
        assert str(caught.value) == "StopAsyncIteration: no"
        caught.value.__traceback__ = None

    def test_an_error_of_the_operating_system_keeps_its_number(self, join: Join) -> None:
        pair = join(None, Failing(FileNotFoundError(errno.ENOENT, "No such file", "a.txt")))
        with pytest.raises(FileNotFoundError) as caught:
            pair.wait(pair.a.main(DeskStub).add(1, 2))
        assert caught.value.errno == errno.ENOENT
        assert str(caught.value) == f"[Errno {errno.ENOENT}] No such file: 'a.txt'"
        assert pair.b.sent[-1] == (
            f'["reject",1,["error","FileNotFoundError","[Errno {errno.ENOENT}] No such file: \'a.txt\'",null,'
            f'{{"errno":{errno.ENOENT}}}]]'
        )
        caught.value.__traceback__ = None

    def test_it_keeps_it_over_two_sessions(self, join: Join) -> None:
        far = join(None, Failing(TimeoutError(errno.ETIMEDOUT, "too slow")))
        far_desk = far.a.main(DeskStub)

        class Relay(Desk):
            def add(self, a: int, b: int) -> Any:
                return far_desk.add(a, b)

        near = join(None, Relay())
        promise = near.a.main(DeskStub).add(1, 2)
        with pytest.raises(AssertionError, match="no outcome"):
            near.wait(promise)
        far.run()
        with pytest.raises(TimeoutError) as caught:
            near.wait(promise)
        assert caught.value.errno == errno.ETIMEDOUT
        assert notes(caught.value) == [f"{ANSWER} Desk.add"]
        caught.value.__traceback__ = None

    def test_what_is_no_number_is_left_out(self, join: Join) -> None:
        pair = join(None, Failing(OSError("a", "b")))
        with pytest.raises(OSError, match=r"\[Errno a\] b") as caught:
            pair.wait(pair.a.main(DeskStub).add(1, 2))
        assert caught.value.errno is None
        caught.value.__traceback__ = None

    def test_a_wrong_number_of_the_peers_changes_nothing(self, join: Join) -> None:
        pair = join(None, Desk(), clean=False)
        promise = pair.a.main(DeskStub).add(1, 2)
        pair.a.hear(["reject", 1, ["error", "OSError", "m", None, {"errno": "two"}]])
        with pytest.raises(OSError, match="m") as caught:
            pair.wait(promise)
        assert caught.value.errno is None


def test_an_error_among_values_is_nobodys(join: Join) -> None:
    pair = join(None, Desk())
    error = pair.wait(pair.a.main(DeskStub).echo(ValueError("no")))
    assert isinstance(error, ValueError)
    assert notes(error) == []
