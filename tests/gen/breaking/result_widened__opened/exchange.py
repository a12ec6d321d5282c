"""A server gives values that it did not give before; the type became open: what servers do and clients ask for."""

from __future__ import annotations

from typing import Any


class Old:
    schema: Any
    targets: Any

    def colour(self) -> Any:
        return self.schema.Colour.RED


class New:
    schema: Any
    targets: Any

    def colour(self) -> Any:
        return self.schema.Colour.RED


async def old(api: Any, schema: Any) -> Any:
    return (await api.colour()).value


async def new(api: Any, schema: Any) -> Any:
    return (await api.colour()).value
