"""Generic interfaces with type arguments, between generated stubs and skeletons with a session in between."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from capnweb_gen import graph
from capnweb_gen.compiler import compile_schemas
from capnweb_runtime.objects.callbacks import CallbackStub
from tests.gen.conftest import Compile, Serve, Write
from tests.gen.golden.generic_interfaces import expected as api
from tests.gen.golden.generic_interfaces.schema import Box, Profile
from tests.gen.golden.generics_across_schemas.expected import admin, people, search
from tests.gen.golden.generics_across_schemas.schemas.people import Profile as Person

ADA, BOB = Profile(id=1, name="ada"), Profile(id=2, name="bob")


class Profiles(api.ProfilePageTarget):
    def __init__(self, left: int = 1) -> None:
        self.left = left

    @property
    def items(self) -> list[Profile]:
        return [ADA, BOB]

    def next(self) -> api.PageProfileTarget | None:
        return Profiles(self.left - 1) if self.left else None

    async def each(self, function: CallbackStub[[Profile], Profile]) -> AsyncIterator[Profile]:
        for profile in self.items:
            yield await function(profile)

    def owner(self) -> Profile:
        return BOB


class Numbers(api.PageIntTarget):
    @property
    def items(self) -> list[int]:
        return [1, 2]

    def next(self) -> None:
        return None

    def each(self, function: Any) -> Any:
        raise NotImplementedError


class Pages(api.PagePageIntTarget):
    def __init__(self, pages: list[api.PageIntStub]) -> None:
        self.pages = [page.dup() for page in pages]

    def dispose(self) -> None:
        for page in self.pages:
            page.dispose()

    @property
    def items(self) -> list[api.PageIntTarget | api.PageIntStub]:
        return [Numbers(), *[page.dup() for page in self.pages]]

    def next(self) -> None:
        return None

    def each(self, function: Any) -> Any:
        raise NotImplementedError


class Table(api.TableStrProfileTarget):
    def get(self, key: str) -> Profile:
        return Profile(id=3, name=key)

    def pages(self) -> dict[str, api.PageProfileTarget]:
        return {"all": Profiles()}

    def first(self, otherwise: Profile) -> Box[Profile]:
        return Box[Profile](content=otherwise)


class Queue(api.QueueProfileTarget):
    def __init__(self) -> None:
        self.held: list[Profile] = []

    def put(self, item: Profile, times: int = 1) -> None:
        self.held += [item] * times

    @property
    def all(self) -> list[Profile]:
        return self.held


class Api(api.ApiTarget):
    def profiles(self) -> api.PageProfileTarget:
        return Profiles()

    def own(self) -> api.ProfilePageTarget:
        return Profiles()

    def nested(self, pages: list[api.PageIntStub]) -> api.PagePageIntTarget:
        return Pages(pages)

    def table(self, name: str) -> api.TableStrProfileTarget:
        return Table()

    def queue(self) -> api.QueueProfileTarget:
        return Queue()

    def sorted(self) -> Any: ...
    def cells(self, one: Any, other: Any) -> Any: ...
    def lists(self) -> Any: ...
    def sink(self) -> Any: ...


async def test_a_page_of_profiles_gives_profiles(served: Serve) -> None:
    page = served(Api, api.ApiStub).profiles()
    assert await page.items == [ADA, BOB]
    assert await page.items[1].name == "bob"
    assert await page.next().items[0] == ADA
    following = await page.next()
    assert following is not None
    with following:
        assert await following.next() is None


async def test_callbacks_and_streams_are_of_the_type_argument(served: Serve) -> None:
    page = served(Api, api.ApiStub).profiles()
    renamed = [one async for one in page.each(lambda profile: Profile(id=profile.id, name=profile.name.upper()))]
    assert [one.name for one in renamed] == ["ADA", "BOB"]


async def test_what_inherits_an_instance_is_one(served: Serve) -> None:
    own = served(Api, api.ApiStub).own()
    assert await own.owner().name == "bob"
    assert await own.items == [ADA, BOB]
    assert issubclass(api.ProfilePageStub, api.PageProfileStub)


async def test_a_page_of_pages_takes_and_gives_capabilities(served: Serve) -> None:
    pages = await served(Api, api.ApiStub).nested([Numbers()]).items
    assert [type(page) for page in pages] == [api.PageIntStub, api.PageIntStub]
    for page in pages:
        with page:
            assert await page.items == [1, 2]


async def test_several_type_parameters_reach_models_and_containers(served: Serve) -> None:
    table = served(Api, api.ApiStub).table("x")
    assert await table.get("eve") == Profile(id=3, name="eve")
    assert await table.first(ADA).content.name == "ada"
    assert await table.pages()["all"].items == [ADA, BOB]
    with pytest.raises(TypeError, match="argument 'key': expected str, got int 3"):
        await table.get(3)  # type: ignore[arg-type]


async def test_an_interface_as_a_pydantic_schema_may_be_generic(served: Serve) -> None:
    queue = served(Api, api.ApiStub).queue()
    await queue.put(ADA, 2)
    assert await queue.all == [ADA, ADA]


# ---- across schemas


class People(people.PageProfileTarget):
    def items(self) -> list[Person]:
        return [Person(name="ada")]

    def after(self, cursor: Any) -> people.PageProfileTarget:
        return self


class Staff(People, admin.StaffTarget):
    def dismiss(self, person: Person) -> None: ...


class Admin(admin.AdminTarget):
    def staff(self) -> admin.StaffTarget:
        return Staff()

    def merge(self, one: people.PageProfileStub, other: people.PageProfileStub) -> Awaitable[people.PageProfileStub]:
        async def later() -> people.PageProfileStub:
            assert len(await one.items() + await other.items()) == 2
            return one.dup()

        return later()


async def test_two_schemas_that_name_the_same_instance_mean_the_same_class(served: Serve) -> None:
    for module in (search, admin):
        assert vars(module)["PageProfileStub"] is people.PageProfileStub
    api = served(Admin, admin.AdminStub)
    merged = api.merge(People(), api.staff())
    assert await merged.items() == [Person(name="ada")]


GENERIC = """
    from typing import Protocol, TypeVar
    T = TypeVar("T")
    U = TypeVar("U")
    class Pair(Protocol[T, U]):
        def one(self) -> T: ...
        def other(self) -> U: ...
    class Page(Protocol[T]):
        def first(self) -> T: ...
        def pairs(self) -> Pair[T, str]: ...
"""


def model(name: str) -> str:
    return f"""
    from pydantic import BaseModel
    class {name}(BaseModel):
        id: int
    """


@pytest.fixture
def compiled(project: Write) -> Callable[[dict[str, str]], dict[str, list[str]]]:
    """Compiles schemas, none of which may need one that needs it; gives the names of the instances in each."""

    def compile_all(schemas: dict[str, str]) -> dict[str, list[str]]:
        root = project({"schemas/__init__.py": "", **{f"schemas/{name}.py": text for name, text in schemas.items()}})
        result = compile_schemas([root / "schemas"], "capnweb-gen")
        assert result.diagnostics == ()
        peers = graph.by_module(result.schemas)
        assert [schema.module for schema in result.schemas if graph.cyclic(schema, peers)] == []
        return {
            schema.module.removeprefix("schemas."): [one.name for one in schema.interfaces if one.generic]
            for schema in result.schemas
        }

    return compile_all


Compiled = Callable[[dict[str, str]], dict[str, list[str]]]


def test_arguments_that_are_given_crosswise_make_no_circle(compiled: Compiled) -> None:
    use = """
    from typing import Protocol
    from schemas.pairs import Pair
    from schemas.left import Left
    from schemas.right import Right
    class {name}(Protocol):
        def get(self) -> Pair[{arguments}]: ...
    """
    homes = compiled(
        {
            "pairs": GENERIC,
            "left": model("Left"),
            "right": model("Right"),
            "a": use.format(name="A", arguments="Left, Right"),
            "b": use.format(name="B", arguments="Right, Left"),
        }
    )
    assert homes == {"a": [], "b": [], "left": [], "right": ["PairLeftRight", "PairRightLeft"]}


def test_an_argument_that_needs_the_generic_has_the_instance(compiled: Compiled) -> None:
    user = """
    from __future__ import annotations
    from typing import Protocol
    from schemas.zpages import Page
    class User(Protocol):
        def friends(self) -> Page[User]: ...
    """
    assert compiled({"zpages": GENERIC, "a": user}) == {"a": ["PageUser", "PairUserStr"]}


def test_a_generic_that_needs_the_argument_has_the_instance(compiled: Compiled) -> None:
    pages = (
        GENERIC
        + """
        def where(self) -> "Place": ...
    from schemas.zplaces import Place
    """
    )
    use = """
    from typing import Protocol
    from schemas.pages import Page
    from schemas.zplaces import Place
    class Api(Protocol):
        def all(self) -> Page[Place]: ...
        def names(self) -> list[Page[str]]: ...
    """
    homes = compiled({"pages": pages, "zplaces": model("Place"), "api": use})
    assert homes["pages"] == ["PagePlace", "PageStr", "PairPlaceStr", "PairStrStr"]


def test_what_is_only_a_template_makes_no_module(compile_text: Compile) -> None:
    declared = "from typing import TypeVar\nT = TypeVar('T')\nclass Page(Protocol[T]):\n    def a(self) -> T: ..."
    result = compile_text(declared)
    assert (result.schemas, result.diagnostics) == ((), ())
