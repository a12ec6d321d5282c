"""Which interface a server's main object has, and what is said of its parts."""

from __future__ import annotations

from capnweb_gen.client.described import UNKNOWN, Described, main_objects
from capnweb_gen.compiler import read
from tests.gen.client.conftest import SHOP
from tests.gen.conftest import Write


def test_the_main_object_has_an_interface_that_no_other_gives(project: Write) -> None:
    root = project({"mains/__init__.py": "", "mains/shop.py": SHOP})
    schemas, _ = read([root / "mains"])
    assert [one.name for one in main_objects(schemas, None)] == ["Other", "Shop"]
    assert [one.name for one in main_objects(schemas, "mains.shop.Basket")] == ["Basket"]
    assert main_objects(schemas, "Nothing") == []


def test_where_each_gives_another_all_may_be_it(project: Write) -> None:
    text = "from typing import Protocol\n" + "".join(
        f"class {name}(Protocol):\n    async def get(self) -> '{other}': ...\n" for name, other in ("AB", "BA")
    )
    root = project({"rings/__init__.py": "", "rings/ring.py": text})
    schemas, _ = read([root / "rings"])
    assert [one.name for one in main_objects(schemas, None)] == ["A", "B"]


def test_names_of_the_schema_and_of_the_wire_are_found(accounts: Described) -> None:
    found = accounts.attribute(accounts.main, "authenticate")
    assert found is not None
    assert (found.owner, found.wire, found.doc) == (
        "PublicApi", "authenticate", "Sign in. A token that is not valid is refused with an error.",
    )  # fmt: skip
    assert accounts.attribute(accounts.main, "nothing") is None
    assert accounts.attributes(UNKNOWN) == {}
