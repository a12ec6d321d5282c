"""A module, model, exception or interface has another name, and the same members: the schema of now."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel


class Person(BaseModel):
    name: str


class Office(Protocol):
    def user(self) -> Person: ...


class Api(Protocol):
    def desk(self) -> Office: ...
