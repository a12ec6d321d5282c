"""An attribute of an exception was removed, added, or has another type: the schema of now."""

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
