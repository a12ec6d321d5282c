"""What stands for capabilities in plain trees."""

from __future__ import annotations

from capnweb_runtime.core.broken import DISPOSED
from capnweb_runtime.core.hook import PromiseRef, StubRef
from capnweb_runtime.core.refs import PlainPromise, PlainStub


def test_stubs_and_promises_of_plain_trees_are_what_the_walks_look_for() -> None:
    assert isinstance(PlainStub(DISPOSED), StubRef)
    assert isinstance(PlainPromise(DISPOSED), PromiseRef)
    assert PlainPromise(DISPOSED)._path == ()
