from typing import Protocol, TypeVar

T = TypeVar("T")


class Api(Protocol):
    def same(self, item: T) -> int: ...
