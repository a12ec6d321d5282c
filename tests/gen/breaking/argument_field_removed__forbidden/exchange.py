"""A field was removed from what clients send; the models forbid fields that they do not know.

Here: what servers do and clients ask for.
"""

from __future__ import annotations

from typing import Any


class Old:
    schema: Any
    targets: Any

    def save(self, user: Any) -> Any:
        return f"{user.name} {user.age}"


class New:
    schema: Any
    targets: Any

    def save(self, user: Any) -> Any:
        return user.name


async def old(api: Any, schema: Any) -> Any:
    return await api.save(schema.User(name="Ann", age=7))


async def new(api: Any, schema: Any) -> Any:
    return await api.save(schema.User(name="Ann"))
