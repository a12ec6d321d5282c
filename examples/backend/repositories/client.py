"""What clients of the customers do."""

from __future__ import annotations

from examples.backend.repositories.generated.customers import CustomersStub
from examples.backend.repositories.schemas.customers import Customer


def somebody(number: int, city: str = "Bern") -> Customer:
    """A customer of a number."""
    return Customer(id=f"{number:024x}", name=f"customer {number}", city=city)


async def names(api: CustomersStub) -> list[str]:
    """The names of all customers, read one by one."""
    found: list[str] = []
    async with await api.every() as customers:
        async for customer in customers:
            found.append(customer.name)
    return found
