"""A field was removed from what clients send; it has a default: the schema of now."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel


class User(BaseModel):
    name: str


class Api(Protocol):
    def save(self, user: User) -> str: ...
