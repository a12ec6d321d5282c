"""A server gives values that it did not give before; of models, and open: what servers do and clients ask for."""

from __future__ import annotations

from typing import Any


class Old:
    schema: Any
    targets: Any

    def shape(self) -> Any:
        return self.schema.Square()


class New:
    schema: Any
    targets: Any

    def shape(self) -> Any:
        return self.schema.Star()


async def old(api: Any, schema: Any) -> Any:
    shape = await api.shape()
    return type(shape).__name__


async def new(api: Any, schema: Any) -> Any:
    shape = await api.shape()
    return type(shape).__name__
