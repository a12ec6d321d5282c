"""A value became a capability or a stream, or a capability another: what servers do and clients ask for."""

from __future__ import annotations

from typing import Any


class Old:
    schema: Any
    targets: Any

    def user(self) -> Any:
        return "Ann"


class New:
    schema: Any
    targets: Any

    def user(self) -> Any:
        return self.targets["User"]({"name": lambda self: "Ann"})


async def old(api: Any, schema: Any) -> Any:
    return (await api.user()).upper()


async def new(api: Any, schema: Any) -> Any:
    return await api.user().name()
