from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel, ConfigDict


class User(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    age: int = 0


class Api(Protocol):
    def user(self) -> User: ...
