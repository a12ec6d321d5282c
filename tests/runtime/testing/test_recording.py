"""What is recorded of sessions: calls, messages, round trips."""

from __future__ import annotations

import pytest

from capnweb_runtime import connect, serve
from capnweb_runtime.testing import pair, record, serve_local
from examples.demo.server import Accounts, Front
from generated.accounts import AuthedApiStub, AuthedApiTarget, PublicApiStub
from schemas.accounts import Profile


async def test_calls_are_kept_with_arguments_and_results() -> None:
    calls = record()
    async with pair(Front(Accounts()), PublicApiStub, record=calls) as api:
        authed = api.authenticate("secret")
        assert (await authed.get_profile(user_id=2)).name == "Grace"
        with pytest.raises(LookupError, match="no user 9"):
            await authed.get_profile(9)
        assert await authed.user_name == "Ada"
    assert [call.name for call in calls.calls] == [
        "PublicApi.authenticate",
        "AuthedApi.get_profile",
        "AuthedApi.get_profile",
        "AuthedApi.user_name",
    ]
    first, failed = calls.of("get_profile")
    assert (first.arguments, first.result, first.error) == ((2,), Accounts().profiles[2], None)
    assert (first.served, first.done, first.kind) == (True, True, "call")
    assert isinstance(failed.error, LookupError)
    assert calls.of("user_name")[0].kind == "get"


async def test_a_method_is_named_by_text_or_by_itself() -> None:
    calls = record()
    async with pair(Front(Accounts()), PublicApiStub, record=calls) as api:
        await api.authenticate("secret").me()
        await api.authenticate("secret").user_name
    (me,) = calls.of("AuthedApi.me")
    assert calls.of("me") == calls.of(AuthedApiTarget.me) == calls.of(AuthedApiStub.me) == [me]
    assert len(calls.of(AuthedApiTarget.user_name)) == 1
    assert calls.of("nothing") == []


async def test_calls_back_are_kept_as_made_by_the_recording_side() -> None:
    calls = record()
    accounts = Accounts()
    told: list[Profile] = []
    async with pair(Front(accounts), PublicApiStub, record=calls) as api:
        subscription = await api.authenticate("secret").watch(told.append)
        await accounts.rename(1, "Augusta")
        subscription.dispose()
    back = calls.calls[-1]
    assert (back.served, back.interface, back.arguments) == (False, "", (told[0],))


async def test_the_wire_is_kept_as_it_is() -> None:
    calls = record()
    async with pair(Front(Accounts()), PublicApiStub, record=calls) as api:
        assert await api.authenticate("secret").me() == 1
        said = list(map(str, calls.wire))
    assert said[:2] == [
        '-> ["push",["pipeline",0,["authenticate"],["secret"]]]',
        '-> ["push",["pipeline",1,["me"],[]]]',
    ]
    assert next(message.value[0] for message in calls.wire if message.sender == "server") == "resolve"
    assert {message.sender for message in calls.wire} == {"client", "server"}


async def test_round_trips_are_those_of_the_client() -> None:
    calls = record()
    async with pair(Front(Accounts()), PublicApiStub, record=calls) as api:
        assert calls.round_trips == 0
        authed = await api.authenticate("secret")
        await authed.me()
        assert calls.round_trips == 2
        authed.dispose()


async def test_it_reads_as_what_was_called() -> None:
    calls = record()
    joined = pair(Front(Accounts()), PublicApiStub, record=calls)
    async with joined as api, await api.authenticate("secret") as authed:
        assert repr(calls).splitlines()[0] == "<1 calls, 1 round trips>"
        with pytest.raises(LookupError, match="no user 9"):
            await authed.get_profile(9)
        await authed.me()
        await authed.user_name
    assert repr(calls).splitlines()[2:] == [
        "  AuthedApi.get_profile(9) raised LookupError('no user 9')",
        "  AuthedApi.me() -> 1",
        "  AuthedApi.user_name -> 'Ada'",
    ]


async def test_long_values_are_cut_where_they_are_shown() -> None:
    calls = record()
    async with pair(Front(Accounts()), PublicApiStub, record=calls) as api:
        with pytest.raises(PermissionError):
            await api.authenticate("x" * 10_000)
    assert len(repr(calls)) < 300
    assert calls.calls[0].arguments == ("x" * 10_000,)


async def test_over_a_socket_it_is_the_same() -> None:
    calls = record()
    async with serve_local(lambda peer: Front(Accounts()), PublicApiStub, record=calls) as api:
        assert await api.authenticate("secret").me() == 1
        assert calls.round_trips == 1
    assert [call.name for call in calls.calls] == ["PublicApi.authenticate", "AuthedApi.me"]
    assert str(calls.wire[0]) == '-> ["push",["pipeline",0,["authenticate"],["secret"]]]'


async def test_it_is_an_interceptor_of_any_server_and_client() -> None:
    served, made = record(), record()
    async with (
        serve(lambda peer: Front(Accounts()), "127.0.0.1", 0, interceptors=[served]) as server,
        connect(server.url, PublicApiStub, interceptors=[made]) as api,
    ):
        await api.authenticate("secret").me()
    assert [call.method for call in served.calls] == [call.method for call in made.calls] == ["authenticate", "me"]
    assert [call.served for call in made.calls] == [False, False]
