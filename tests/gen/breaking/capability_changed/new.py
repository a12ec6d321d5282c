"""A value became a capability or a stream, or a capability another: the schema of now."""

from __future__ import annotations

from typing import Protocol


class User(Protocol):
    def name(self) -> str: ...


class Api(Protocol):
    def user(self) -> User: ...
