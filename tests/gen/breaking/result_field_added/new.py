"""A field was added to what servers send: the schema of now."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel


class User(BaseModel):
    name: str
    age: int


class Api(Protocol):
    def user(self) -> User: ...
