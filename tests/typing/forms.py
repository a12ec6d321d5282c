"""Read by type checkers, never run: forms of types that the accounts do without, in modules of golden cases."""

# assert_type() gives back the promise that it was shown, and nobody awaits that here.
# mypy: disable-error-code="unused-awaitable"

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, assert_type

from capnweb_runtime import codegen_api as rpc
from tests.gen.golden.any_capability.expected import CounterPromise, CounterStub, CounterTarget, RegistryStub
from tests.gen.golden.callbacks.expected import BusStub, BusTarget, SourceStub
from tests.gen.golden.callbacks.schema import Event
from tests.gen.golden.parameters.expected import SearchStub
from tests.gen.golden.streams.expected import MachineStub, ProcessStub, ProcessTarget
from tests.gen.golden.streams.schema import Line
from tests.gen.golden.tuples.expected import PlaneStub, ShapeStub
from tests.gen.golden.tuples.schema import Point
from tests.gen.golden.unions.expected import SamplePromise, StoreStub
from tests.gen.golden.web_values.expected import AttachmentPromise, ProxyStub


async def any_capability(api: RegistryStub, target: CounterTarget, counter: CounterPromise) -> None:
    """Where nothing is said of a capability, stubs, promises, targets and functions all fit."""
    assert_type(api.look_up("a"), rpc.StubPromise)
    held = await api.look_up("a")
    assert_type(held, rpc.AnyStub)
    assert_type(held.call("increment", 1), rpc.AnyPromise)
    assert_type(api.look_up("a").get("total"), rpc.AnyPromise)
    assert_type(await api.find("a"), rpc.AnyStub | None)
    assert_type(await api.everything(), dict[str, rpc.AnyStub])
    assert_type(api.everything()["a"], rpc.StubPromise)
    for given in (target, held, await counter):
        assert_type(await api.register("a", given), None)
    await api.register("a", counter)
    await api.register("a", api.look_up("b"))
    await api.register("a", print)
    assert_type(api.shared_counter, CounterPromise)
    assert_type(await api.shared_counter, CounterStub)


async def any_value(api: RegistryStub, held: rpc.AnyStub) -> None:
    """A promise of any value can be asked for anything, and gives any value."""
    assert_type(api.settings, rpc.AnyPromise)
    assert_type(api.settings["depth"][0], rpc.AnyPromise)
    assert_type(await api.settings, Any)
    assert_type(api.call(held, "increment", 1, None, "x"), rpc.AnyPromise)
    assert_type(await api.each([held], lambda one: one), list[Any])


async def any_number_of_arguments(api: SearchStub, numbers: list[int], later: rpc.RpcPromise[int]) -> None:
    assert_type(api.any_number(), rpc.RpcPromise[int])
    assert_type(await api.any_number(1, later, *numbers), int)
    assert_type(await api.keywords_last(1, "a", "b", separator="-"), str)


async def streams(api: MachineStub, content: AsyncIterator[bytes], lines: rpc.WritableTarget[Line]) -> None:
    """Streams are given as anything that can be iterated or written to; promises of streams can be iterated too."""
    assert_type(api.log, rpc.StreamPromise[Line])
    assert_type([line async for line in api.log], list[Line])
    assert_type(await api.upload("a", content), int)
    assert_type(await api.upload("a", api.download("b")), int)
    assert_type(await api.upload("a", await api.download("b")), int)
    assert_type(await api.maybe("a"), rpc.ReadableStream[bytes] | None)
    assert_type([process async for process in api.started()], list[ProcessStub])
    file = await api.open("a")
    assert_type(file, rpc.WritableStream[bytes])
    await file.write(b"abc")
    await api.tail("a", lines)
    async with await api.keyboard as keyboard:
        assert_type(keyboard, rpc.WritableStream[str])


async def streams_of_capabilities(api: MachineStub, ours: ProcessTarget, dead: rpc.WritableTarget[ProcessStub]) -> None:
    """Written as targets or stubs, read as stubs."""

    async def starting() -> AsyncIterator[ProcessTarget]:
        yield ours

    written = await api.supervise(starting(), dead)
    await written.write(ours)
    async for process in api.started():
        await written.write(process)


async def functions(api: BusStub, event: Event) -> None:
    """A function that was given can be called, also before it has arrived."""
    assert_type(api.subscribe("a"), rpc.CallbackPromise[[Event], None])
    assert_type(api.publish(event, 1), rpc.RpcPromise[bool])
    assert_type(await api.publish(event, 1), bool)
    held = await api.subscribe("a")
    assert_type(held, rpc.CallbackStub[[Event], None])
    assert_type(await held(event), None)
    assert_type(await api.on_event(held), None)
    assert_type(await api.on_event(api.subscribe("a")), None)
    assert_type(await api.openers()["a"]("b"), SourceStub)
    assert_type(await api.parser(), rpc.CallbackStub[[str], Event] | None)


class Giving(BusTarget):
    def subscribe(self, topic: str) -> Callable[[Event], None]:
        return print

    async def parser(self) -> rpc.CallbackStub[[str], Event] | None:
        return None


async def unions(api: StoreStub, sample: SamplePromise) -> None:
    assert_type(api.add(1), rpc.RpcPromise[int | float])
    assert_type(api.add(api.add(0.5)), rpc.RpcPromise[int | float])
    assert_type(await api.get("a"), bytes | str | None)
    assert_type(await sample.value, int | float)
    assert_type(await api.limit("all", exact=True), None)


async def tuples(api: PlaneStub, shape: ShapeStub, later: rpc.RpcPromise[float]) -> None:
    assert_type(await api.nearest((1.0, later)), tuple[Point, float])
    drawn, areas = await api.draw((shape, "a"), (print, 1))
    assert_type(drawn, ShapeStub)
    assert_type(areas, rpc.ReadableStream[int])
    assert_type(await api.pairs(((1, "a"), (2, "b"))), list[tuple[int, str]])


async def values_of_the_web(api: ProxyStub, attachment: AttachmentPromise) -> None:
    assert_type(await api.home, rpc.Url)
    assert_type(await api.load(api.home), rpc.Blob | None)
    assert_type(await api.get(api.home, headers=rpc.Headers([("accept", "*/*")])), rpc.Response)
    assert_type(await api.fetch(rpc.Request("https://example.com/")), rpc.Response)
    assert_type(await attachment.content, rpc.Blob)


async def refused(
    registry: RegistryStub, search: SearchStub, machine: MachineStub, bus: BusStub, store: StoreStub, plane: PlaneStub
) -> None:
    """Each comment is needed: without the error that it expects, the checkers report the comment."""
    _ = registry.register("a", 1)  # type: ignore[arg-type]  # an int is no capability
    _ = search.any_number(1, "2")  # type: ignore[arg-type]  # the numbers are int
    _ = machine.upload("a", [b"a"])  # type: ignore[arg-type]  # a list is no stream
    _ = machine.upload("a", machine.log)  # type: ignore[arg-type]  # nor are lines bytes
    _ = machine.tail("a", machine.log)  # type: ignore[arg-type]  # what is read cannot be written to
    _ = bus.subscribe("a")(1)  # type: ignore[arg-type]  # the function takes an event
    _ = store.add("1")  # type: ignore[arg-type]  # a str is no number
    _ = store.at("later")  # type: ignore[arg-type]  # it is now or never
    _ = plane.nearest((1.0,))  # type: ignore[arg-type]  # a point has two coordinates
    number: int = await store.add(1)  # type: ignore[assignment]  # it may be a float
    print(number)
