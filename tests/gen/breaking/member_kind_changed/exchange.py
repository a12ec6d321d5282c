"""A method became a property, or a property a method: what servers do and clients ask for."""

from __future__ import annotations

from typing import Any


class Old:
    schema: Any
    targets: Any

    def size(self) -> Any:
        return 3


class New:
    schema: Any
    targets: Any

    @property
    def size(self) -> Any:
        return 3


async def old(api: Any, schema: Any) -> Any:
    return await api.size()


async def new(api: Any, schema: Any) -> Any:
    return await api.size
