"""What the schema says of a value in a message: of which type it is, and what in it is secret. Rule: rather too much is
left out than too little; what is secret in one of the types that a value may be of is secret.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from capnweb_runtime.core.compound import (
    InterfaceCodec,
    ModelCodec,
    OptionalCodec,
    RecordCodec,
    TaggedCodec,
    UnionCodec,
)
from capnweb_runtime.core.hook import Path
from capnweb_runtime.core.interface import Method, Property
from capnweb_runtime.debugging.names import interface_of
from capnweb_runtime.objects.callbacks import CallbackCodec
from capnweb_runtime.objects.streams import StreamCodec, WritableCodec

MOST_CODECS: Final = 200
"""Types in a type that are looked at."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What is known of the type of a value.

    Attributes:
        codecs: of the types that it may be of.
        hidden: keys of objects in it, at whatever depth, whose values are secret.
        secret: whether all of it is.
    """

    codecs: tuple[object, ...] = ()
    hidden: frozenset[str] = frozenset()
    secret: bool = False

    @property
    def interface(self) -> str:
        """The interface of the objects that it may be; "" if it may be none."""
        return next(filter(None, map(interface_of, self.codecs)), "")

    @property
    def members(self) -> Mapping[str, tuple[str, Method | Property]]:
        """Members of such an object, by their names on the wire."""
        target: Any = next((codec._target() for codec in self.codecs if isinstance(codec, InterfaceCodec)), None)
        members: Mapping[str, tuple[str, Method | Property]] = getattr(target, "_rpc_members", {})
        return members

    @property
    def function(self) -> Method | None:
        """How it is called, if it may be a function."""
        return next((codec.method for codec in self.codecs if isinstance(codec, CallbackCodec)), None)

    def item(self, key: str | int) -> Typed:
        """What is known of a part of it.

        Parameters:
            key: of the part in an object, or its index in a list.
        """
        inner = [found for codec in self.codecs for found in _inside(codec, key)]
        parts = tuple(part for codec in inner for part in _alternatives(codec))
        return Typed(parts, self.hidden, self.secret or key in self.hidden)

    def at(self, path: Path) -> Typed:
        """What is known of what a path leads to."""
        typed = self
        for key in path:
            typed = typed.item(key)
        return typed

    def chunks(self) -> Typed:
        """What is known of the chunks of a stream."""
        streams = [codec for codec in self.codecs if isinstance(codec, (StreamCodec, WritableCodec))]
        return Typed(tuple(part for codec in streams for part in _alternatives(codec.item)), self.hidden, self.secret)

    def with_secrets_of(self, other: Typed) -> Typed:
        """The same, with what is secret in another one."""
        return replace(self, hidden=self.hidden | other.hidden, secret=self.secret or other.secret)


UNKNOWN: Final = Typed()
"""Nothing is known of it."""
SECRET: Final = Typed(secret=True)
"""Nothing is known of it but that it is secret, or may be."""


def typed(codec: object, secret: bool = False) -> Typed:
    """What a codec says.

    Parameters:
        codec: of a parameter or a result; None if there is none.
        secret: whether that was declared to be secret.
    """
    hidden = _hidden_in(codec)
    return Typed(tuple(_alternatives(codec)), hidden or frozenset(), secret or hidden is None)


def _alternatives(codec: object) -> Iterator[object]:
    """The codecs of the types that a value may be of, unions taken apart."""
    waiting, looked_at = [codec], 0
    while waiting and looked_at < MOST_CODECS:
        looked_at += 1
        found: Any = waiting.pop(0)
        if isinstance(found, TaggedCodec):
            waiting += found._codecs
        elif isinstance(found, UnionCodec):
            waiting += found.items
        elif isinstance(found, OptionalCodec):
            waiting.append(found.item)
        elif hasattr(found, "limited"):  # by constraints
            waiting.append(found.limited)
        elif found is not None:
            yield found


def _inside(codec: Any, key: str | int) -> Iterator[object]:
    """The codecs of a part of a value."""
    if isinstance(codec, (ModelCodec, StreamCodec, WritableCodec)):
        return
    if isinstance(codec, RecordCodec):
        if key in codec.items:
            yield codec.items[key]
        return
    items = getattr(codec, "items", None)
    if isinstance(items, tuple):
        if isinstance(key, int) and 0 <= key < len(items):
            yield items[key]
        return
    item = getattr(codec, "item", None)
    if item is not None:
        yield item


def _hidden_in(codec: object) -> frozenset[str] | None:
    """The keys that are secret in a value, wherever they stand; None if there is too much to look at."""
    hidden: set[str] = set()
    waiting, seen = [codec], 0
    while waiting:
        seen += 1
        if seen > MOST_CODECS:
            return None
        found = waiting.pop(0)
        if isinstance(found, ModelCodec):
            hidden |= found.secret
        else:
            waiting += _parts(found)
    return frozenset(hidden)


def _parts(codec: Any) -> Iterator[object]:
    """The codecs of all parts of a value, or of all that it may be."""
    if isinstance(codec, TaggedCodec):
        yield from codec._codecs
    items = getattr(codec, "items", ())
    yield from items.values() if isinstance(items, Mapping) else items if isinstance(items, tuple) else ()
    for name in ("item", "limited"):
        if getattr(codec, name, None) is not None:
            yield getattr(codec, name)
