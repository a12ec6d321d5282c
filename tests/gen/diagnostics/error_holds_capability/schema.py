from __future__ import annotations

from typing import Protocol

from capnweb_runtime.schema import raises


class Busy(Exception):
    instead: Api


class Api(Protocol):
    @raises(Busy)
    def find(self) -> int: ...
