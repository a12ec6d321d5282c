"""A field was added to what servers send; it has a default: the schema of then."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel


class User(BaseModel):
    name: str


class Api(Protocol):
    def user(self) -> User: ...
