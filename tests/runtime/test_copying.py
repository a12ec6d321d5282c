"""What refers to something elsewhere is not copied: a copy would be a reference that nobody counts."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from capnweb_runtime import AnyStub
from capnweb_runtime.blocking import BlockingAnyStub
from capnweb_runtime.core.held import HeldBytes
from capnweb_runtime.core.pipe import Pipe
from capnweb_runtime.objects.streams import ReadableStream, WritableStream
from capnweb_runtime.schema import Capability
from tests.runtime.conftest import Join
from tests.runtime.example import CounterStub, Desk, DeskStub
from tests.runtime.pair import Counted, SyncHost

COPIES: list[Callable[[Any], Any]] = [copy.copy, copy.deepcopy, pickle.dumps]


@dataclasses.dataclass
class Held:
    counter: Any


class Room(BaseModel):
    counter: Capability[CounterStub]


@pytest.mark.parametrize("copied", COPIES)
class TestRefusals:
    def test_a_stub_says_that_it_is_duplicated(self, copied: Callable[[Any], Any], join: Join) -> None:
        pair = join(None, Desk())
        counter = pair.wait(pair.a.main(DeskStub).counter())
        with counter, pytest.raises(TypeError, match=r"^CounterStub cannot be copied .* dup\(\) makes a second stub"):
            copied(counter)

    def test_a_promise_says_that_it_is_awaited(self, copied: Callable[[Any], Any], join: Join) -> None:
        pair = join(None, Desk())
        with pytest.raises(TypeError, match=r"^BookPromise cannot be copied .*: await it, and copy what it gives$"):
            copied(pair.a.main(DeskStub).book("Emma"))

    def test_streams_are_not_copied(self, copied: Callable[[Any], Any]) -> None:
        readable = ReadableStream[int](Pipe(10, HeldBytes(1_000_000)), SyncHost())
        readable._ended = True
        for stream in (readable, WritableStream[int](Counted())):
            with pytest.raises(TypeError, match="cannot be copied or pickled"):
                copied(stream)

    def test_blocking_stubs_are_not_copied(self, copied: Callable[[Any], Any]) -> None:
        with pytest.raises(TypeError, match=r"^BlockingAnyStub cannot be copied .* dup\(\)"):
            copied(BlockingAnyStub(AnyStub(Counted())))


class TestWhatHoldsOne:
    @pytest.mark.parametrize(
        "copied",
        [
            lambda counter: dataclasses.asdict(Held(counter)),
            lambda counter: copy.deepcopy(Held([counter])),
            lambda counter: Room(counter=counter).model_copy(deep=True),
        ],
        ids=["asdict", "deepcopy", "model_copy"],
    )
    def test_copying_it_fails_the_same_and_makes_no_noise(
        self, copied: Callable[[Any], Any], join: Join, capfd: pytest.CaptureFixture[str]
    ) -> None:
        pair = join(None, Desk())
        with (
            pair.wait(pair.a.main(DeskStub).counter()) as counter,
            pytest.raises(TypeError, match=r"CounterStub cannot be copied .* dup\(\)"),
        ):
            copied(counter)
        assert capfd.readouterr().err == ""

    def test_a_copy_that_shares_it_can_be_made(self, join: Join) -> None:
        pair = join(None, Desk())
        with pair.wait(pair.a.main(DeskStub).counter()) as counter:
            assert Room(counter=counter).model_copy().counter is counter
