import functools
from typing import Any, Protocol, overload

from capnweb_runtime.schema import cancellable


class Base(Protocol):
    async def close(self) -> None: ...


class NotAProtocol(Base):
    async def close(self) -> None: ...


class Refused(Protocol):
    limit: int
    name = "x"
    a = b = 1

    class Nested: ...

    if True:
        async def conditional(self) -> None: ...

    @property
    def text(self) -> str: ...
    @text.setter
    def text(self, value: str) -> None: ...

    @property
    async def slow(self) -> int: ...

    @property
    @cancellable
    def interrupted(self) -> int: ...

    @staticmethod
    def static(value: int) -> int: ...

    @classmethod
    def of_class(cls) -> int: ...

    @overload
    def many(self, value: int) -> int: ...
    @overload
    def many(self, value: str) -> str: ...

    @functools.cache
    def cached(self) -> int: ...

    async def twice(self) -> None: ...
    async def twice(self, again: int) -> None: ...

    def no_result(self, untyped, value: int): ...

    def stars(self, *values: set[int], **named: int) -> None: ...

    def no_self() -> None: ...

    def keyword_self(*, self: int) -> None: ...

    def _private(self) -> None: ...

    def __enter__(self) -> None: ...

    async def defaults(
        self,
        a: int = None,
        b: list[int] = [],
        c: str = 1,
        d: int = ...,
        e: float = 1,
        f: int = __name__,
        g: Any = object(),
        h: "Base" = "x",
    ) -> None: ...
