"""A field was removed from what clients send: the schema of then."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel


class User(BaseModel):
    name: str
    age: int


class Api(Protocol):
    def save(self, user: User) -> str: ...
