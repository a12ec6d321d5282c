"""A board of messages, for whoever comes by whichever transport."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from capnweb_runtime.schema import idempotent


class Board(Protocol):
    """A board of messages."""

    @idempotent
    async def transport(self) -> str:
        """By what this session travels, as the server sees it."""
        ...

    async def post(self, text: str) -> int:
        """Put a message up, and say how many there are."""
        ...

    @idempotent
    async def posts(self, since: int = 0) -> list[str]:
        """The messages behind so many: what a client without callbacks asks for again and again."""
        ...

    async def watch(self, on_post: Callable[[str], None]) -> None:
        """Be called back with each message, for as long as the session lasts."""
        ...
