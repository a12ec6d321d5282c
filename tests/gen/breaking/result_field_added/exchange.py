"""A field was added to what servers send: what servers do and clients ask for."""

from __future__ import annotations

from typing import Any


class Old:
    schema: Any
    targets: Any

    def user(self) -> Any:
        return self.schema.User(name="Ann")


class New:
    schema: Any
    targets: Any

    def user(self) -> Any:
        return self.schema.User(name="Ann", age=7)


async def old(api: Any, schema: Any) -> Any:
    return (await api.user()).name


async def new(api: Any, schema: Any) -> Any:
    user = await api.user()
    return user.name, user.age
