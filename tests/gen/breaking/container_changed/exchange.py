"""A type is another in Python, and travels in the same form: what servers do and clients ask for."""

from __future__ import annotations

from typing import Any


class Old:
    schema: Any
    targets: Any

    def sort(self, items: Any) -> Any:
        return sorted(items)


class New:
    schema: Any
    targets: Any

    def sort(self, items: Any) -> Any:
        return set(items)


async def old(api: Any, schema: Any) -> Any:
    return sorted(await api.sort([2, 1]))


async def new(api: Any, schema: Any) -> Any:
    return sorted(await api.sort({2, 1}))
