"""A default is another: what servers do and clients ask for."""

from __future__ import annotations

from typing import Any


class Old:
    schema: Any
    targets: Any

    def greet(self, times: Any = 1) -> Any:
        return times


class New:
    schema: Any
    targets: Any

    def greet(self, times: Any = 2) -> Any:
        return times


async def old(api: Any, schema: Any) -> Any:
    return await api.greet()


async def new(api: Any, schema: Any) -> Any:
    return await api.greet()
