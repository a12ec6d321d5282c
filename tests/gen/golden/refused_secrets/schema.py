"""Functions without names for what they take, of which nothing more can be said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from capnweb_runtime.schema import Secret


class Plain(Protocol):
    def __call__(self, token: Secret[str], /) -> None: ...


class Api(Protocol):
    async def watch(self, on_token: Callable[[Secret[str]], None]) -> None: ...

    async def ask(self, question: Callable[[str], Secret[str]]) -> None: ...

    async def plain(self, told: Plain) -> None: ...
