"""A method no longer declares an exception, or it has another name on the wire; another name on the wire.

Here: the schema of now.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from capnweb_runtime.schema import raises, wire_name


@wire_name("Missing")
@dataclass
class NotFound(Exception):
    key: int


class Api(Protocol):
    @raises(NotFound)
    def find(self, key: int) -> str: ...
