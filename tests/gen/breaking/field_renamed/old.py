"""A field has another name on the wire: the schema of then."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel


class User(BaseModel):
    full_name: str


class Api(Protocol):
    def user(self) -> User: ...
