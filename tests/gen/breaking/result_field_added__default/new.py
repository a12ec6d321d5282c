"""A field was added to what servers send; it has a default: the schema of now."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel


class User(BaseModel):
    name: str
    age: int = 0


class Api(Protocol):
    def user(self) -> User: ...
