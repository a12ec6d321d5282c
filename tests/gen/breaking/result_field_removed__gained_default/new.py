"""A field was removed from what servers send, or may be missing now; it got a default: the schema of now."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel


class User(BaseModel):
    name: str
    age: int = 0


class Api(Protocol):
    def user(self) -> User: ...
