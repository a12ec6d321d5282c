from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel

T = TypeVar("T")


class Tree(BaseModel, Generic[T]):
    leaf: T
    branches: list[Tree[T]]


class Garden(Protocol):
    def tree(self) -> Tree[int]: ...
