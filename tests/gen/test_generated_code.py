"""Generated code at work: modules of the golden cases, with a session between the two ends.

How values travel is the runtime's business; here it is that stub and skeleton agree, form by form.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import pytest

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.testing import pair
from capnweb_runtime.values import Blob, Headers, Request, Response, Url
from examples.demo.server import Accounts, Authed
from generated.accounts import AuthedApiStub
from tests.gen.conftest import Serve
from tests.gen.golden.any_capability import expected as registry
from tests.gen.golden.callbacks import expected as callbacks
from tests.gen.golden.callbacks.schema import Event
from tests.gen.golden.deprecated import expected as deprecated
from tests.gen.golden.deprecated.schema import Item, OldWarning
from tests.gen.golden.parameters import expected as parameters
from tests.gen.golden.streams import expected as streams
from tests.gen.golden.streams.schema import Line
from tests.gen.golden.tuples import expected as tuples
from tests.gen.golden.tuples.schema import Point
from tests.gen.golden.unions import expected as unions
from tests.gen.golden.unions.schema import Sample
from tests.gen.golden.web_values import expected as web
from tests.gen.golden.web_values.schema import Attachment


async def read(stream: AsyncIterable[Any]) -> list[Any]:
    return [item async for item in stream]


async def several(*items: Any) -> AsyncIterator[Any]:
    for item in items:
        yield item


# ---- any capability, any value


class Counter(registry.CounterTarget):
    def __init__(self) -> None:
        self.total = 0

    def increment(self, n: int = 1) -> int:
        self.total += n
        return self.total


class Registry(registry.RegistryTarget):
    def __init__(self) -> None:
        self.held: dict[str, rpc.AnyStub] = {}
        self.counter = Counter()

    @property
    def root(self) -> Counter:
        return self.counter

    @property
    def shared_counter(self) -> Counter:
        return self.counter

    @property
    def settings(self) -> Any:
        return {"depth": [1, None, "x"]}

    def register(self, name: str, capability: rpc.AnyStub) -> None:
        self.held[name] = capability.dup()

    def look_up(self, name: str) -> rpc.AnyStub:
        return self.held[name].dup()

    def find(self, name: str, fallback: rpc.AnyStub | None = None) -> rpc.AnyStub | None:
        return self.held[name].dup() if name in self.held else fallback

    async def call(self, capability: rpc.AnyStub, method: str, *args: Any) -> Any:
        return await capability.call(method, *args)


async def test_a_capability_of_any_kind_can_be_held_and_given_back(served: Serve) -> None:
    api = served(Registry, registry.RegistryStub)
    await api.register("mine", Counter())
    await api.register("double", lambda n: n * 2)
    assert await api.look_up("mine").call("increment", 5) == 5
    assert await (await api.look_up("double"))(21) == 42
    assert await api.find("nobody's") is None
    assert isinstance(await api.find("mine"), rpc.AnyStub)
    assert await api.call(api.look_up("mine"), "increment", 2) == 7


async def test_properties_hold_capabilities_and_any_values(served: Serve) -> None:
    api = served(Registry, registry.RegistryStub)
    assert await api.shared_counter.increment(3) == 3
    assert await api.root.call("increment") == 4
    assert await api.settings == {"depth": [1, None, "x"]}
    assert await api.settings.get("depth")[2] == "x"


# ---- parameters


class Search(parameters.SearchTarget):
    def any_number(self, *numbers: int) -> int:
        return sum(numbers)

    def some_first(self, first: str, second: int = 2, *rest: list[str] | None) -> None:
        raise LookupError(f"{first} {second} {rest}")

    def keywords_last(self, only: int, /, *values: str, separator: str = ", ") -> str:
        return f"{only}: {separator.join(values)}"


async def test_any_number_of_arguments_can_be_passed(served: Serve) -> None:
    api = served(Search, parameters.SearchStub)
    assert await api.any_number() == 0
    assert await api.any_number(1, api.any_number(2, 3), 4) == 10
    with pytest.raises(LookupError, match=r"a 2 \(\)"):
        await api.some_first("a")
    with pytest.raises(LookupError, match=r"a 1 \(\['b'\], None\)"):
        await api.some_first("a", 1, ["b"], None)
    with pytest.raises(TypeError, match="int"):
        await api.any_number(1, "two")  # type: ignore[arg-type]  # that it is refused is what is tested


async def test_keywords_can_follow_any_number_of_arguments(served: Serve) -> None:
    api = served(Search, parameters.SearchStub)
    assert await api.keywords_last(1, "a", "b") == "1: a, b"
    assert await api.keywords_last(1, "a", "b", separator="-") == "1: a-b"
    assert await api.keywords_last(1, separator="-") == "1: "


# ---- streams


class Collector(rpc.WritableTarget[Any]):
    def __init__(self) -> None:
        self.items: list[Any] = []
        self.closed = False

    def write(self, chunk: Any) -> None:
        self.items.append(chunk)

    def close(self) -> None:
        self.closed = True


class Process(streams.ProcessTarget):
    def __init__(self, killed: list[int], number: int) -> None:
        self.killed = killed
        self.number = number

    def kill(self) -> None:
        self.killed.append(self.number)


class Machine(streams.MachineTarget):
    opened = Collector()
    killed: list[int]

    def __init__(self) -> None:
        Machine.opened = Collector()
        Machine.killed = []

    @property
    def log(self) -> AsyncIterator[Line]:
        return several(Line(number=1, text="a"), Line(number=2, text="b"))

    @property
    def keyboard(self) -> Collector:
        return self.opened

    async def download(self, name: str) -> AsyncIterator[bytes]:
        yield name.encode()
        yield b"!"

    def upload(self, name: str, content: rpc.ReadableStream[bytes]) -> Any:
        async def length() -> int:
            return sum([len(piece) async for piece in content])

        return length()

    async def compress(self, content: rpc.ReadableStream[bytes]) -> AsyncIterator[bytes]:
        return several(*[piece[:1] for piece in await read(content)])

    def open(self, name: str) -> Collector:
        return self.opened

    async def tail(
        self, name: str, to: rpc.WritableStream[Line], errors: rpc.WritableStream[Any] | None = None
    ) -> None:
        async with to:
            await to.write(Line(number=1, text=name))
        if errors is not None:
            await errors.write({"any": [1]})
            await errors.close()

    async def started(self) -> AsyncIterator[Process]:
        for number in range(2):
            yield Process(self.killed, number)

    def maybe(self, name: str, instead: AsyncIterable[bytes] | None = None) -> AsyncIterable[bytes] | None:
        return several(b"x") if name else None


async def test_a_stream_is_read_from_the_promise_or_when_it_has_arrived(served: Serve) -> None:
    api = served(Machine, streams.MachineStub)
    assert await read(api.download("a")) == [b"a", b"!"]
    assert await read(await api.download("b")) == [b"b", b"!"]
    assert await read(api.log) == [Line(number=1, text="a"), Line(number=2, text="b")]
    given = await api.maybe("a")
    assert given is not None
    assert await read(given) == [b"x"]
    assert await api.maybe("") is None


async def test_a_stream_is_an_argument(served: Serve) -> None:
    api = served(Machine, streams.MachineStub)
    assert await api.upload("a", several(b"abc", b"de")) == 5
    assert await read(api.compress(several(b"abc", b"de"))) == [b"a", b"d"]


async def test_a_stream_carries_capabilities(served: Serve) -> None:
    api = served(Machine, streams.MachineStub)
    async for process in api.started():
        await process.kill()
        process.dispose()
    assert Machine.killed == [0, 1]


async def test_a_peer_writes_to_what_it_is_given(served: Serve) -> None:
    api = served(Machine, streams.MachineStub)
    lines, errors = Collector(), Collector()
    await api.tail("a", lines, errors)
    assert (lines.items, lines.closed) == ([Line(number=1, text="a")], True)
    assert (errors.items, errors.closed) == ([{"any": [1]}], True)


async def test_what_a_peer_gives_can_be_written_to(served: Serve) -> None:
    api = served(Machine, streams.MachineStub)
    async with await api.open("a") as file:
        await file.write(b"abc")
    async with await api.keyboard as keyboard:
        await keyboard.write("d")
    assert (Machine.opened.items, Machine.opened.closed) == ([b"abc", "d"], True)


async def test_a_chunk_of_another_type_is_refused(served: Serve) -> None:
    api = served(Machine, streams.MachineStub)
    file = await api.open("a")
    with pytest.raises(TypeError, match="bytes"):
        await file.write("text")  # type: ignore[arg-type]  # that it is refused is what is tested
    await file.abort()


async def test_the_demo_gives_a_file_in_pieces() -> None:
    async with pair(Authed(Accounts(), user_id=1), AuthedApiStub, no_leaks=True) as stub:
        assert await read(stub.download("profiles.csv")) == [b"id,name\n", b"1,Ada\n", b"2,Grace\n", b"3,Barbara\n"]
        with pytest.raises(LookupError, match="no file"):
            await read(stub.download("other.csv"))


# ---- functions as results


class Bus(callbacks.BusTarget):
    told: list[str]

    def __init__(self) -> None:
        Bus.told = []

    def subscribe(self, topic: str) -> Callable[[Event], None]:
        return lambda event: self.told.append(f"{topic} {event.name}")

    async def parser(self) -> Callable[[str], Event]:
        return lambda text: Event(name=text)

    def openers(self) -> Mapping[str, Callable[[str], callbacks.SourceTarget]]:
        return {"a": Source}

    @property
    def publish(self) -> Callable[[Event, int], bool]:
        return lambda event, times: len(event.name) == times


class Source(callbacks.SourceTarget):
    def __init__(self, name: str) -> None:
        self.name = name

    def next(self) -> Event:
        return Event(name=self.name)


async def test_a_function_that_was_given_can_be_called_before_it_has_arrived(served: Serve) -> None:
    api = served(Bus, callbacks.BusStub)
    await api.subscribe("a")(Event(name="b"))
    async with await api.subscribe("c") as held:
        await held(Event(name="d"))
    assert Bus.told == ["a b", "c d"]
    assert await api.publish(Event(name="abc"), 3) is True


async def test_functions_are_given_inside_other_values(served: Serve) -> None:
    api = served(Bus, callbacks.BusStub)
    parse = await api.parser()
    assert parse is not None
    async with parse:
        assert await parse("a") == Event(name="a")
    async with await api.openers()["a"]("b") as source:
        assert await source.next() == Event(name="b")


# ---- unions


class Store(unions.StoreTarget):
    def add(self, n: int | float = 1) -> int | float:
        return n + n

    def reversed_order(self, n: float | int) -> float | int:
        return n

    def get(self, key: int | str) -> bytes | str | None:
        return str(key) if isinstance(key, int) else key.encode() if key else None

    def at(self, when: datetime | Literal["now", "never"]) -> Sequence[Sample]:
        return [Sample(value=1, label=str(when)), Sample(value=0.5)]

    def limit(self, most: int | Literal["all"] | None = "all", exact: bool | str = False) -> None:
        raise LookupError(f"{most!r} {exact!r}")


@pytest.mark.parametrize("number", [1, 2**60, 0.25, float("inf")])
async def test_a_number_stays_what_it_is(served: Serve, number: int | float) -> None:
    api = served(Store, unions.StoreStub)
    for found in (await api.add(number), 2 * await api.reversed_order(number)):
        assert (found, type(found)) == (2 * number, type(number))


async def test_a_union_tells_its_types_apart(served: Serve) -> None:
    api = served(Store, unions.StoreStub)
    assert [await api.get(1), await api.get("a"), await api.get("")] == ["1", b"a", None]
    moment = datetime(2024, 1, 2, tzinfo=UTC)
    assert [sample.label for sample in await api.at(moment)] == [str(moment), None]
    assert [type(sample.value) for sample in await api.at("now")] == [int, float]
    with pytest.raises(LookupError, match="'all' True"):
        await api.limit("all", True)
    with pytest.raises(LookupError, match="3 'x'"):
        await api.limit(3, "x")
    with pytest.raises(LookupError, match="None False"):
        await api.limit(None)
    with pytest.raises(TypeError, match="when"):
        await api.at("later")  # type: ignore[arg-type]  # that it is refused is what is tested


# ---- tuples


class Shape(tuples.ShapeTarget):
    def area(self) -> float:
        return 2.5


class Plane(tuples.PlaneTarget):
    @property
    def size(self) -> tuple[int, int]:
        return 3, 4

    def nearest(self, to: tuple[float, float]) -> tuple[Point, float]:
        return Point(at=to, tags=("a",), weights={"b": 1}), 0.5

    async def draw(
        self, shape: tuple[tuples.ShapeStub, str], done: tuple[rpc.CallbackStub[[int], None], int]
    ) -> tuple[Shape, AsyncIterable[int]]:
        await done[0](done[1])
        return Shape(), several(int(await shape[0].area()))

    def pairs(self, pairs: Sequence[tuple[int, str]]) -> Sequence[tuple[int, str]]:
        return tuple(reversed(pairs))

    def table(self, rows: Mapping[str, Sequence[int]]) -> Mapping[str, Shape]:
        return {name: Shape() for name in rows}


async def test_tuples_keep_the_type_of_each_element(served: Serve) -> None:
    api = served(Plane, tuples.PlaneStub)
    assert await api.size == (3, 4)
    assert await api.nearest((1.0, 2.0)) == (Point(at=(1.0, 2.0), tags=["a"], weights={"b": 1}), 0.5)
    assert await api.pairs([(1, "a"), (2, "b")]) == [(2, "b"), (1, "a")]
    assert await api.pairs(((1, "a"),))[0] == (1, "a")
    with pytest.raises(TypeError, match="exactly 2"):
        await api.nearest((1.0,))  # type: ignore[arg-type]  # that it is refused is what is tested


async def test_tuples_and_mappings_hold_capabilities(served: Serve) -> None:
    api = served(Plane, tuples.PlaneStub)
    done: list[int] = []
    shape, areas = await api.draw((Shape(), "name"), (done.append, 7))
    assert (await shape.area(), await read(areas), done) == (2.5, [2], [7])
    assert await api.table({"a": [1]})["a"].area() == 2.5


# ---- values of the web


class Proxy(web.ProxyTarget):
    @property
    def home(self) -> Url:
        return Url("https://example.com/")

    def fetch(self, request: Request) -> Response:
        return Response(request.url, status=201, headers=request.headers)

    def get(self, url: Url, headers: Headers | None = None) -> Response:
        return Response(None if headers is None else headers["accept"])

    def load(self, url: Url) -> Blob | None:
        return Blob(url.encode(), "text/plain") if url == self.home else None

    def attach(self, attachments: list[Attachment]) -> Sequence[Blob]:
        return [attachment.content for attachment in attachments if attachment.source == self.home]


async def test_values_of_the_web_are_arguments_and_results(served: Serve) -> None:
    api = served(Proxy, web.ProxyStub)
    home = await api.home
    assert (home, type(home)) == ("https://example.com/", Url)
    response = await api.fetch(Request(home, headers=Headers([("Accept", "*/*")])))
    assert (response.status, response.headers["accept"]) == (201, "*/*")
    assert await api.load(api.home) == Blob(home.encode(), "text/plain")
    assert await api.load(Url("https://example.org/")) is None


async def test_a_model_holds_values_of_the_web(served: Serve) -> None:
    api = served(Proxy, web.ProxyStub)
    blob = Blob(b"abc", "text/plain")
    attachments = [
        Attachment(content=blob, source=await api.home, headers=Headers([("a", "b")])),
        Attachment(content=Blob(b""), source=Url("https://example.org/")),
    ]
    assert await api.attach(attachments) == [blob]


# ---- what should not be used any more


class Shop(deprecated.ShopTarget):
    def buy(self, name: str) -> Item:
        return Item(name=name)


class OldStore(deprecated.StoreTarget):
    @property
    def title(self) -> str:
        return "title"

    def search(self, word: str, limit: int = 10) -> list[str]:
        return [word]

    def quiet(self) -> None: ...


async def test_using_what_is_deprecated_warns_where_it_is_used(served: Serve) -> None:
    store = served(OldStore, deprecated.StoreStub)
    with pytest.warns(DeprecationWarning, match="use find") as caught:
        assert await store.search("a") == ["a"]
    assert caught[0].filename == __file__
    with pytest.warns(DeprecationWarning, match="use name"):
        assert await store.title == "title"
    await store.quiet()


async def test_the_warning_is_of_the_category_that_the_schema_names(served: Serve) -> None:
    store = served(OldStore, deprecated.StoreStub)
    with pytest.warns(OldWarning), pytest.raises(NotImplementedError):
        await store.loud()
    with pytest.warns(FutureWarning), pytest.raises(NotImplementedError):
        await store.later()


async def test_a_deprecated_field_warns_when_it_is_read_but_not_when_it_travels(served: Serve) -> None:
    shop = served(Shop, deprecated.ShopStub)
    item = await shop.buy("saw")  # warnings are errors here
    with pytest.warns(DeprecationWarning, match="use name"):
        assert item.code == ""
    with pytest.warns(DeprecationWarning, match="use name"):
        assert await shop.buy("saw").code == ""
