"""A client written against generated TypeScript, and our server."""

from __future__ import annotations

from pathlib import Path

import pytest

from capnweb_runtime import serve
from tests.needs import needs_node_typescript
from tests.typescript.node import program
from tests.typescript.target import Main

pytestmark = needs_node_typescript

VALUES = ["scalars", "compounds", "property", "nothing", "large", "buffer", "web", "sturdyRefs"]
CALLS = ["parameters", "variadic", "pipelining", "map", "errors"]
SESSION = ["capabilities", "capabilitiesInModels", "callbacks", "streams", "blob", "requests"]


@pytest.mark.parametrize("scheme", ["ws", "http"])
async def test_every_kind_of_value_call_and_capability_arrives_as_it_was(programs: Path, scheme: str) -> None:
    async with (
        serve(lambda peer: Main(), "127.0.0.1", 0, path="/rpc") as server,
        program(programs, "client.js", server.url.replace("ws:", f"{scheme}:")) as client,
    ):
        held = await client.rest()
    assert sorted(held) == sorted([*VALUES, *CALLS, *(SESSION if scheme == "ws" else ())])
