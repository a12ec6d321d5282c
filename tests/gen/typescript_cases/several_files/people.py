# Read from tests/gen/typescript_cases/several_files/people.ts by capnweb-gen from-typescript.
# What you change here is kept.
"""What tests/gen/typescript_cases/several_files/people.ts declares."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from tests.gen.typescript_cases.several_files.places import Place

Role = Literal["lead", "extra"]


class Person(BaseModel):
    name: str
    home: Place


# What from-typescript wrote: by these digests it tells what was changed by hand since.
# capnweb-gen: (top)=20fdc77c44 Role=6980f6a089 Person=8548ad1411
