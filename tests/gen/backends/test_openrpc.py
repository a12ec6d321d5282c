"""Documents of OpenRPC: they are valid, complete, and refer to each other."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import Any

import pytest

from capnweb_gen import graph, ir
from capnweb_gen.backends.openrpc import VERSIONS, path_of
from capnweb_gen.frontends.ir_json import read_ir
from capnweb_runtime import codegen_api as rpc
from tests.gen.backends.documents import GOLDEN_IR, made, openrpc_faults, references, value_faults
from tests.gen.conftest import Write
from tests.gen.golden_cases import GOLDEN
from tests.runtime.codec_ends import encode

NAMES = [path.parent.name for path in GOLDEN_IR]


@pytest.mark.parametrize("spec", VERSIONS)
@pytest.mark.parametrize("path", GOLDEN_IR, ids=NAMES)
def test_documents_of_every_golden_case_are_valid(path: Path, spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for document in made("openrpc", path, monkeypatch, spec=spec, api_version="2.1.0").values():
        assert openrpc_faults(document, spec) == []
        assert (document["openrpc"], document["info"]["version"]) == (VERSIONS[spec], "2.1.0")


def test_a_document_of_another_version_is_not_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    (document,) = made("openrpc", GOLDEN / "parameters" / "ir.json", monkeypatch).values()
    assert openrpc_faults(document, "1.4") == ["$.openrpc: '1.3.2' does not match '^1\\\\.4\\\\.\\\\d+$'"]


@pytest.mark.parametrize("path", GOLDEN_IR, ids=NAMES)
def test_there_is_a_document_for_each_interface_with_all_of_its_members(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = made("openrpc", path, monkeypatch)
    schemas, _ = read_ir([path])
    peers = graph.by_module(schemas)
    assert len(documents) == sum(len(schema.interfaces) for schema in schemas)
    for schema in schemas:
        for interface in schema.interfaces:
            methods = [method["name"] for method in documents[path_of(schema, interface.name)]["methods"]]
            members = graph.all_members(interface, peers).values()
            assert sorted(methods) == sorted(
                f"get:{member.wire}" if isinstance(member, ir.Property) else member.wire for member in members
            )


@pytest.mark.parametrize("path", GOLDEN_IR, ids=NAMES)
def test_what_documents_refer_to_is_there(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = made("openrpc", path, monkeypatch)
    for name, document in documents.items():
        defined = document.get("components", {}).get("schemas", {})
        assert {reference.removeprefix("#/components/schemas/") for reference in references(document)} <= defined.keys()
        for other in interfaces(document):
            assert posixpath.normpath(posixpath.join(posixpath.dirname(name), other)) in documents


@pytest.mark.parametrize("path", GOLDEN_IR, ids=NAMES)
def test_nothing_stands_beside_a_reference_where_nobody_looks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for document in made("openrpc", path, monkeypatch).values():
        for node in nodes(document):
            assert "$ref" not in node or len(node) == 1
            assert "prefixItems" not in node


def nodes(node: Any) -> list[dict[str, Any]]:
    """Every object in a document."""
    if isinstance(node, list):
        return [found for item in node for found in nodes(item)]
    return [node, *(found for value in node.values() for found in nodes(value))] if isinstance(node, dict) else []


def interfaces(node: Any) -> list[str]:
    """The documents of interfaces that a document names."""
    if isinstance(node, list):
        return [found for item in node for found in interfaces(item)]
    if not isinstance(node, dict):
        return []
    return [
        *(value for key, value in node.items() if key == "x-capnweb-interface"),
        *(found for value in node.values() for found in interfaces(value)),
    ]


@pytest.mark.parametrize("path", GOLDEN_IR, ids=NAMES)
def test_parameters_have_names_of_their_own_and_required_ones_come_first(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for document in made("openrpc", path, monkeypatch).values():
        for method in document["methods"]:
            names = [parameter["name"] for parameter in method["params"]]
            required = [parameter["required"] for parameter in method["params"]]
            assert len(set(names)) == len(names)
            assert required == sorted(required, reverse=True)
            assert method["paramStructure"] == "by-position"


# ---- single members


def method_of(document: Any, name: str) -> Any:
    return next(method for method in document["methods"] if method["name"] == name)


@pytest.fixture
def search(monkeypatch: pytest.MonkeyPatch) -> Any:
    (document,) = made("openrpc", GOLDEN / "parameters" / "ir.json", monkeypatch).values()
    return document


def test_keywords_are_one_object_at_the_end(search: Any) -> None:
    query, limit, keywords = method_of(search, "find")["params"]
    assert (query["required"], limit["required"], limit["schema"]["default"]) == (True, False, 50)
    assert (keywords["name"], keywords["required"], keywords["x-capnweb-keywords"]) == ("keywords", False, True)
    assert keywords["schema"]["properties"]["exact"] == {"type": "boolean", "default": False}


def test_variadic_arguments_are_told_and_packed_where_keywords_follow(search: Any) -> None:
    (numbers,) = method_of(search, "any_number")["params"]
    assert (numbers["required"], numbers["x-capnweb-variadic"]) == (False, True)
    _, values, _ = method_of(search, "keywords_last")["params"]
    assert values["schema"]["items"] == [{"type": "array", "items": {"type": "string"}}]


def test_what_comes_before_a_required_keyword_may_be_undefined(project: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project(
        {
            "o1/__init__.py": "",
            "o1/api.py": "from typing import Protocol\nclass Api(Protocol):\n"
            "    def get(self, n: bool = True, keywords: str = '', *, by: str) -> None: ...\n",
        }
    )
    ((_, document),) = made("openrpc", root / "o1/api.py", monkeypatch).items()
    n, other, keywords = method_of(document, "get")["params"]
    assert n["schema"] == {"anyOf": [{"type": "boolean"}, {"const": ["undefined"]}], "default": True}
    assert [one["required"] for one in (n, other, keywords)] == [True, True, True]
    assert (keywords["name"], keywords["schema"]["required"]) == ("keywords_", ["by"])
    assert openrpc_faults(document, "1.3") == []


def test_deprecations_and_descriptions_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = made("openrpc", GOLDEN / "deprecated" / "ir.json", monkeypatch)
    store = documents["schema.Store.openrpc.json"]
    title = method_of(store, "get:title")
    assert (title["summary"], title["description"], title["deprecated"]) == ("The title.", "Deprecated: use name", True)
    assert method_of(store, "google")["description"].startswith("Find names.\n\nArgs:\n")
    assert documents["schema.Shop.openrpc.json"]["info"]["description"] == "The shop of old.\n\nDeprecated: use Store"


def test_exceptions_are_named_with_their_form(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = made("openrpc", GOLDEN / "raises" / "ir.json", monkeypatch)
    raising = [method for one in documents.values() for method in one["methods"] if "x-capnweb-raises" in method]
    assert raising
    for document in documents.values():
        for method in document["methods"]:
            for reference in method.get("x-capnweb-raises", []):
                form = document["components"]["schemas"][reference["$ref"].rpartition("/")[2]]
                assert form["items"][0] == {"const": "error"}


def test_costs_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = made("openrpc", GOLDEN / "costs" / "ir.json", monkeypatch)
    (document,) = (document for path, document in documents.items() if "Search" in path)
    find, names, follow = (method_of(document, name) for name in ("find", "get:names", "follow"))
    assert (find["x-capnweb-cost"], find["x-capnweb-items"]) == (25, 20)
    assert (names["x-capnweb-cost"], names["x-capnweb-items"]) == (3, 2)
    assert not {"x-capnweb-cost", "x-capnweb-items"} & follow.keys()


def test_members_that_are_inherited_name_what_their_own_schema_names(
    project: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = "from typing import Protocol\nfrom dataclasses import dataclass\n"
    item = "@dataclass\nclass Item:\n    {field}: int\nclass Api(Protocol):\n    def get(self) -> Item: ...\n"
    inherits = "from typing import Protocol\nfrom . import {base}\nclass Own({base}.Api, Protocol): ...\n"
    root = project(
        {
            "o2/__init__.py": "",
            "o2/a.py": head + item.format(field="one"),
            "o2/b.py": head + item.format(field="two"),
            "o2/c.py": inherits.format(base="a"),
            "o2/d.py": inherits.format(base="b"),
        }
    )
    documents = made("openrpc", root / "o2", monkeypatch)
    for name, field in (("c", "one"), ("d", "two")):
        assert list(documents[f"{name}.Own.openrpc.json"]["components"]["schemas"]["Item"]["properties"]) == [field]


def test_arguments_that_are_sent_are_what_parameters_say(search: Any) -> None:
    (limit,) = (one for one in method_of(search, "find")["params"] if one["name"] == "limit")
    document = {**search, "components": {"schemas": {**search["components"]["schemas"], "Limit": limit["schema"]}}}
    for value in (0, -(2**53) + 1, 2**53, -(2**80)):
        wire = encode(rpc.INT, value)
        assert value_faults(wire, "d.json#/components/schemas/Limit", {"d.json": document}, draft_7=True) == []
    assert value_faults("1", "d.json#/components/schemas/Limit", {"d.json": document}, draft_7=True)
