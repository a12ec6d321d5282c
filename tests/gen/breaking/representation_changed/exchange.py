"""A value travels in another form: what servers do and clients ask for."""

from __future__ import annotations

from typing import Any


class Old:
    schema: Any
    targets: Any

    def double(self, price: Any) -> Any:
        return price * 2


class New:
    schema: Any
    targets: Any

    def double(self, price: Any) -> Any:
        return price * 2


async def old(api: Any, schema: Any) -> Any:
    return await api.double(1.5)


async def new(api: Any, schema: Any) -> Any:
    return await api.double(schema.Decimal("1.50"))
