"""Read by type checkers, never run: what they infer on the calling side."""

# assert_type() gives back the promise that it was shown, and nobody awaits that here.
# mypy: disable-error-code="unused-awaitable"

from __future__ import annotations

from asyncio import gather
from collections.abc import Callable
from typing import assert_type

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime import connect
from generated.accounts import (
    AuthedApiPromise,
    AuthedApiStub,
    ProfilePromise,
    PublicApiPromise,
    PublicApiStub,
    PublicApiTarget,
    SubscriptionPromise,
    SubscriptionStub,
)
from schemas.accounts import Profile


async def the_example() -> None:
    async with connect("ws://localhost:8080/rpc", PublicApiStub) as api:
        assert_type(api, PublicApiStub)
        authed = api.authenticate("token")
        assert_type(authed, AuthedApiPromise)
        profile = authed.get_profile(authed.me())
        assert_type(profile, ProfilePromise)
        assert_type(await profile.name, str)
        assert_type(await profile, Profile)
        names = await authed.friends().map(lambda i: authed.get_profile(i).name)
        assert_type(names, list[str])
        async for chunk in authed.download("a.csv"):
            assert_type(chunk, bytes)


async def promises(api: PublicApiStub, promised: PublicApiPromise) -> None:
    """Stubs and promises have the same methods; awaiting a promise gives the stub."""
    assert_type(await promised, PublicApiStub)
    assert_type(promised.authenticate("token"), AuthedApiPromise)
    authed = await api.authenticate("token")
    assert_type(authed, AuthedApiStub)
    assert_type(authed.user_name, rpc.RpcPromise[str])
    assert_type(await authed.user_name, str)
    assert_type(await authed.me(), int)
    assert_type(await authed.friends(), list[int])
    assert_type(await gather(authed.me(), authed.user_name), tuple[int, str])


async def attributes(profile: ProfilePromise) -> None:
    """Attributes of a promised model are promises, and items of a promised list."""
    assert_type(profile.id, rpc.RpcPromise[int])
    assert_type(profile.tags, rpc.ListPromise[str, rpc.RpcPromise[str]])
    assert_type(await profile.tags, list[str])
    assert_type(await profile.tags[0], str)


async def mapping(authed: AuthedApiStub) -> None:
    """`map()` keeps what the function gives, also for pairs and when it is indexed."""
    profiles = authed.friends().map(authed.get_profile)
    assert_type(await profiles, list[Profile])
    assert_type(await profiles[0].name, str)
    pairs = authed.friends().map(lambda i: (i, authed.get_profile(i).name))
    assert_type(await pairs, list[tuple[int, str]])
    nested = authed.friends().map(lambda i: authed.get_profile(i).tags.map(lambda tag: tag))
    assert_type(await nested, list[list[str]])


async def arguments(authed: AuthedApiStub, later: rpc.RpcPromise[int]) -> None:
    """A parameter takes the value or a promise for it."""
    assert_type(authed.get_profile(7), ProfilePromise)
    assert_type(authed.get_profile(later), ProfilePromise)
    assert_type(authed.get_profile(authed.friends()[0]), ProfilePromise)


async def callbacks(authed: AuthedApiStub, held: rpc.CallbackStub[[Profile], None]) -> None:
    """A callback is a plain function, sync or async, whatever it gives, or one that a peer gave."""

    def plain(profile: Profile) -> None: ...

    async def asynchronous(profile: Profile) -> None: ...

    seen: list[Profile] = []
    append: Callable[[Profile], object] = seen.append
    for function in (plain, append):
        assert_type(authed.watch(function), SubscriptionPromise)
    assert_type(authed.watch(asynchronous), SubscriptionPromise)
    assert_type(authed.watch(lambda profile: profile.name), SubscriptionPromise)
    subscription = authed.watch(held)
    assert_type(await subscription, SubscriptionStub)
    assert_type(await subscription.cancel(), None)


async def streams(authed: AuthedApiStub, names: rpc.ListPromise[str, rpc.RpcPromise[str]]) -> None:
    """A stream is read from its promise, or once it has arrived."""
    promised = authed.download(names[0])
    assert_type(promised, rpc.StreamPromise[bytes])
    stream = await promised
    assert_type(stream, rpc.ReadableStream[bytes])
    async with stream:
        assert_type([chunk async for chunk in stream], list[bytes])
    await stream.cancel()


async def giving_up(authed: AuthedApiStub) -> None:
    """What stubs and promises have themselves keeps their type."""
    assert_type(authed.dup(), AuthedApiStub)
    with authed.get_profile(1) as profile:
        assert_type(profile, ProfilePromise)
    async with authed as held:
        assert_type(held, AuthedApiStub)


async def refused(
    api: PublicApiStub, authed: AuthedApiStub, name: rpc.RpcPromise[str], target: PublicApiTarget
) -> None:
    """Each comment is needed: without the error that it expects, the checkers report the comment."""
    _ = api.authenticate(1)  # type: ignore[arg-type]  # a token is a str
    _ = api.authenticate()  # type: ignore[call-arg]  # the token is missing
    _ = authed.get_profile("7")  # type: ignore[arg-type]  # an id is an int
    _ = authed.get_profile(name)  # type: ignore[arg-type]  # and so is what is promised for it
    _ = authed.get_profile(authed.get_profile(1))  # type: ignore[arg-type]  # a profile is no id
    _ = authed.watch(lambda: None)  # type: ignore[arg-type, misc]  # a callback takes the profile
    _ = authed.get_profile(1).nickname  # type: ignore[attr-defined]  # profiles have none
    _ = authed.delete_everything()  # type: ignore[attr-defined]  # the interface has no such method
    _ = [i async for i in authed.friends()]  # type: ignore[attr-defined]  # a list is no stream
    _ = authed.download(b"a.csv")  # type: ignore[arg-type]  # a name is a str
    number: int = await authed.user_name  # type: ignore[assignment]  # it is a str
    text: str = authed.user_name  # type: ignore[assignment]  # it has to be awaited
    print(number, text, target)
    authed.user_name = "bob"  # type: ignore[assignment, misc]  # properties are read-only
