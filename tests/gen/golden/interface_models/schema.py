"""A calculator, declared with pydantic models."""

from typing import Annotated

from pydantic import BaseModel

from capnweb_runtime.schema import InterfaceModel, Method, Property, wire_name


class Add(BaseModel):
    a: int
    b: int = 1


class Entry(BaseModel):
    text: str
    result: int


class Follow(BaseModel):
    other: "Calculator"


class Calculator(InterfaceModel):
    """Adds, and remembers."""

    add: Method[Add, int]
    """Gives the sum."""

    memory: Property[float]

    history: Annotated[Method[None, list[Entry]], wire_name("log")]

    follow: Method[Follow, "Calculator"]
