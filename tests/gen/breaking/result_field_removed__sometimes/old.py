from __future__ import annotations

from typing import Protocol, TypedDict


class User(TypedDict):
    name: str
    age: int


class Api(Protocol):
    def user(self) -> User: ...
