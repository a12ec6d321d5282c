"""The keys of a TypedDict may be any strings; records may be declared by a call."""

from typing import NamedTuple, NotRequired, Protocol, TypedDict

WIRE_CASE = "camel"

Mail = TypedDict(
    "Mail",
    {
        "from": str,
        "in-reply-to": NotRequired["Mail"],
        "_id": int,
        "a-b": int,
        "a_b": int,
        "2nd": list[str],
    },
)
Spot = NamedTuple("Spot", [("x", int), ("y_axis", int)])


class Post(Protocol):
    async def send(self, mail: Mail) -> Mail: ...
    async def place(self, spot: Spot) -> Spot: ...
