"""A parameter was inserted before others, or they changed places: what servers do and clients ask for."""

from __future__ import annotations

from typing import Any


class Old:
    schema: Any
    targets: Any

    def pay(self, amount: Any, currency: Any) -> Any:
        return f"{amount} {currency}"


class New:
    schema: Any
    targets: Any

    def pay(self, currency: Any, amount: Any) -> Any:
        return f"{amount} {currency}"


async def old(api: Any, schema: Any) -> Any:
    return await api.pay(5, "EUR")


async def new(api: Any, schema: Any) -> Any:
    return await api.pay("EUR", 5)
