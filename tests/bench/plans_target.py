"""What plans are measured with: pages, each of one of three kinds, which is read in a way of its own. `python -m
tests.bench.plans_target PORT` serves them with plans, and prints READY.
"""

from __future__ import annotations

import asyncio
import sys

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime import serve
from capnweb_runtime.plans import eq, lt, plan, repeat, when

PAGES = 4


class PagesSpec(rpc.Interface):
    first = rpc.method("first", rpc.INT)
    kind = rpc.method("kind", rpc.INT, rpc.param("page", rpc.INT))
    plain = rpc.method("plain", rpc.INT, rpc.param("page", rpc.INT))
    folded = rpc.method("folded", rpc.INT, rpc.param("page", rpc.INT))
    sealed = rpc.method("sealed", rpc.INT, rpc.param("page", rpc.INT))


class PagesStub(rpc.Calls, rpc.RpcStub):
    def first(self) -> rpc.RpcPromise[int]:
        return self._call(PagesSpec.first)

    def kind(self, page: int | rpc.RpcPromise[int]) -> rpc.RpcPromise[int]:
        return self._call(PagesSpec.kind, page)

    def plain(self, page: int | rpc.RpcPromise[int]) -> rpc.RpcPromise[int]:
        return self._call(PagesSpec.plain, page)

    def folded(self, page: int | rpc.RpcPromise[int]) -> rpc.RpcPromise[int]:
        return self._call(PagesSpec.folded, page)

    def sealed(self, page: int | rpc.RpcPromise[int]) -> rpc.RpcPromise[int]:
        return self._call(PagesSpec.sealed, page)


class Pages(rpc.RpcTarget, spec=PagesSpec):
    """Pages 0 to 3; whichever way one is read, the next one's number is what comes of it."""

    def first(self) -> int:
        return 0

    def kind(self, page: int) -> int:
        return page % 3

    def plain(self, page: int) -> int:
        return page + 1

    def folded(self, page: int) -> int:
        return page + 1

    def sealed(self, page: int) -> int:
        return page + 1


async def in_a_plan(pages: PagesStub) -> int:
    """Reads all of them: a loop with three branches, in one round trip."""

    def read(p: PagesStub, page: rpc.RpcPromise[int]) -> rpc.RpcPromise[int]:
        kind = p.kind(page)
        return when(
            eq(kind, 0),
            lambda: p.plain(page),
            lambda: when(eq(kind, 1), lambda: p.folded(page), lambda: p.sealed(page)),
        )

    return await plan(
        pages,
        lambda p: repeat(p.first(), while_=lambda page: lt(page, PAGES), do=lambda page: read(p, page), at_most=99),
    )


async def call_by_call(pages: PagesStub) -> int:
    """The same with Python's `while` and `if`, which wait for what they decide on."""
    page = await pages.first()
    while page < PAGES:
        kind = await pages.kind(page)
        if kind == 0:
            page = await pages.plain(page)
        elif kind == 1:
            page = await pages.folded(page)
        else:
            page = await pages.sealed(page)
    return page


async def main(port: int) -> None:
    async with serve(lambda peer: Pages(), "127.0.0.1", port, plans=True) as server:
        print("READY", flush=True)
        await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
