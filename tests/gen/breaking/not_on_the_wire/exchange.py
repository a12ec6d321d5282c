"""A description, a deprecation, a cost, `async` or what Python calls something has changed.

Here: what servers do and clients ask for.
"""

from __future__ import annotations

from typing import Any


class Old:
    schema: Any
    targets: Any

    def greet(self, name: Any) -> Any:
        return name


class New:
    schema: Any
    targets: Any

    def greet(self, name: Any) -> Any:
        return name


async def old(api: Any, schema: Any) -> Any:
    return await api.greet("Ann")


async def new(api: Any, schema: Any) -> Any:
    return await api.greet("Ann")
