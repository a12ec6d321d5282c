"""Each fault happens as told, and its cure cures it."""

from __future__ import annotations

import pytest

from capnweb_runtime import RpcError, serve
from capnweb_runtime.health import Health
from capnweb_runtime.testing import PairFixture, pair
from examples.backend.troubleshooting.diagnosis import diagnose
from examples.backend.troubleshooting.fallback import Chain, Model, wishful
from examples.backend.troubleshooting.generated.translating import TranslatorStub
from examples.backend.troubleshooting.storm import CalmCache, StormyCache, storm
from examples.form.testing import as_documented


def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    ran = as_documented("backend/troubleshooting")
    assert ran.number("queries at the same time for 100 clients") == 100
    assert ran.number("queries with a lock and a second look") == 1


@pytest.mark.parametrize("clients", [1, 2, 500])
async def test_a_storm_is_as_large_as_the_crowd_and_a_lock_makes_it_one(clients: int) -> None:
    assert (await storm(StormyCache(), clients)).asked == clients
    assert (await storm(CalmCache(), clients)).asked == 1


async def test_what_a_model_raises_in_its_process_is_not_what_arrives(capnweb_pair: PairFixture) -> None:
    async with (
        capnweb_pair(Model("large", "overloaded"), TranslatorStub) as large,
        pair(Model("small", "well"), TranslatorStub) as small,
    ):
        with pytest.raises(RpcError):
            await wishful([large, small], "hi")
        assert (await Chain({"large": large, "small": small}, 5.0).translate("hi")).model == "small"


async def test_a_model_that_works_is_the_first_and_nothing_is_told(capnweb_pair: PairFixture) -> None:
    async with capnweb_pair(Model("large", "well"), TranslatorStub) as large:
        chain = Chain({"large": large}, 5.0)
        assert (await chain.translate("hi")).text == "HI"
    assert chain.told == []


async def test_without_any_model_all_failures_are_told(capnweb_pair: PairFixture) -> None:
    async with capnweb_pair(Model("stuck", "stuck"), TranslatorStub) as stuck:
        with pytest.raises(ExceptionGroup, match="no model has translated it") as caught:
            await Chain({"a": stuck, "b": stuck}, 0.01).translate("hi")
    assert [type(error).__name__ for error in caught.value.exceptions] == ["DeadlineExceeded"] * 2


async def test_a_server_without_checks_is_well() -> None:
    health = Health(ready="/readyz")
    async with serve(lambda peer: Model("m", "well"), "127.0.0.1", 0, health=health) as server:
        assert (await diagnose(f"http://127.0.0.1:{server.port}")).cause == "well"
