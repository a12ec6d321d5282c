"""A server gives values that it did not give before; of models: the schema of then."""

from __future__ import annotations

from typing import Literal, Protocol

from pydantic import BaseModel


class Circle(BaseModel):
    kind: Literal["circle"] = "circle"


class Square(BaseModel):
    kind: Literal["square"] = "square"


class Star(BaseModel):
    kind: Literal["star"] = "star"


class Api(Protocol):
    def shape(self) -> Circle | Square: ...
