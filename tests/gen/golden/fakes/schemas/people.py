"""Who there is."""

from __future__ import annotations

from typing import Protocol


class Person(Protocol):
    """Somebody."""

    @property
    def name(self) -> str: ...

    @property
    def employer(self) -> Person | None: ...

    async def greet(self, other: Person, *, politely: bool = True) -> str: ...


class Clerk(Person, Protocol):
    """Checks others, so that its fakes are verified by a function."""

    async def greet(self, other: Person, *, politely: bool = False) -> str: ...

    async def verify(self, who: Person, type: str = "reader") -> bool: ...
