from dataclasses import dataclass
from enum import Enum
from typing import Generic, Literal, NewType, TypedDict, TypeVar

from pydantic import BaseModel, RootModel

T = TypeVar("T")
Id = NewType("Id", int)


class State(Enum):
    NEW = 1


class Page(BaseModel, Generic[T]):
    items: list[T]


class Tags(RootModel[list[str]]):
    pass


@dataclass
class Box:
    kind: Literal["box"]
    state: State = State.NEW


class Bag(TypedDict):
    kind: Literal["bag"]
    boxes: list[Box]


class Shelf(BaseModel):
    page: Page[Id]
