"""The values that are sent, one of each kind: those of programs/values.ts."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from pydantic import HttpUrl

from tests.typescript.schema.everything import Compounds, Mark, Scalars, Spot, Square, Tree
from tests.typescript.schema.people import Colour, Level, Person, PersonId

ADA = Person(id=PersonId(1), name="Ada", born=date(1815, 12, 10), likes=Colour.RED)
BOB = Person(id=PersonId(2), name="Bob \u2028 \U0001f600", born=date(1990, 2, 28), likes=None)
_ID = UUID("12345678-1234-5678-1234-567812345678")

SCALARS = Scalars(
    flag=True,
    count=-3,
    ratio=0.1,
    text="it's `${quoted}` \u2028 \U0001f600 */",
    data=b"\x00\x01\xff",
    when=datetime(2024, 1, 31, 12, 30, 0, 123000, tzinfo=UTC),
    exact=datetime(2024, 1, 31, 12, 30, 0, 1, tzinfo=UTC),
    local=datetime(2024, 1, 31, 12, 30, 0, 1),
    day=date(2024, 2, 29),
    at=time(12, 30),
    span=timedelta(seconds=90.5),
    price=Decimal("19.90"),
    id=_ID,
    colour=Colour.DARK_BLUE,
    level=Level.HIGH,
    word="no",
    site=HttpUrl("https://example.com/a?b=c"),
    nothing=None,
    percent=100,
    **{"written-by": "me"},
)

COMPOUNDS = Compounds(
    numbers=[1, 2, 3],
    unique={"only"},
    fixed=frozenset({7}),
    many=(1.5, -2.5),
    pair=(4, "four"),
    by_name={"ada": ADA, "bob": BOB},
    by_number={1: "one", 22: "twenty-two"},
    by_colour={Colour.RED: 5},
    by_day={date(2024, 2, 29): _ID},
    shape=Square(side=2.5),
    either="or",
    maybe=[ADA, None],
    tree=Tree(label="root", below=[Tree(label="leaf")]),
    mail={"subject": "hello"},
    mark=Mark(Spot(1, 2), Colour.RED),
    json_value={"list": [1, None, True, "x", {"deep": []}]},
    anything=[1, datetime(1970, 1, 1, tzinfo=UTC), {"bytes": b"\x09"}],
)
