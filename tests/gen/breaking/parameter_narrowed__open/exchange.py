"""A server takes fewer values than before; the type is open: what servers do and clients ask for."""

from __future__ import annotations

from typing import Any


class Old:
    schema: Any
    targets: Any

    def paint(self, colour: Any) -> Any:
        return colour.value


class New:
    schema: Any
    targets: Any

    def paint(self, colour: Any) -> Any:
        return colour.value


async def old(api: Any, schema: Any) -> Any:
    return await api.paint(schema.Colour.BLUE)


async def new(api: Any, schema: Any) -> Any:
    return await api.paint(schema.Colour.RED)
