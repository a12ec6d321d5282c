"""A keyword-only parameter has another name on the wire: the schema of then."""

from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    def greet(self, name: str, *, max_times: int) -> str: ...
