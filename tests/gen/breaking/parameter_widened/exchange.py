"""A server takes more values than before: what servers do and clients ask for."""

from __future__ import annotations

from typing import Any


class Old:
    schema: Any
    targets: Any

    def find(self, key: Any) -> Any:
        return f"found {key}"


class New:
    schema: Any
    targets: Any

    def find(self, key: Any) -> Any:
        return f"found {key}"


async def old(api: Any, schema: Any) -> Any:
    return await api.find(4)


async def new(api: Any, schema: Any) -> Any:
    return await api.find(None)
