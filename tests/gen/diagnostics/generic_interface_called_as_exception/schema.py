from typing import Protocol, TypeVar

from capnweb_runtime.schema import raises

T = TypeVar("T", covariant=True)


class PageInt(Exception): ...


class Page(Protocol[T]):
    @raises(PageInt)
    def first(self) -> T: ...


class Api(Protocol):
    def page(self) -> Page[int]: ...
