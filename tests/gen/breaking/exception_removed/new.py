"""A method no longer declares an exception, or it has another name on the wire: the schema of now."""

from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    def find(self, key: int) -> str: ...
