"""Generated code at work: modules of the golden cases, with a session between the two ends.

What travels is the runtime's business; here it is that stub and skeleton have the codec that the type needs.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

import pytest

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.connection import Connection
from capnweb_runtime.transports import memory
from capnweb_runtime.values import Blob, Headers, Request, Response, Url
from tests.gen.golden.any_capability import expected as registry
from tests.gen.golden.parameters import expected as parameters
from tests.gen.golden.streams import expected as streams
from tests.gen.golden.streams.schema import Line
from tests.gen.golden.tuples import expected as tuples
from tests.gen.golden.tuples.schema import Point
from tests.gen.golden.unions import expected as unions
from tests.gen.golden.unions.schema import Sample
from tests.gen.golden.web_values import expected as web
from tests.gen.golden.web_values.schema import Attachment
from tests.gen.golden.wire_names import expected as wire_names
from tests.gen.golden.wire_names.schema import UserRecord

S = TypeVar("S", bound=rpc.RpcStub)
Call = Callable[[rpc.RpcTarget, type[S]], S]


class Served:
    """Serves targets, each in a session of its own."""

    def __init__(self) -> None:
        self.joined: list[Connection] = []

    def __call__(self, target: rpc.RpcTarget, stub: type[S]) -> S:
        ours, theirs = memory.pair(target, None)
        self.joined += [ours, theirs]
        return stub(theirs.session.remote_main)


@pytest.fixture
async def served() -> Any:
    found = Served()
    yield found
    for side in found.joined:
        side.session.remote_main.dispose()
        await side.wait_closed()


# ---- any capability, any value


class Counter(registry.CounterTarget):
    def __init__(self) -> None:
        self.total = 0

    def increment(self, n: int = 1) -> int:
        self.total += n
        return self.total
