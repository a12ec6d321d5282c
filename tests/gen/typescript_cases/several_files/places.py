# Read from tests/gen/typescript_cases/several_files/places.d.ts by capnweb-gen from-typescript.
# What you change here is kept.
"""What tests/gen/typescript_cases/several_files/places.d.ts declares."""

from __future__ import annotations

from pydantic import BaseModel


class Place(BaseModel):
    city: str


class Cast(BaseModel):
    names: list[str]


# What from-typescript wrote: by these digests it tells what was changed by hand since.
# capnweb-gen: (top)=e53db81fa7 Place=1fc484d669 Cast=ef7f37d96a
