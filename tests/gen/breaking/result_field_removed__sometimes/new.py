"""A field was removed from what servers send, or may be missing now; a key that may be missing: the schema of now."""

from __future__ import annotations

from typing import NotRequired, Protocol, TypedDict


class User(TypedDict):
    name: str
    age: NotRequired[int]


class Api(Protocol):
    def user(self) -> User: ...
