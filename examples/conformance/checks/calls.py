"""Plain calls and properties, through the typed stubs: what the schema says is what comes."""

from __future__ import annotations

import asyncio

from capnweb_runtime import UNDEFINED
from examples.conformance.checks.base import Ground, check, equal, fails
from examples.conformance.generated.conformance import ConformanceApiStub
from examples.conformance.schema.conformance import Config, Friend, Item, Nested, Profile


@check("properties are read, and a property can be an object", both=True)
async def properties(ground: Ground) -> None:
    equal(await ground.ask(lambda api: api.version), "conformance-1")
    wanted = Config(mode="test", nested=Nested(deep=[10, 20, 30], flag=True))
    equal(await ground.ask(lambda api: api.config), wanted)


@check("a path leads into a property", 14, both=True)
async def path_into_a_property(ground: Ground) -> None:
    equal(await ground.ask(lambda api: api.config.nested.deep), [10, 20, 30])


@check("a getter that raises rejects", 18, both=True)
async def failing_getter(ground: Ground) -> None:
    await fails(ground.ask(lambda api: api.failing), "Error", "getter failed")


@check("numbers are squared and added", both=True)
async def numbers(ground: Ground) -> None:
    equal(await ground.ask(lambda api: api.square(7)), 49)
    equal(await ground.ask(lambda api: api.square(-1.5)), 2.25)
    equal(await ground.ask(lambda api: api.add(2, 3.5)), 5.5)


@check("text beyond ASCII is greeted", both=True)
async def text(ground: Ground) -> None:
    equal(await ground.ask(lambda api: api.greet("W\u00f6rld \U0001f600")), "Hello, W\u00f6rld \U0001f600!")


@check("a list of numbers is summed", both=True)
async def sums(ground: Ground) -> None:
    equal(await ground.ask(lambda api: api.sum([1, 2, 3.5])), 6.5)
    equal(await ground.ask(lambda api: api.sum([])), 0)


@check("Fibonacci numbers, also none and large ones", 4, both=True)
async def fibonacci(ground: Ground) -> None:
    equal(await ground.ask(lambda api: api.generate_fibonacci(10)), [0, 1, 1, 2, 3, 5, 8, 13, 21, 34])
    equal(await ground.ask(lambda api: api.generate_fibonacci(0)), [])
    last = (await ground.ask(lambda api: api.generate_fibonacci(101)))[-1]
    equal(abs(last / 354224848179261915075 - 1) < 1e-12, True)


@check("null and undefined are results of their own", 12, both=True)
async def nothing(ground: Ground) -> None:
    equal(await ground.ask(lambda api: api.return_null()), None)
    equal(await ground.ask(lambda api: api.return_undefined()), UNDEFINED)


@check("a number comes back", both=True)
async def number_back(ground: Ground) -> None:
    equal(await ground.ask(lambda api: api.return_number(2.5)), 2.5)
    equal(await ground.ask(lambda api: api.return_number(-7)), -7)


@check("lists of objects, lists of lists, objects in objects", both=True)
async def containers(ground: Ground) -> None:
    items = [Item(id=1, name="one"), Item(id=2, name="two"), Item(id=3, name="three")]
    equal(await ground.ask(lambda api: api.get_list()), items)
    equal(await ground.ask(lambda api: api.get_matrix()), [[1, 2], [3], []])
    equal(await ground.ask(lambda api: api.get_nested()), {"a": {"b": {"c": [10, 20, [30]]}}, "s": "x"})


@check("attributes of a promised model are promises", both=True)
async def attributes(ground: Ground) -> None:
    equal(await ground.ask(lambda api: api.authenticate("secret").profile.tags), ["admin", "dev"])
    equal(await ground.ask(lambda api: api.get_list()[1].name), "two")


@check("large results arrive whole", both=True)
async def large(ground: Ground) -> None:
    equal(await ground.ask(lambda api: api.big_array(5000)), list(range(5000)))
    equal(len(await ground.ask(lambda api: api.big_string(300_000))), 300_000)


@check("pipelining on a capability", both=True)
async def pipelining(ground: Ground) -> None:
    equal(await ground.ask(lambda api: api.authenticate("secret").get_user_name()), "alice")
    equal(
        await ground.ask(lambda api: api.authenticate("secret").profile),
        Profile(id=42, name="alice", tags=["admin", "dev"]),
    )


@check("a failed call fails what was pipelined on it", both=True)
async def failed_pipeline(ground: Ground) -> None:
    await fails(ground.ask(lambda api: api.authenticate("guess").get_user_name()), "Error", "invalid token")


@check("a promise is an argument", both=True)
async def promise_as_argument(ground: Ground) -> None:
    equal(await ground.ask(lambda api: api.square(api.square(3))), 81)

    async def friend(api: ConformanceApiStub) -> Friend:
        authed = api.authenticate("secret")
        return await authed.get_friend(authed.get_user_id())

    equal(await ground.ask(friend), Friend(id=42, name="friend-42"))


@check("a promise is a part of an argument", both=True)
async def promise_inside(ground: Ground) -> None:
    got = await ground.ask(lambda api: api.echo({"a": [api.square(2)], "b": api.version}))
    equal(got, {"a": [4.0], "b": "conformance-1"})


@check("a rejected promise as an argument rejects the call", both=True)
async def rejected_argument(ground: Ground) -> None:
    await fails(ground.ask(lambda api: api.echo([api.throw_error()])), "RangeError", "test error")


@check("a result that takes its time", both=True)
async def slow(ground: Ground) -> None:
    equal(await ground.ask(lambda api: api.echo_later([1, "a"], 5)), [1, "a"])


@check("hundreds of calls in flight get their own answers")
async def many(ground: Ground) -> None:
    api = await ground.session()
    got = await asyncio.gather(*(api.square(i) for i in range(300)))
    equal(list(got), [i * i for i in range(300)])
