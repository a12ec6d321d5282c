"""A field was removed from what servers send, or may be missing now; a key that may be missing.

Here: the schema of then.
"""

from __future__ import annotations

from typing import Protocol, TypedDict


class User(TypedDict):
    name: str
    age: int


class Api(Protocol):
    def user(self) -> User: ...
