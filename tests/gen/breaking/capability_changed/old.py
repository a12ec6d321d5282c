"""A value became a capability or a stream, or a capability another: the schema of then."""

from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    def user(self) -> str: ...
