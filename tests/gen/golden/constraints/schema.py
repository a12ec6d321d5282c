"""Constraints beside types, wherever no pydantic model checks them."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, NewType, Protocol

from annotated_types import Ge, Interval, Len
from pydantic import Field, StringConstraints
from typing_extensions import Doc

Percent = Annotated[float, Interval(ge=0, le=100)]
Code = Annotated[str, StringConstraints(pattern=r'^[A-Z]{2}"?$')]
Account = NewType("Account", int)


@dataclass
class Offer:
    discount: Percent
    code: Code | None = None


class Bank(Protocol):
    @property
    def rate(self) -> Percent: ...
    async def deposit(self, amount: Annotated[int, Field(gt=0, multiple_of=5)], to: Annotated[Account, Ge(1)]) -> int: ...
    async def codes(self, codes: Annotated[list[Code], Len(1, 3)], extra: Annotated[Code | None, Len(0, 2)] = None) -> Code: ...
    async def offer(self, offer: Offer, *, price: Annotated[Decimal, Field(lt=1.5, description="what is paid")]) -> Offer: ...
    async def described(self, name: Annotated[str, Doc("who"), Field(min_length=1)] = "me") -> Annotated[bytes, Len(0, 4)]: ...
