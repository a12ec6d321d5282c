from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel

from capnweb_runtime.schema import raises

T = TypeVar("T")


class Box(BaseModel, Generic[T]):
    item: T


class Busy(Exception):
    instead: Box[Api]


class Api(Protocol):
    @raises(Busy)
    def find(self) -> int: ...
