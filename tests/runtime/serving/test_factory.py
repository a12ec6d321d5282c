"""Factories that cannot work are told so by serve(), before anything listens."""

from __future__ import annotations

import functools
from abc import ABC
from typing import Any

import pytest

from capnweb_runtime.errors import RpcError
from capnweb_runtime.serving.factory import check_factory, checked_main
from capnweb_runtime.serving.peer import Peer, Refuse, peer_of
from capnweb_runtime.serving.serve import serve
from tests.late import defined
from tests.runtime.transports.example_api import Example, ExampleTarget

SOMEBODY = peer_of([], None, "/", "http")


class NoPeer(Example):
    def __init__(self) -> None:
        super().__init__()


class TwoArguments(Example):
    def __init__(self, peer: Peer, books: list[str]) -> None:
        super().__init__(peer)
        self.books = books


class OnePeer(Example):
    def __init__(self, peer: Peer) -> None:
        super().__init__(peer)


class Unfinished(ExampleTarget, ABC):
    def add(self, a: int, b: int) -> int:
        return a + b

    def echo(self, value: Any) -> Any:
        return value


_untyped: Any = Unfinished
UNFINISHED = functools.partial(_untyped)


class Look:
    """Has the methods, and is no target."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer


def no_parameter() -> Example:
    return Example()


async def asynchronous(peer: Peer) -> Example:
    return Example(peer)


@pytest.mark.parametrize(
    "factory",
    [
        Example,
        OnePeer,
        asynchronous,
        lambda peer: Example(peer),
        lambda *args: Example(*args),
        functools.partial(TwoArguments, books=[]),
        functools.partial(lambda books, peer: TwoArguments(peer, books), []),
        [].append,  # whatever it may give: it can be called so
        max,  # of which no signature is known
    ],
)
def test_what_can_be_called_with_a_peer_passes(factory: Any) -> None:
    check_factory(factory)


def test_what_a_factory_is_given_may_be_known_to_type_checkers_alone() -> None:
    made = defined("def front(peer: Peer) -> Front: ...\ndef none() -> Front: ...\n")
    check_factory(made["front"])
    with pytest.raises(TypeError, match=r"write serve\(lambda peer: none\(\), ...\)"):
        check_factory(made["none"])


@pytest.mark.parametrize(
    ("factory", "says"),
    [
        (NoPeer(), "was given a NoPeer that all would share: write serve(lambda peer: NoPeer(...), ...)"),
        (NoPeer, "NoPeer cannot be called so (too many positional arguments): write serve(lambda peer: NoPeer(), ...)"),
        (TwoArguments, "(missing a required argument: 'books'): write serve(lambda peer: TwoArguments(...), ...)"),
        (no_parameter, "write serve(lambda peer: no_parameter(), ...)"),
        (lambda: Example(), "write serve(lambda peer: ..., ...)"),
        (functools.partial(TwoArguments, SOMEBODY, []), "write serve(lambda peer: TwoArguments(...), ...)"),
        (Unfinished, "Unfinished leaves out what its interface declares, so no session could begin: write apply"),
        (UNFINISHED, "write apply, fail, task_name, wait"),
        (Look, "Look is none: derive it from the generated ...Target"),
        ("http://localhost", "not str"),
        (None, "not NoneType"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_at_once_with_the_fix(factory: Any, says: str) -> None:
    with pytest.raises(TypeError) as caught:
        _ = serve(factory, "127.0.0.1", 0)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("main", "says"),
    [
        ("text", "it returned str. Subclass the generated ...Target class."),
        (Example, "Return an instance: Example(...)."),
        (Refuse(401), "it returned Refuse. Raise it."),
        (RpcError("no"), "Raise it."),
    ],
)
def test_what_a_factory_returns_has_to_be_a_target(main: Any, says: str) -> None:
    with pytest.raises(TypeError) as caught:
        checked_main(main)
    assert says in str(caught.value)
    target = Example()
    assert checked_main(target) is target
