"""Payloads own what is in them."""

from __future__ import annotations

from typing import Any

from capnweb_runtime.core.broken import ErrorHook
from capnweb_runtime.core.hook import Payload, dispose_all
from capnweb_runtime.core.refs import PlainStub


class Counted(ErrorHook):
    __slots__ = ("disposed",)

    def __init__(self) -> None:
        super().__init__(ValueError("broken"))
        self.disposed = 0

    def dispose(self) -> None:
        self.disposed += 1


class TestPayload:
    def test_disposing_it_disposes_what_it_owns_once(self) -> None:
        hooks: list[Any] = [Counted(), Counted()]
        payload = Payload([1], None, hooks)
        payload.dispose()
        payload.dispose()
        assert [hook.disposed for hook in hooks] == [1, 1]

    def test_a_capability_it_does_not_own_stays(self) -> None:
        hook = Counted()
        Payload([PlainStub(hook)]).dispose()
        assert hook.disposed == 0


def test_dispose_all_disposes_each() -> None:
    hooks = [Counted(), Counted()]
    dispose_all(hooks)
    assert [hook.disposed for hook in hooks] == [1, 1]
