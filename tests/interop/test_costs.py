"""What a client of the npm package is told when its calls cost too much."""

from __future__ import annotations

import json

from capnweb_runtime import Limits, serve
from tests.interop.node import program
from tests.needs import needs_node
from tests.runtime.test_costs import Search

pytestmark = needs_node


async def test_the_time_to_try_again_is_a_property_of_the_error() -> None:
    async with (
        serve(lambda peer: Search(), "127.0.0.1", 0, limits=Limits(cost=30)) as server,
        program("costs.mjs", server.url) as client,
    ):
        told = json.loads(await client.line())
    assert told["errorName"] == "CostExceeded"
    assert (told["name"], told["cost"], told["left"]) == ("Error", 25, 5)
    assert 0 < told["retryAfter"] <= 60
    assert told["message"].startswith("Search.find costs 25, and 5 of the 30 are left that Limits.cost allows in 60 s")
