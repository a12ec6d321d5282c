"""A method or property was added; in an interface that clients implement: the schema of then."""

from __future__ import annotations

from typing import Protocol


class Listener(Protocol):
    def tell(self, what: str) -> str: ...


class Api(Protocol):
    def listen(self, listener: Listener) -> str: ...
