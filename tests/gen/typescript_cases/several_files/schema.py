# Read from tests/gen/typescript_cases/several_files/schema.ts by capnweb-gen from-typescript.
# What you change here is kept.
"""What tests/gen/typescript_cases/several_files/schema.ts declares."""

from __future__ import annotations

from typing import Literal, Protocol

from tests.gen.typescript_cases.several_files.people import Person
from tests.gen.typescript_cases.several_files.places import Cast, Place


class Theatre(Protocol):
    async def cast(self, play: str) -> list[Person]: ...
    async def role(self, person: Person) -> Literal["lead", "extra"]: ...
    async def at(self, place: Place) -> Cast: ...
    async def all(self) -> list[Person]: ...


# What from-typescript wrote: by these digests it tells what was changed by hand since.
# capnweb-gen: (top)=1b1e1da9f7 Theatre=58e6726ac4
