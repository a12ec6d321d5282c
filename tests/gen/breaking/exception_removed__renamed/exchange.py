"""A method no longer declares an exception, or it has another name on the wire; another name on the wire.

Here: what servers do and clients ask for.
"""

from __future__ import annotations

from typing import Any


class Old:
    schema: Any
    targets: Any

    def find(self, key: Any) -> Any:
        raise self.schema.NotFound(key)


class New:
    schema: Any
    targets: Any

    def find(self, key: Any) -> Any:
        raise self.schema.NotFound(key)


async def old(api: Any, schema: Any) -> Any:
    try:
        return await api.find(4)
    except Exception as error:
        return type(error).__name__


async def new(api: Any, schema: Any) -> Any:
    try:
        return await api.find(4)
    except Exception as error:
        return type(error).__name__
