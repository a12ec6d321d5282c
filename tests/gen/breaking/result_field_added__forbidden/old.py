"""A field was added to what servers send; the models forbid fields that they do not know: the schema of then."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel, ConfigDict


class User(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str


class Api(Protocol):
    def user(self) -> User: ...
