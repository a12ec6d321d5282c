"""An attribute of an exception was removed, added, or has another type: what servers do and clients ask for."""

from __future__ import annotations

from typing import Any


class Old:
    schema: Any
    targets: Any

    def find(self, key: Any) -> Any:
        raise self.schema.NotFound(key, "A")


class New:
    schema: Any
    targets: Any

    def find(self, key: Any) -> Any:
        raise self.schema.NotFound(key)


async def old(api: Any, schema: Any) -> Any:
    try:
        return await api.find(4)
    except schema.NotFound as error:
        return error.shelf


async def new(api: Any, schema: Any) -> Any:
    try:
        return await api.find(4)
    except schema.NotFound as error:
        return error.key
