"""A module, model, exception or interface has another name, and the same members: the schema of then."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel


class User(BaseModel):
    name: str


class Desk(Protocol):
    def user(self) -> User: ...


class Api(Protocol):
    def desk(self) -> Desk: ...
