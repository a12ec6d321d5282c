"""A field with a default was added to what clients send; the models forbid fields that they do not know.

Here: the schema of now.
"""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel, ConfigDict


class User(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    age: int = 0


class Api(Protocol):
    def save(self, user: User) -> str: ...
