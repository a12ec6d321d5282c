"""What stands for capabilities in plain trees."""

from __future__ import annotations

from typing import Any

from capnweb_runtime.core.broken import DISPOSED
from capnweb_runtime.core.codecs import ANY
from capnweb_runtime.core.held import HeldBytes
from capnweb_runtime.core.hook import PromiseRef, StubRef
from capnweb_runtime.core.pipe import Pipe
from capnweb_runtime.core.refs import PassedOn, PlainPromise, PlainStub
from capnweb_runtime.objects.streams import ReadableStream
from tests.runtime.pair import SyncHost


def test_stubs_and_promises_of_plain_trees_are_what_the_walks_look_for() -> None:
    assert isinstance(PlainStub(DISPOSED), StubRef)
    assert isinstance(PlainPromise(DISPOSED), PromiseRef)
    assert PlainPromise(DISPOSED)._path == ()


def test_who_owns_a_stream_that_is_passed_on_owns_its_pipe() -> None:
    pipe = Pipe(100, HeldBytes(1_000_000))
    passed_on = PassedOn(ReadableStream[Any](pipe, SyncHost()), ANY)
    pipe.own()
    passed_on.own()
    pipe.disown()  # the call that brought it is over
    assert not pipe.read().settled
    passed_on.disown()
    assert pipe.read().fulfilled
