"""How objects of one kind are made again. Rule: arguments that came out of a token are of the declared type before a
restorer sees them; whether the principal may have the object is the restorer's to say, each time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import JsonValue, PydanticUserError, TypeAdapter

InterfaceT = TypeVar("InterfaceT")
ArgumentsT = TypeVar("ArgumentsT")
TargetT_co = TypeVar("TargetT_co", covariant=True)


@dataclass(frozen=True)
class Restorer(Generic[InterfaceT, ArgumentsT, TargetT_co]):
    """One kind of object that is restored for the principal whom its references were minted for.

    Type checkers are told of what is restored: `Restorer[RoomApi, RoomKey, Room]("room", RoomKey, enter)` restores a
    `SturdyRef[RoomApi]` to the target `Room`.

    Parameters:
        kind: a name that tokens carry; once they do, it stays, or they are refused.
        arguments: the type of what is needed to make the object again: a pydantic model, dataclass or plain type, small
            and written as JSON. It stands in the token, signed but readable: no secrets.
        restore: takes such arguments and the principal, and gives the object, at once or when awaited. It decides anew
            whether the principal may have it, and raises PermissionError or LookupError if not.

    Raises:
        TypeError: pydantic cannot write arguments of the type as JSON.
        ValueError: the kind is empty.
    """

    kind: str
    arguments: type[ArgumentsT]
    restore: Callable[[ArgumentsT, str], TargetT_co | Awaitable[TargetT_co]] = field(repr=False)
    _adapter: TypeAdapter[Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.kind:
            raise ValueError("a restorer needs the name of a kind, such as 'room'")
        try:
            adapter: TypeAdapter[Any] = TypeAdapter(self.arguments)
        except PydanticUserError as error:
            message = f"the arguments of the kind {self.kind!r} cannot be written as JSON: {error}"
            raise TypeError(message) from None
        object.__setattr__(self, "_adapter", adapter)

    def written(self, arguments: ArgumentsT) -> JsonValue:
        """Arguments as they stand in a token.

        Raises:
            TypeError: they are not of the type, or would not come back as what they were.
        """
        try:
            text = self._adapter.dump_json(arguments, warnings="error")
            back = self._adapter.validate_json(text, strict=True)
        except ValueError as error:
            raise TypeError(f"these are no arguments for the kind {self.kind!r}: {error}") from None
        if back != arguments:
            raise TypeError(f"the arguments for the kind {self.kind!r} do not come back from JSON as what they were")
        value: JsonValue = self._adapter.dump_python(back, mode="json")
        return value

    def read(self, arguments: JsonValue) -> ArgumentsT:
        """Arguments that came out of a token.

        Raises:
            ValueError: they are not of the type.
        """
        read: ArgumentsT = self._adapter.validate_json(_JSON.dump_json(arguments), strict=True)
        return read


@dataclass(frozen=True)
class BearerRestorer(Restorer[InterfaceT, ArgumentsT, TargetT_co]):
    """A kind whose references may be minted for nobody in particular: then whoever has the string has the object, as
    with a link that is passed around. References that are minted for a principal are still for that one alone.

    Parameters:
        kind: see `Restorer`.
        arguments: see `Restorer`.
        restore: is given the principal who restores, or None where nobody is signed in.
    """

    restore: Callable[[ArgumentsT, str | None], TargetT_co | Awaitable[TargetT_co]] = field(repr=False)


_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)
