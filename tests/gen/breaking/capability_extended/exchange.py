"""In place of a capability one of an interface that inherits it is given: what servers do and clients ask for."""

from __future__ import annotations

from typing import Any


class Old:
    schema: Any
    targets: Any

    def user(self) -> Any:
        return self.targets["User"]({"name": lambda self: "Ann"})


class New:
    schema: Any
    targets: Any

    def user(self) -> Any:
        return self.targets["Admin"]({"name": lambda self: "Ann", "ban": lambda self: "banned"})


async def old(api: Any, schema: Any) -> Any:
    return await api.user().name()


async def new(api: Any, schema: Any) -> Any:
    return await api.user().ban()
