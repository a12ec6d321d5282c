"""A browser is told what it asks before a page of another origin may send a batch; the answer can be read by whom it is
for, a refusal, too.
"""

from __future__ import annotations

import aiohttp
import pytest

from capnweb_runtime import Peer, Refuse, serve
from tests.runtime.transports.example_api import Example

PAGE = "https://page.example"
CALL = '["push",["pipeline",0,["add"],[1,2]]]\n["pull",1]'
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}


def main(peer: Peer) -> Example:
    if "Authorization" not in peer.headers:
        raise Refuse(401, "no token")
    return Example()


async def asked(method: str, headers: dict[str, str], body: str = "") -> tuple[int, str, dict[str, str]]:
    """Status, text and headers of an answer; those headers alone that are about origins."""
    async with (
        serve(main, "127.0.0.1", 0, origins=[PAGE]) as server,
        aiohttp.ClientSession() as session,
        session.request(method, server.http_url, headers=headers, data=body) as response,
    ):
        about = {k: v for k, v in response.headers.items() if k.startswith("Access-Control") or k == "Vary"}
        return response.status, await response.text(), about


async def test_a_page_that_is_allowed_may_send_and_read() -> None:
    status, _, headers = await asked("OPTIONS", {"Origin": PAGE, **PREFLIGHT})
    assert status == 204
    assert headers == {
        "Access-Control-Allow-Origin": PAGE,
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "authorization,content-type",
        "Access-Control-Max-Age": "7200",
        "Vary": "Origin, Access-Control-Request-Headers",
    }
    answer = await asked("POST", {"Origin": PAGE, "Authorization": "Bearer x"}, CALL)
    assert answer == (200, '["resolve",1,3]', {"Access-Control-Allow-Origin": PAGE, "Vary": "Origin"})


async def test_it_can_read_why_it_is_refused() -> None:
    answer = await asked("POST", {"Origin": PAGE}, CALL)
    assert answer == (401, "no token\n", {"Access-Control-Allow-Origin": PAGE, "Vary": "Origin"})


@pytest.mark.parametrize("method", ["OPTIONS", "POST"])
@pytest.mark.parametrize("origin", ["https://other.example", "null", f"{PAGE}:444", "http://page.example"])
async def test_any_other_page_is_refused_and_told_nothing(method: str, origin: str) -> None:
    status, _, headers = await asked(method, {"Origin": origin, **PREFLIGHT})
    assert (status, headers) == (403, {})


async def test_programs_are_not_asked_for_an_origin_and_hear_of_none() -> None:
    assert await asked("POST", {"Authorization": "x"}, CALL) == (200, '["resolve",1,3]', {})
    assert (await asked("OPTIONS", {}))[0] == 405
