"""A schema without interfaces, for other schemas to use."""

from pydantic import BaseModel


class Money(BaseModel):
    """An amount in the smallest unit of a currency."""

    amount: int
    currency: str = "EUR"
