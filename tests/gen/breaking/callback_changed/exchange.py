"""A function that is passed takes or gives something else: what servers do and clients ask for."""

from __future__ import annotations

from typing import Any


class Old:
    schema: Any
    targets: Any

    async def each(self, call: Any) -> Any:
        return await call(1)


class New:
    schema: Any
    targets: Any

    async def each(self, call: Any) -> Any:
        return await call(1, 2)


async def old(api: Any, schema: Any) -> Any:
    return await api.each(lambda one: f"{one}")


async def new(api: Any, schema: Any) -> Any:
    return await api.each(lambda one, other: f"{one} {other}")
