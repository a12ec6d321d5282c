"""What is shown over a name, and that it is what travels."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from capnweb_runtime import codegen_api as rpc
from generated.accounts import AuthedApiStub, AuthedApiTarget, SubscriptionTarget
from schemas.accounts import Profile
from tests.gen.language_server.conftest import Write
from tests.gen.language_server.editor import Editor, editing
from tests.runtime.pair import Side, begin

SCHEMA = "schemas/accounts.py"


async def test_over_a_method_stand_its_signature_its_docstring_and_its_messages(editor: Editor) -> None:
    assert await editor.hover(SCHEMA, "async def get_pro|file") == (
        "`AuthedApi.get_profile(user_id: int) → Profile`\n\n"
        "The profile of a user. Fails if there is no such user.\n\n"
        "```json\n"
        '["push", ["pipeline", 0, ["get_profile"], [1]]]\n'
        '["pull", 1]\n'
        '["resolve", 1, {"id": 1, "name": "text", "tags": [["text"]]}]\n'
        "```"
    )


async def test_over_properties_parameters_fields_and_types_stands_how_they_travel(editor: Editor) -> None:
    assert '["push", ["pipeline", 0, ["user_name"]]]' in str(await editor.hover(SCHEMA, "def user_nam|e"))
    parameter = str(await editor.hover(SCHEMA, "get_profile(self, user_|id"))
    assert parameter.startswith("`user_id`: `int`")
    assert "Travels by position" in parameter
    callback = str(await editor.hover(SCHEMA, "self, |on_change: Callable"))
    assert '["export", -1]' in callback
    assert "`tags`: `list[str]`" in str(await editor.hover(SCHEMA, "|tags: list"))
    model = str(await editor.hover(SCHEMA, "user_id: int) -> Pro|file:"))
    assert model.startswith("**Profile**\n\nWhat others can see of a user.")
    assert '{"id": 1, "name": "text", "tags": [["text"]]}' in model
    interface = str(await editor.hover(SCHEMA, "token: str) -> Authed|Api:"))
    assert "What a signed-in user may do." in interface
    assert "travels by reference" in interface
    assert await editor.hover(SCHEMA, "from pyd|antic") is None


MORE = '''
from enum import Enum
from typing import Annotated, NewType, Protocol, TypeVar

from annotated_types import Ge
from pydantic import BaseModel
from typing_extensions import deprecated

from capnweb_runtime.schema import InterfaceModel, Method, Property, Secret, cancellable, idempotent, raises, wire_name

WIRE_CASE = "camel"
T = TypeVar("T")
Email = NewType("Email", str)


class Colour(Enum):
    RED = "red"


class Missing(Exception):
    """There is none."""

    item: str


class Page(Protocol[T]):
    def next_page(self) -> T: ...


class Add(BaseModel):
    first_number: int
    b: int


class Sums(InterfaceModel):
    add_up: Method[Add, int]
    memory: Property[float]


class Shop(Protocol):
    """Sells."""

    @deprecated("use other_one")
    @raises(Missing)
    @idempotent
    @cancellable
    @wire_name("buy")
    def purchase(
        self, item: str, *more: Colour, how_many: Annotated[int, Ge(1)] = 1, card: Secret[str]
    ) -> Page[int]:
        """Buys.

        Args:
            how_many: this many.
        """
        ...

    def mail(self, to: Email) -> Colour: ...
'''


async def test_what_a_schema_says_beside_types_is_shown(project: Write) -> None:
    async with editing(project({"schemas/shop.py": MORE})) as editor:
        editor.open("schemas/shop.py")
        assert await editor.faults("schemas/shop.py") == []

        async def over(words: str) -> str:
            return str(await editor.hover("schemas/shop.py", words))

        method = await over("def purch|ase")
        assert '["push", ["pipeline", 0, ["buy"], ["text", [["red"]], {"howMany": 1, "card": "text"}]]]' in method
        for said in (
            "**Deprecated:** use other_one",
            "On the wire it is called `buy`.",
            "Raises `Missing`.",
            "Idempotent: ",
            "Cancelled once nobody wants the result.",
            "Buys.",
        ):
            assert said in method
        parameter = await over("|how_many: Annotated")
        for said in ("this many.", "as `howMany` in the object that comes last", "- ≥ 1."):
            assert said in parameter
        assert "Secret: no log shows it." in await over("|card: Secret")
        assert "any number of arguments" in await over("*|more: Colour")
        assert '"red"' in await over("-> Colo|ur")
        assert "`str` under a name of its own." in await over("to: Em|ail")
        assert '["error", "Missing", "message", null, {"item": "text"}]' in await over("raises(Miss|ing)")
        assert '["pipeline", 0, ["nextPage"], []]' in await over("def next_|page")
        assert '["pipeline", 0, ["addUp"], [1, 1]]' in await over("add|_up: Method")
        assert "travels by reference" in await over("class Pa|ge(")


async def test_what_was_known_is_shown_while_another_schema_cannot_be_read(project: Write) -> None:
    one = "from typing import Protocol\n\n\nclass One(Protocol):\n    def get(self) -> int: ...\n"
    async with editing(project({"schemas/one.py": one, "schemas/two.py": one.replace("One", "Two")})) as editor:
        editor.open("schemas/one.py")
        editor.open("schemas/two.py", "class ")
        assert len(await editor.faults("schemas/two.py")) == 1
        assert "One.get" in str(await editor.hover("schemas/one.py", "def g|et"))
        assert await editor.hover("schemas/two.py", "cla|ss ") is None


class Authed(AuthedApiTarget):
    @property
    def user_name(self) -> str:
        return "text"

    def me(self) -> int:
        return 1

    def get_profile(self, user_id: int) -> Profile:
        return Profile(id=1, name="text", tags=["text"])

    def friends(self) -> list[int]:
        return [1]

    def watch(self, on_change: rpc.CallbackStub[[Profile], None]) -> SubscriptionTarget:
        return Subscription()

    def download(self, name: str) -> Any:
        raise NotImplementedError


class Subscription(SubscriptionTarget):
    def cancel(self) -> None:
        return None


@pytest.mark.parametrize("member", ["user_name", "me", "get_profile", "friends", "watch"])
async def test_the_messages_that_are_shown_are_those_that_travel(editor: Editor, member: str) -> None:
    shown = str(await editor.hover(SCHEMA, f"def {member}|("))
    block = re.search(r"```json\n(.*?)\n```", shown, re.DOTALL)
    assert block is not None
    push, pull, resolve = map(json.loads, block[1].split("\n"))
    caller, callee = Side(None), Side(Authed())
    stub = caller.main(AuthedApiStub)
    given: dict[str, tuple[Any, ...]] = {"get_profile": (1,), "watch": (print,)}
    asked = getattr(stub, member)
    begin(asked if member == "user_name" else asked(*given.get(member, ())))
    assert [json.loads(message) for message in caller.take()] == [push, pull]
    heard = [json.loads(message) for message in callee.hear(push, pull)]
    assert [message for message in heard if message[0] == "resolve"] == [resolve]
