"""Read by type checkers, never run: an `await` that was forgotten is found by mypy's unused-awaitable."""

# pyright has such a rule for coroutines only, and so needs none of the ignores.
# pyright: reportUnnecessaryTypeIgnoreComment=false
# mypy: enable-error-code="unused-awaitable"

from __future__ import annotations

from asyncio import ensure_future, gather

from generated.accounts import AuthedApiPromise, AuthedApiStub, PublicApiStub
from schemas.accounts import Profile


async def forgotten(api: PublicApiStub, authed: AuthedApiStub, promised: AuthedApiPromise) -> None:
    api.authenticate("token")  # type: ignore[unused-awaitable]  # that is what is tested
    authed.me()  # type: ignore[unused-awaitable]  # as above
    authed.get_profile(1)  # type: ignore[unused-awaitable]  # as above
    authed.friends().map(lambda number: authed.get_profile(number))  # type: ignore[unused-awaitable]  # as above
    authed.download("a.csv")  # type: ignore[unused-awaitable]  # as above
    promised.watch(print)  # type: ignore[unused-awaitable]  # as above
    gather(authed.me(), promised.me())  # type: ignore[unused-awaitable]  # as above


async def not_forgotten(api: PublicApiStub, authed: AuthedApiStub) -> Profile:
    await authed.me()
    await gather(authed.me(), authed.friends())
    _ = authed.watch(print)  # a call whose result nobody wants
    later = ensure_future(authed.me())
    await later
    with api.authenticate("token") as signed_in:
        await signed_in.me()
    return await authed.get_profile(authed.me())
