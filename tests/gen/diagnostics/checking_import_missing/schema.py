from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from no_such_module import Thing


class Api(Protocol):
    async def get(self) -> Thing: ...
