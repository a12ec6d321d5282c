"""A field has another name on the wire: the schema of now."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel, Field


class User(BaseModel):
    full_name: str = Field(alias="fullName")


class Api(Protocol):
    def user(self) -> User: ...
