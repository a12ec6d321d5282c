"""A field has another name on the wire: what servers do and clients ask for."""

from __future__ import annotations

from typing import Any


class Old:
    schema: Any
    targets: Any

    def user(self) -> Any:
        return self.schema.User(full_name="Ann")


class New:
    schema: Any
    targets: Any

    def user(self) -> Any:
        return self.schema.User(fullName="Ann")


async def old(api: Any, schema: Any) -> Any:
    return (await api.user()).full_name


async def new(api: Any, schema: Any) -> Any:
    return (await api.user()).full_name
