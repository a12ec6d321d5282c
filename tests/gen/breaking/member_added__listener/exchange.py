"""A method or property was added; in an interface that clients implement: what servers do and clients ask for."""

from __future__ import annotations

from typing import Any


class Old:
    schema: Any
    targets: Any

    async def listen(self, listener: Any) -> Any:
        return await listener.tell("x")


class New:
    schema: Any
    targets: Any

    async def listen(self, listener: Any) -> Any:
        return await listener.end()


async def old(api: Any, schema: Any) -> Any:
    return await api.listen(schema.targets["Listener"]({"tell": lambda self, what: what}))


async def new(api: Any, schema: Any) -> Any:
    return await api.listen(schema.targets["Listener"]({"tell": lambda self, what: what, "end": lambda self: "end"}))
