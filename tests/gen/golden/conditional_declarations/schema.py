"""What is declared depends on the Python that runs; what exists is read where it stands."""

from __future__ import annotations

import sys
import typing as t

from pydantic import BaseModel

if t.TYPE_CHECKING:
    from decimal import Decimal
else:
    Decimal = "not for the one who reads types"

if sys.version_info >= (3, 11):

    class Item(BaseModel):
        """This one."""

        price: int

    class Shop(t.Protocol):
        async def items(self) -> list[Item]:
            """Of this one."""
else:

    class Item(BaseModel):
        """Another."""

        name: str

    class Shop(t.Protocol):
        async def items(self) -> str:
            """Of another."""


try:
    import tomllib as tomllib
except ImportError:
    pass
else:

    class Settings(t.Protocol):
        async def total(self, of: Shop) -> Decimal: ...


if sys.platform == "no such platform":

    class Never(t.Protocol):
        async def read(self) -> int: ...
