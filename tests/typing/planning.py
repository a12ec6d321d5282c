"""Plans: what functions of theirs are given, and what comes out of both arms."""

from __future__ import annotations

from typing import assert_type

from capnweb_runtime import Explanation, explain
from capnweb_runtime.plans import contains, eq, gt, is_none, keep, not_, plan, repeat, size, when
from generated.accounts import AuthedApiPromise, AuthedApiStub, ProfilePromise, PublicApiStub
from schemas.accounts import Profile


async def results(api: PublicApiStub, authed: AuthedApiStub) -> None:
    """A plan gives what its function returns."""
    profile = plan(authed, lambda p: p.get_profile(7))
    _ = assert_type(profile, ProfilePromise)
    assert_type(await profile, Profile)
    assert_type(await plan(authed, lambda p: p.get_profile(7)), Profile)
    assert_type(await plan(authed, lambda p: p.get_profile(7)).name, str)
    assert_type(await plan(api, lambda p: p.authenticate("secret")), AuthedApiStub)
    assert_type(await plan(authed, lambda p: (p.me(), p.user_name)), tuple[int, str])
    assert_type(await plan(authed, lambda p: (p.me(), p.user_name, p.friends())), tuple[int, str, list[int]])
    assert_type(await plan(authed, lambda p: {"me": p.me()}), dict[str, int])
    assert_type(await plan(api.authenticate("secret"), lambda p: p.me()), int)


def explanations(authed: AuthedApiStub) -> None:
    """A plan is explained from what it is applied to, or the class of that."""
    assert_type(explain(AuthedApiStub, lambda p: p.get_profile(7).name), Explanation)
    assert_type(explain(authed, lambda p: (p.me(), p.user_name)), Explanation)
    assert_type(explain(lambda p: p.call("me")), Explanation)
    assert_type(explain(AuthedApiStub, lambda p: p.me()).cost.most, int | None)
    explain(AuthedApiStub, lambda p: p.mine())  # type: ignore[attr-defined]  # there is no such method


async def branches(authed: AuthedApiStub) -> None:
    """Arms of one type give that type, others either of them."""
    same = plan(authed, lambda p: when(eq(p.me(), 1), lambda: p.user_name, lambda: p.get_profile(2).name))
    assert_type(await same, str)
    either = plan(authed, lambda p: when(gt(p.me(), 1), lambda: p.me(), lambda: p.user_name))
    assert_type(await either, int | str)
    models = plan(
        authed, lambda p: when(not_(is_none(p.user_name)), lambda: p.get_profile(1), lambda: p.get_profile(2))
    )
    assert_type(await models, Profile)
    within = plan(
        authed,
        lambda p: when(
            contains(p.friends(), 2), lambda: p.me(), lambda: when(eq(p.me(), 3), lambda: p.me(), lambda: p.user_name)
        ),
    )
    assert_type(await within, int | str)


async def loops(authed: AuthedApiStub) -> None:
    """A loop keeps the type that it begins with, and a filter that of its list."""
    last = plan(
        authed,
        lambda p: repeat(
            p.get_profile(1), while_=lambda it: eq(it.name, "Ada"), do=lambda it: p.get_profile(it.id), at_most=5
        ),
    )
    assert_type(await last, Profile)
    chosen = plan(
        authed,
        lambda p: repeat(
            p.get_profile(1),
            while_=lambda it: eq(it.name, "Ada"),
            do=lambda it: when(eq(it.id, 1), lambda: p.get_profile(2), lambda: p.get_profile(3)),
            at_most=5,
        ),
    )
    _ = assert_type(chosen, ProfilePromise)
    assert_type(await chosen, Profile)
    kept = plan(authed, lambda p: keep(p.friends(), lambda friend: gt(friend, 2)))
    assert_type(await kept[0], int)
    assert_type(await kept, list[int])
    names = plan(
        authed, lambda p: keep(p.friends(), lambda friend: gt(friend, 2)).map(lambda friend: p.get_profile(friend).name)
    )
    assert_type(await names, list[str])
    assert_type(await plan(authed, lambda p: size(p.friends())), int)


async def wrong(authed: AuthedApiStub, later: AuthedApiPromise) -> None:
    """What cannot be recorded is refused beforehand where that can be seen."""
    _ = plan(authed, lambda p: 5)  # type: ignore[type-var]  # nothing of it runs there
    _ = when(later.me(), lambda: later.me(), lambda: later.me())  # type: ignore[arg-type]  # a number is no condition
    _ = when(eq(1, 1), lambda: 5, lambda: later.me())  # type: ignore[arg-type,return-value]  # a value is no promise
    _ = keep(later.me(), lambda friend: eq(friend, 1))  # type: ignore[arg-type]  # a number is no list
    _ = eq([1], [1])  # type: ignore[arg-type]  # lists are not compared
    _ = not_(later.me())  # type: ignore[arg-type]  # a number is no condition
    _ = plan(5, lambda p: p)  # type: ignore[call-overload]  # a number is no capability
