"""Unions of models that a field tells apart, and of models with what looks different."""

from dataclasses import dataclass
from typing import Annotated, Literal, Protocol, TypeAlias, TypedDict

from pydantic import BaseModel, Field


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int = 9
    friend: "Pet | None" = None


class Dog(BaseModel):
    kind: Literal["dog", "puppy"] = "dog"
    name: str
    chases: list["Cat | Dog"] = []


@dataclass
class Fish:
    kind: Literal[3]
    salt: bool = False


class Bird(TypedDict):
    kind: Literal["bird"]
    sings: bool


class Moved(BaseModel):
    by: int


Pet: TypeAlias = Annotated[Cat | Dog, Field(discriminator="kind")]


class Zoo(Protocol):
    @property
    def first(self) -> Cat | Dog: ...
    async def add(self, pet: Cat | Dog | Fish | Bird, friends: list[Pet] | None = None) -> Pet | None: ...
    async def events(self, since: Moved | Literal["start"] | int = "start") -> list[Moved | str]: ...
    async def tagged(self, pet: Pet) -> dict[str, Cat | Dog | str | None]: ...
    async def either(self, value: Fish | list[int]) -> tuple[Bird | Fish, int | Moved]: ...
