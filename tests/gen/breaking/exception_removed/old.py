"""A method no longer declares an exception, or it has another name on the wire: the schema of then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from capnweb_runtime.schema import raises


@dataclass
class NotFound(Exception):
    key: int


class Api(Protocol):
    @raises(NotFound)
    def find(self, key: int) -> str: ...
