"""Signatures that do not fit into a line, in each of the ways in which they can be broken."""

from collections.abc import Callable
from typing import Literal, Protocol

from pydantic import BaseModel


class ExtraordinarilyLongWindedModelOfSomething(BaseModel):
    a_field_with_a_name_that_goes_on_and_on_until_it_is_hard_to_read_at_all: dict[str, list[dict[str, list[str]]]]


class SubscriptionToEverythingThatEverHappened(Protocol):
    async def pause(self) -> None: ...


class AnInterfaceWhoseNameIsLongEnoughToBreakLines(SubscriptionToEverythingThatEverHappened, Protocol):
    @property
    def current(self) -> SubscriptionToEverythingThatEverHappened | None: ...

    async def all_of_them(self) -> list[dict[str, SubscriptionToEverythingThatEverHappened]]: ...
    async def first(self, wanted: ExtraordinarilyLongWindedModelOfSomething, count: int = 10) -> list[ExtraordinarilyLongWindedModelOfSomething]: ...
    async def watch(
        self,
        on_change: Callable[[ExtraordinarilyLongWindedModelOfSomething, SubscriptionToEverythingThatEverHappened], ExtraordinarilyLongWindedModelOfSomething],
        level: Literal["an extraordinarily long constant", "and another extraordinarily long constant", "and a third one"] = "and a third one",
    ) -> SubscriptionToEverythingThatEverHappened: ...
    async def many(self, alpha: int, beta: int, gamma: int, delta: int, epsilon: int, zeta: int, eta: int, theta: int) -> int: ...
    async def text(self, default: str = "a default that is so long that no line could hold it, whatever one might try to do about it, really") -> None: ...
