from __future__ import annotations

from typing import NotRequired, Protocol, TypedDict


class User(TypedDict):
    name: str
    age: NotRequired[int]


class Api(Protocol):
    def user(self) -> User: ...
