from typing import Protocol, TypeVar

K = TypeVar("K", int, str)


class Keys(Protocol[K]):
    def first(self) -> K: ...


class Api(Protocol):
    def keys(self) -> Keys[bool]: ...
