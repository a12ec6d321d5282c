from typing import Protocol, TypeVar

T = TypeVar("T", covariant=True)


class Page(Protocol[T]):
    def first(self) -> T: ...


class PageInt(Protocol):
    def last(self) -> int: ...


class Api(Protocol):
    def page(self) -> Page[int]: ...
