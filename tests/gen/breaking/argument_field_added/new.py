"""A field with a default was added to what clients send: the schema of now."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel


class User(BaseModel):
    name: str
    age: int = 0


class Api(Protocol):
    def save(self, user: User) -> str: ...
