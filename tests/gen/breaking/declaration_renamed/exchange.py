"""A module, model, exception or interface has another name, and the same members.

Here: what servers do and clients ask for.
"""

from __future__ import annotations

from typing import Any


class Old:
    schema: Any
    targets: Any

    def desk(self) -> Any:
        return self.targets["Desk"]({"user": lambda _: self.schema.User(name="Ann")})


class New:
    schema: Any
    targets: Any

    def desk(self) -> Any:
        return self.targets["Office"]({"user": lambda _: self.schema.Person(name="Ann")})


async def old(api: Any, schema: Any) -> Any:
    return (await api.desk().user()).name


async def new(api: Any, schema: Any) -> Any:
    return (await api.desk().user()).name
