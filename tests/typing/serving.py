"""Read by type checkers, never run: what they accept and refuse on the serving side."""

# assert_type() gives back the promise that it was shown, and nobody awaits that here.
# mypy: disable-error-code="unused-awaitable"

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from typing import assert_type

from capnweb_runtime import Peer, serve
from capnweb_runtime import codegen_api as rpc
from generated.accounts import AuthedApiStub, AuthedApiTarget, PublicApiTarget, SubscriptionStub, SubscriptionTarget
from schemas.accounts import Profile


class Subscription(SubscriptionTarget):
    async def cancel(self) -> None: ...


class FileContent:
    """Whatever can be iterated with `async for` is a stream."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.name.encode()


class Plain(AuthedApiTarget):
    """Every method as a plain function."""

    @property
    def user_name(self) -> str:
        return "alice"

    def me(self) -> int:
        return 1

    def get_profile(self, user_id: int) -> Profile:
        return Profile(id=user_id, name="alice")

    def friends(self) -> list[int]:
        return [2, 3]

    def watch(self, on_change: rpc.CallbackStub[[Profile], None]) -> Subscription:
        kept = on_change.dup()
        assert_type(kept, rpc.CallbackStub[[Profile], None])
        assert_type(kept(Profile(id=1, name="alice")), rpc.RpcPromise[None])
        return Subscription()

    def download(self, name: str) -> AsyncIterable[bytes]:
        return FileContent(name)


class Asynchronous(AuthedApiTarget):
    """Every method as a coroutine function; a property cannot be one, but may give something to await."""

    @property
    def user_name(self) -> str:
        return "alice"

    async def me(self) -> int:
        return 1

    async def get_profile(self, user_id: int) -> Profile:
        return Profile(id=user_id, name="alice")

    async def friends(self) -> Sequence[int]:
        return (2, 3)

    async def watch(self, on_change: rpc.CallbackStub[[Profile], None]) -> SubscriptionStub:
        raise NotImplementedError

    async def download(self, name: str) -> FileContent:
        return FileContent(name)


class Generating(Plain):
    """A stream as an async generator."""

    async def download(self, name: str) -> AsyncIterator[bytes]:
        yield name.encode()


class Front(PublicApiTarget):
    def __init__(self, peer: Peer) -> None:
        self.peer = peer

    async def authenticate(self, token: str) -> AuthedApiTarget:
        return Plain() if token == "plain" else Asynchronous()


class Relay(PublicApiTarget):
    """A target may pass on what it got as a client."""

    def __init__(self, upstream: AuthedApiStub) -> None:
        self.upstream = upstream

    def authenticate(self, token: str) -> AuthedApiStub:
        return self.upstream.dup()


async def the_example() -> None:
    async with serve(lambda peer: Front(peer), "127.0.0.1", 8080, path="/rpc") as server:
        assert_type(server.url, str)
        await server.wait_closed()


# ---- refused: each comment is needed; without the error that it expects, the checkers report the comment


class LooksLikeOne:
    """Has the methods of a Subscription and is none."""

    async def cancel(self) -> None: ...


class WrongResult(PublicApiTarget):
    def authenticate(self, token: str) -> int:  # type: ignore[override]  # an AuthedApi is expected
        return 1


class WrongParameter(PublicApiTarget):
    def authenticate(self, token: int) -> AuthedApiTarget:  # type: ignore[override]  # a token is a str
        return Plain()


class WrongSubscription(Plain):
    def watch(self, on_change: rpc.CallbackStub[[Profile], None]) -> LooksLikeOne:  # type: ignore[override]  # look-alike
        return LooksLikeOne()


class WrongStream(Plain):
    async def download(self, name: str) -> AsyncIterator[str]:  # type: ignore[override]  # its pieces are bytes
        yield name


class Relaying(Plain):
    """A stream that came from elsewhere can be passed on, read or not."""

    def __init__(self, upstream: AuthedApiStub) -> None:
        self.upstream = upstream

    def download(self, name: str) -> rpc.StreamPromise[bytes]:
        return self.upstream.download(name)


class Incomplete(AuthedApiTarget):
    def me(self) -> int:
        return 1


def refused(callback: rpc.CallbackStub[[Profile], None]) -> None:
    incomplete = Incomplete()  # type: ignore[abstract]  # methods are missing
    _ = callback("alice")  # type: ignore[arg-type]  # the callback takes a profile
    print(incomplete)
