"""A field without a default was added to what clients send, or lost its default, and the models forbid others.

Here: what servers do and clients ask for.
"""

from __future__ import annotations

from typing import Any


class Old:
    schema: Any
    targets: Any

    def save(self, user: Any) -> Any:
        return user.name


class New:
    schema: Any
    targets: Any

    def save(self, user: Any) -> Any:
        return f"{user.name} {user.age}"


async def old(api: Any, schema: Any) -> Any:
    return await api.save(schema.User(name="Ann"))


async def new(api: Any, schema: Any) -> Any:
    return await api.save(schema.User(name="Ann", age=7))
