"""A generic interface, which knows nothing of what it will be used for."""

from __future__ import annotations

from typing import Protocol, TypeVar

from pydantic import BaseModel

T = TypeVar("T", covariant=True)


class Cursor(BaseModel):
    at: int


class Page(Protocol[T]):
    """Some of many."""

    def items(self) -> list[T]: ...
    def after(self, cursor: Cursor) -> Page[T]: ...
