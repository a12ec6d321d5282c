"""In place of a capability one of an interface that it inherits is given; as an argument.

Here: what servers do and clients ask for.
"""

from __future__ import annotations

from typing import Any


class Old:
    schema: Any
    targets: Any

    async def meet(self, user: Any) -> Any:
        return await user.ban()


class New:
    schema: Any
    targets: Any

    async def meet(self, user: Any) -> Any:
        return await user.name()


async def old(api: Any, schema: Any) -> Any:
    return await api.meet(schema.targets["Admin"]({"name": lambda self: "Ann", "ban": lambda self: "banned"}))


async def new(api: Any, schema: Any) -> Any:
    return await api.meet(schema.targets["User"]({"name": lambda self: "Ann"}))
