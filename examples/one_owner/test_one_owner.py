"""The auction house does what its README claims."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from capnweb_runtime import connect
from capnweb_runtime.scale import MemoryBackplane
from examples.form.headers import ROOT
from examples.form.testing import as_documented, output
from examples.one_owner import client
from examples.one_owner.generated.auctions import HouseStub
from examples.one_owner.schemas.auctions import TooLow
from examples.one_owner.server import working
from tests.needs import needs_redis
from tests.runtime.scale.servers import RedisServer

SECRET = "a secret of the auctioneers"


def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    ran = as_documented("one_owner")
    assert ran.number("bids that were taken, of both") == 100
    assert ran.number("round trips to find the lamp and to bid") == 1


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    server.close()


@needs_redis
def test_it_prints_the_same_with_redis(redis: RedisServer) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "examples.one_owner", "--backplane", redis.url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert ran.stdout == output("one_owner")


async def test_a_client_bids_at_any_worker() -> None:
    async with MemoryBackplane() as backplane, working(backplane, SECRET) as worker:
        standing = await client.main(worker.server.url, "chair", "Ada", 5)
        assert (standing.bids, standing.highest, standing.bidder) == (1, 5, "Ada")
        async with connect(worker.server.url, HouseStub) as house, await house.auction("chair") as chair:
            with pytest.raises(TooLow) as caught:
                await chair.bid("Bob", 5)
            assert caught.value.highest == 5
            assert await client.outbid(chair, "Bob", 2) == 0
