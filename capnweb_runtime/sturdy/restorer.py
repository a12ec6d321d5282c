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
    """One kind of objects to which references can be made, and how an object of it is made again, for the user whom the
    reference was made for.

    The type arguments are for type checkers: `Restorer[RoomApi, RoomKey, Room]("room", RoomKey, enter)` makes a `Room`,
    a target, again from a `SturdyRef[RoomApi]` and its arguments, a `RoomKey`.

    Parameters:
        kind: name of the kind, which stands in tokens. Tokens with another name are refused, so do not change it.
        arguments: type of the arguments that are needed to make an object again: a pydantic model, a dataclass or a
            plain type, small, and the same after a trip through JSON. They stand in the token, signed but readable.
        restore: function, plain or async, of the arguments and the principal, which returns the object. It has to
            decide each time whether the principal may have the object, and raises PermissionError or LookupError if
            not.

    Raises:
        TypeError: pydantic cannot write arguments of that type as JSON.
        ValueError: `kind` is empty.
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
        """Makes plain JSON values of arguments, for a token.

        Parameters:
            arguments: value of the declared type.

        Raises:
            TypeError: the arguments are not of that type, or would not come back from JSON unchanged.
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
        """Makes arguments of the plain JSON values of a token.

        Parameters:
            arguments: the values.

        Raises:
            ValueError: the values are not of the declared type.
        """
        read: ArgumentsT = self._adapter.validate_json(_JSON.dump_json(arguments), strict=True)
        return read


@dataclass(frozen=True)
class BearerRestorer(Restorer[InterfaceT, ArgumentsT, TargetT_co]):
    """A `Restorer` of a kind whose references may also be minted with `principal=None`: then whoever has the token has
    the object, as with a link that is passed around. References that are minted for a principal are still for that user
    alone.

    Parameters:
        kind: see `Restorer`.
        arguments: see `Restorer`.
        restore: as of `Restorer`, except that the principal may be None, where nobody is signed in.
    """

    restore: Callable[[ArgumentsT, str | None], TargetT_co | Awaitable[TargetT_co]] = field(repr=False)


_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)
