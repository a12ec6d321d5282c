"""A description, a deprecation, a cost, `async` or what Python calls something has changed: the schema of now."""

from __future__ import annotations

from typing import Protocol

from typing_extensions import deprecated

from capnweb_runtime.schema import cost


class Api(Protocol):
    """It greets."""

    @cost(25)
    @deprecated("call nobody", category=None)
    async def greet(self, name: str) -> str: ...
