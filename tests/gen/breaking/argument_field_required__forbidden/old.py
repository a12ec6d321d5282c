"""A field without a default was added to what clients send, or lost its default, and the models forbid others.

Here: the schema of then.
"""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel, ConfigDict


class User(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str


class Api(Protocol):
    def save(self, user: User) -> str: ...
