"""A codec by itself, both ways: values to the wire, as text, and back, and the words with which it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from capnweb_runtime.core.codecs import TypeCodec
from capnweb_runtime.core.evaluate import Evaluator
from capnweb_runtime.core.loopback import Loopback
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.core.text import dumps, loads
from tests.runtime.pair import SyncHost


def encode(codec: TypeCodec, value: Any) -> Any:
    return loads(dumps(codec.encode(value, Loopback(SyncHost()))))


def decode(codec: TypeCodec, wire: Any) -> Any:
    return codec.decode(wire, Evaluator(Loopback(SyncHost())))


def read(codec: TypeCodec, wire: Any) -> Any:
    """What is read where the wire form is that of a field called f."""
    return codec.read({"f": wire}, "f", Evaluator(Loopback(SyncHost())))


def refusal(action: Callable[[], object]) -> str:
    with pytest.raises(Mismatch) as caught:
        action()
    return str(caught.value.error("it"))
