"""The back end `openrpc`: one document of OpenRPC for each interface.

Rule: OpenRPC knows neither capabilities nor streams. Where one is given, the document says so under `x-capnweb-`
keywords, and names the document of the interface. `methods` makes the methods, `dialect` puts schemas into draft 7.
"""

from __future__ import annotations

import posixpath
from pathlib import PurePosixPath
from typing import Any, Literal

from capnweb_gen import graph, ir, naming
from capnweb_gen.backends.json_schema.definitions import Definitions, described
from capnweb_gen.backends.json_text import document
from capnweb_gen.backends.openrpc.dialect import draft_7
from capnweb_gen.backends.openrpc.methods import method

VERSIONS = {"1.3": "1.3.2", "1.4": "1.4.1"}


def generate(
    schemas: tuple[ir.Schema, ...],
    command: str,
    /,
    *,
    spec: Literal["1.3", "1.4"] = "1.3",
    api_version: str = "0.0.0",
) -> dict[str, str]:
    """Make the documents.

    Args:
        schemas: all schemas of the run.
        command: what a reader should run instead of editing a file.
        spec: the version of the specification; most tools know 1.3.
        api_version: the version of what is described, which every document has to have.
    """
    peers = graph.by_module(schemas)
    return {
        path_of(schema, interface.name): document(
            {
                "openrpc": VERSIONS[spec],
                "x-generated": naming.notice(schema.path, command),
                "info": {"title": interface.name, **_info(interface), "version": api_version},
                **_Document(schema, peers).members(interface),
            }
        )
        for schema in schemas
        for interface in schema.interfaces
    }


def path_of(schema: ir.Schema, interface: str) -> str:
    """The path of the document of an interface: `shop/users.py` → `shop/users.UserApi.openrpc.json`."""
    return PurePosixPath(schema.output).with_suffix(f".{interface}.openrpc.json").as_posix()


def _info(interface: ir.Interface) -> dict[str, str]:
    told = described(interface.doc, interface.deprecated)
    return {"description": told["description"]} if told else {}


class _Document:
    """The document of one interface."""

    def __init__(self, schema: ir.Schema, peers: graph.Peers) -> None:
        self._schema = schema
        self._peers = peers
        self._definitions = Definitions(schema, peers, "#/components/schemas/", lambda other: None, self._named)

    def members(self, interface: ir.Interface) -> dict[str, object]:
        """What a document has beside its head: methods, those that are inherited included, and what they refer to."""
        made: dict[str, dict[str, Any]] = {}
        for declared, namer in graph.lineage(interface, self._schema, self._peers):
            for member in declared.members:
                if member.name not in made:
                    made[member.name] = method(member, namer, self._definitions)
        methods = [{**one, **_in_dialect(one)} for one in made.values()]
        schemas = {name: draft_7(schema) for name, schema in self._definitions.made.items()}
        return {"methods": methods, **({"components": {"schemas": schemas}} if schemas else {})}

    def _named(self, interface: ir.Reference) -> str:
        """The document of another interface, as seen from this one; its name, if this run does not describe it."""
        home = self._peers.get(interface.module)
        if home is None or graph.find_interface(interface, self._peers) is None:
            return f"{interface.module}.{interface.name}"
        folder = posixpath.dirname(path_of(self._schema, "X"))
        return posixpath.relpath(path_of(home, interface.name), folder or ".")


def _in_dialect(method: dict[str, Any]) -> dict[str, Any]:
    parameters = [{**one, "schema": draft_7(one["schema"])} for one in method["params"]]
    return {"params": parameters, "result": {**method["result"], "schema": draft_7(method["result"]["schema"])}}
