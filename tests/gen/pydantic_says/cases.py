"""What a case is, and the two ends that it is tried on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeAlias

import pydantic

from capnweb_runtime.core.evaluate import Evaluator
from capnweb_runtime.core.loopback import Loopback
from capnweb_runtime.core.mismatch import Mismatch
from tests.runtime.pair import SyncHost

HEAD = """
from datetime import *
from decimal import Decimal
from enum import Enum
from functools import cached_property
from typing import *

import annotated_types
import pydantic
from pydantic import *
from pydantic.dataclasses import dataclass
from pydantic_core import core_schema
from typing_extensions import TypedDict
"""
TAIL = """
class Api(Protocol):
    async def go(self, it: Thing) -> Thing: ...
"""
VERSION = tuple(map(int, pydantic.VERSION.split(".")[:2]))


class Ends:
    """Encodes and decodes what a schema calls `Thing`, with the code that was generated for it."""

    def __init__(self, schema: ModuleType, generated: ModuleType) -> None:
        self.schema = schema
        self.generated: Any = generated
        self._codec: Any = vars(generated)["THING"]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.schema, name)

    def send(self, value: object) -> Any:
        """What travels."""
        return self._codec.encode(value, Loopback(SyncHost()))

    def take(self, wire: object) -> Any:
        """What arrives."""
        return self._codec.decode(wire, Evaluator(Loopback(SyncHost())))

    def back(self, value: object) -> Any:
        """What arrives when a value has been sent: twice, since the first instance may be made otherwise."""
        wire = self.send(value)
        self.take(wire)
        return self.take(wire)

    def refusal(self, wire: object) -> str:
        """Why something does not arrive."""
        try:
            arrived = self.take(wire)
        except Mismatch as mismatch:
            return str(mismatch.error("it"))
        raise AssertionError(f"{wire!r} arrived, as {arrived!r}")


@dataclass(frozen=True)
class Holds:
    """It has to hold: `check` is given both ends."""

    text: str
    check: Callable[[Ends], object]
    since: tuple[int, int] = (2, 9)


@dataclass(frozen=True)
class Refused:
    """It has to be refused, at the line that ends in `# here`, with this in the message and this in the hint."""

    text: str
    message: str
    hint: str
    since: tuple[int, int] = (2, 9)


Case: TypeAlias = Holds | Refused
Cases: TypeAlias = dict[str, Sequence[Case]]


def model(*lines: str, config: str = "") -> str:
    """The text of a model `Thing`."""
    head = [f"    model_config = ConfigDict({config})"] if config else []
    return "\n".join(["class Thing(BaseModel):", *head, *(f"    {line}" for line in lines)])


def equal(made: Callable[[Ends], tuple[object, object]]) -> Callable[[Ends], None]:
    """A check that two things are equal, and of one type."""

    def check(ends: Ends) -> None:
        left, right = made(ends)
        assert left == right
        assert type(left) is type(right)

    return check


def travels(text: str, value: Callable[[Ends], object], wire: object = ..., since: tuple[int, int] = (2, 9)) -> Holds:
    """A value arrives as it was sent, and on the way it is `wire`."""

    def check(ends: Ends) -> None:
        sent = value(ends)
        if wire is not ...:
            assert ends.send(sent) == wire
        arrived = ends.back(sent)
        assert arrived == sent
        assert type(arrived) is type(sent)

    return Holds(text, check, since)


def bounded(field: str, good: object, bad: object, config: str = "", told: str = "valid") -> Holds:
    """One value of a field `x` arrives, and another is refused."""

    def check(ends: Ends) -> None:
        assert ends.send(ends.take({"x": good})) == {"x": good}
        assert ends.take({"x": good}) is not None
        message = ends.refusal({"x": bad})
        assert message.startswith("it.x")
        assert told in message

    return Holds(model(field, config=config), check)
