from typing import Protocol

import no_such_module


class Api(Protocol):
    async def get(self) -> no_such_module.Thing: ...
