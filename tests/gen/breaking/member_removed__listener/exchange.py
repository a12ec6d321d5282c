"""A method or property was removed, or has another name on the wire; in an interface that clients implement.

Here: what servers do and clients ask for.
"""

from __future__ import annotations

from typing import Any


class Old:
    schema: Any
    targets: Any

    async def listen(self, listener: Any) -> Any:
        return await listener.end()


class New:
    schema: Any
    targets: Any

    async def listen(self, listener: Any) -> Any:
        return await listener.tell("x")


async def old(api: Any, schema: Any) -> Any:
    return await api.listen(schema.targets["Listener"]({"tell": lambda self, what: what, "end": lambda self: "end"}))


async def new(api: Any, schema: Any) -> Any:
    return await api.listen(schema.targets["Listener"]({"tell": lambda self, what: what}))
