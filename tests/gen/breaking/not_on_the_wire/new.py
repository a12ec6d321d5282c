"""A description, a deprecation, `async` or what Python calls something has changed: the schema of now."""

from __future__ import annotations

from typing import Protocol

from typing_extensions import deprecated


class Api(Protocol):
    """It greets."""

    @deprecated("call nobody", category=None)
    async def greet(self, name: str) -> str: ...
