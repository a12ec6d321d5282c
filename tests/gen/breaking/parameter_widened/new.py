"""A server takes more values than before: the schema of now."""

from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    def find(self, key: int | None) -> str: ...
