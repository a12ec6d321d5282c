from typing import Literal, Protocol, TypeVar

T = TypeVar("T", covariant=True)


class Page(Protocol[T]):
    def first(self) -> T: ...


class Api(Protocol):
    def page(self) -> Page[Literal["a", "b"]]: ...
