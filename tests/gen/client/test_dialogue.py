"""Questions and answers in one session: results go by names, and a line that fails changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from capnweb_gen.client.asking import Server, ask, frames
from capnweb_gen.client.described import Described
from capnweb_gen.client.dialogue import Dialogue, ask_once
from capnweb_gen.client.expression import ExpressionError, parse
from capnweb_gen.client.plan import Planner
from capnweb_gen.client.shown import Shown
from capnweb_runtime import AnyStub, SessionClosed, serve
from capnweb_runtime.serving.server import Server as Serving
from examples.demo.server import Accounts, Authed, Front


class Printed:
    """What a dialogue has printed."""

    def __init__(self) -> None:
        self.results: list[str] = []
        self.asides: list[str] = []

    def result(self, text: str) -> None:
        self.results.append(text)

    def aside(self, text: str) -> None:
        self.asides.append(text)

    def taken(self) -> list[str]:
        """The results since the last time."""
        results, self.results = self.results, []
        return results


@pytest.fixture
async def serving() -> AsyncIterator[Serving]:
    async with serve(lambda peer: Front(Accounts()), "127.0.0.1", 0, path="/rpc") as server:
        yield server


def dialogue_with(url: str, described: Described | None) -> tuple[Dialogue, Printed]:
    printed = Printed()
    return Dialogue(Server(url), described, Shown(described or Described((), ()), "json", "utf-8"), printed), printed


async def within(work: Any) -> Any:
    return await asyncio.wait_for(work, 30)


async def test_results_are_asked_on_under_their_names(serving: Serving, accounts: Described) -> None:
    dialogue, printed = dialogue_with(serving.url, accounts)
    await within(dialogue.answer("me = authenticate('secret')"))
    assert printed.taken() == []
    await within(dialogue.answer("me.user_name"))
    await within(dialogue.answer("_"))
    await within(dialogue.answer("friend = me.friends()[0]"))
    await within(dialogue.answer("me.get_profile(friend).name"))
    assert printed.taken() == ['"Ada"', '"Ada"', '"Grace"']
    await within(dialogue.aclose())


async def test_what_has_no_name_any_more_is_given_back(
    serving: Serving, accounts: Described, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = asyncio.Event()
    monkeypatch.setattr(Authed, "dispose", lambda self: gone.set(), raising=False)
    dialogue, _ = dialogue_with(serving.url, accounts)
    await within(dialogue.answer("a = authenticate('secret')"))
    await within(dialogue.answer("b = a"))
    await within(dialogue.answer("a = b.me()"))
    await within(dialogue.answer("b.me()"))
    assert not gone.is_set()
    await within(dialogue.answer("b = a"))
    await within(gone.wait())
    await within(dialogue.aclose())


async def test_a_line_that_fails_changes_nothing(serving: Serving, accounts: Described) -> None:
    dialogue, printed = dialogue_with(serving.url, accounts)
    await within(dialogue.answer("me = authenticate('secret')"))
    with pytest.raises(PermissionError):
        await within(dialogue.answer("me = authenticate('wrong')"))
    with pytest.raises(LookupError):
        await within(dialogue.answer("me.get_profile(9)"))
    await within(dialogue.answer("me.me()"))
    assert printed.taken() == ["1"]
    await within(dialogue.aclose())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (" authenticate = authenticate('secret')", "authenticate is a member of the main object"),
        ("_ = authenticate('secret')", "_ has a meaning of its own here"),
        ("help = authenticate('secret')", "help has a meaning of its own here"),
    ],
)
async def test_names_that_mean_something_are_not_given(accounts: Described, line: str, message: str) -> None:
    dialogue, _ = dialogue_with("ws://127.0.0.1:1/", accounts)
    with pytest.raises(ExpressionError, match=message) as caught:
        await dialogue.answer(line)
    assert line[caught.value.span.start : caught.value.span.end] == line.split()[0]


async def test_over_batches_each_line_is_one_and_nothing_has_a_name(serving: Serving, accounts: Described) -> None:
    dialogue, printed = dialogue_with(serving.http_url, accounts)
    await within(dialogue.open())
    await within(dialogue.answer("authenticate('secret').me()"))
    await within(dialogue.answer("authenticate('secret').friends()"))
    assert printed.taken() == ["1", "[\n  2,\n  3\n]"]
    with pytest.raises(ExpressionError, match="a batch ends with its answer"):
        await dialogue.answer("me = authenticate('secret')")
    await within(dialogue.aclose())


async def test_a_stream_is_printed_item_by_item(serving: Serving, accounts: Described) -> None:
    dialogue, printed = dialogue_with(serving.url, accounts)
    await within(dialogue.answer("authenticate('secret').download('profiles.csv')"))
    assert len(printed.results) == 4
    assert printed.results[0] == '{"$bytes": "aWQsbmFtZQo="}'
    await within(dialogue.aclose())


async def test_a_session_that_was_lost_is_opened_again_without_its_names(accounts: Described) -> None:
    def front(peer: object) -> Front:
        return Front(Accounts())

    async with serve(front, "127.0.0.1", 0, path="/rpc") as server:
        port = server.port
        dialogue, printed = dialogue_with(server.url, accounts)
        await within(dialogue.answer("me = authenticate('secret')"))
        assert dialogue._main is not None
        lost = asyncio.Event()
        dialogue._main.on_broken(lambda _: lost.set())
    await within(lost.wait())
    async with serve(front, "127.0.0.1", port, path="/rpc"):
        with pytest.raises(ExpressionError, match="has no 'me'"):
            await within(dialogue.answer("me.me()"))
        assert "this is a new one, without the names of the old" in printed.asides[0]
        await within(dialogue.answer("authenticate('secret').me()"))
        assert printed.taken() == ["1"]
        await within(dialogue.aclose())


async def test_help_says_what_is_known(accounts: Described) -> None:
    dialogue, printed = dialogue_with("ws://127.0.0.1:1/", accounts)
    dialogue.help("")
    assert printed.taken()[0] == "PublicApi"
    assert dialogue.candidates("help auth") == ["authenticate("]
    with pytest.raises(ExpressionError):
        dialogue.help("nothing")


async def test_deprecations_are_told_aside(shop: Described, generated: Callable[[str], Any]) -> None:
    class Basket(generated("BasketTarget")):  # type: ignore[misc]  # made at run time
        def add(self, item: Any, /, *more: Any) -> int:
            return 1 + len(more)

        items = pairs = by_name = lambda self: None

    target = generated("ShopTarget")
    members = dict.fromkeys(target.__abstractmethods__, lambda self: Basket())
    shop_class = type("Shop", (target,), members)
    async with serve(lambda peer: shop_class(), "127.0.0.1", 0) as server:
        dialogue, printed = dialogue_with(server.url, shop)
        await within(dialogue.answer("cart().add({'name': 'x'}, {'name': 'y'})"))
        await within(dialogue.aclose())
    assert (printed.results, printed.asides) == (["2"], ["warning: Shop.cart is deprecated: use basket"])


async def test_everything_that_is_typed_takes_one_round_trip(serving: Serving, accounts: Described) -> None:
    text = "authenticate('secret').get_profile(authenticate(token='secret').friends()[0]).tags[0]"
    plan = Planner(accounts).plan(parse(text))
    for url in (serving.url, serving.http_url):
        session = Server(url).connect()
        async with asyncio.timeout(30), session as main:
            assert isinstance(main, AnyStub)
            assert await ask(main, plan, {}) == "compilers"
            assert session.stats().round_trips == 1


async def test_frames_are_written_while_they_are_asked_for(serving: Serving, accounts: Described) -> None:
    plan, written, printed = Planner(accounts).plan(parse("authenticate('secret').me()")), list[str](), Printed()
    shown = Shown(accounts, "json", "utf-8")
    for url in (serving.url, serving.http_url):
        server = Server(url)
        with frames(server, written.append):
            await within(ask_once(server, plan, shown, printed))
        assert written[:3] == [
            '-> push 1 ["pipeline",0,["authenticate"],["secret"]]',
            '-> push 2 ["pipeline",1,["me"],[]]',
            "-> pull 2",
        ]
        assert "<- resolve 2 1" in written
        written.clear()
        await within(ask_once(server, plan, shown, printed))
        assert not written


async def test_who_is_not_there_cannot_be_asked(accounts: Described) -> None:
    dialogue, _ = dialogue_with("ws://127.0.0.1:1/", accounts)
    with pytest.raises(SessionClosed):
        await within(dialogue.open())
    with pytest.raises(SessionClosed):
        await within(dialogue.answer("authenticate('secret')"))
    await within(dialogue.aclose())
