"""Read by type checkers, never run: types to which later versions may add, which are more than they know."""

# assert_type() gives back the promise that it was shown, and nobody awaits that here.
# mypy: disable-error-code="unused-awaitable"

from __future__ import annotations

from typing import Literal, assert_never, assert_type

from capnweb_runtime.codegen_api import RpcPromise
from capnweb_runtime.schema import Unknown
from tests.gen.golden.open_types.expected import StudioStub, StudioTarget
from tests.gen.golden.open_types.schema import Access, Circle, Colour, Drawing, Square, Stock


async def calling(studio: StudioStub, drawing: Drawing) -> None:
    """What is not known is part of the type, and may be given as well."""
    assert_type(await studio.paint(), Colour | Unknown)
    assert_type(studio.paint(Unknown("green")), RpcPromise[Colour | Unknown])
    assert_type(await studio.add(Unknown({"kind": "star"})), Circle | str | Unknown | None)
    assert_type(await studio.draw(drawing).shapes, list[Circle | Square | Unknown])
    assert_type(drawing.mode, Literal["draft", "final"] | Unknown)
    assert_type((await studio.stock(Stock(None, {}), {"colour": Colour.RED})).left, dict[Colour | Unknown, int])
    studio.paint(studio.paint())
    studio.paint("red")  # type: ignore[arg-type]
    print((await studio.paint()).name)  # type: ignore[union-attr]
    Stock("red", {})  # type: ignore[arg-type]


def naming(colour: Colour | Unknown) -> str:
    """Who looks at every member has to look for what is not known."""
    match colour:
        case Colour.RED | Colour.BLUE:
            return colour.value
        case Unknown(value=value):
            return str(value)
    assert_never(colour)


def forgetting(colour: Colour | Unknown) -> str:
    """Else a type checker says so."""
    if isinstance(colour, Colour):
        return colour.name
    assert_never(colour)  # type: ignore[arg-type]


class Studio(StudioTarget):
    """A server may give what it got, also what it does not know itself."""

    def paint(self, colour: Colour | Unknown = Colour.RED) -> Colour | Unknown:
        return colour

    def grant(self, access: Access) -> Access:  # type: ignore[override]
        return access
