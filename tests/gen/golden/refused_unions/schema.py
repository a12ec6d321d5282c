from typing import Literal, Protocol, TypedDict

from pydantic import BaseModel, RootModel
from typing_extensions import NotRequired


class Cat(BaseModel):
    kind: Literal["cat"]


class Lion(BaseModel):
    kind: Literal["lion", "cat"]


class Dog(BaseModel):
    kind: str


class Bird(TypedDict):
    kind: NotRequired[Literal["bird"]]


class Names(RootModel[list[str]]):
    pass


class Holder(BaseModel):
    pets: list[Cat | Dog]


class Zoo(Protocol):
    async def add(self, a: Cat | Lion, b: Cat | Bird | None, c: Names | str) -> Cat | dict[str, str]: ...
    @property
    def pet(self) -> Dog | Lion: ...
