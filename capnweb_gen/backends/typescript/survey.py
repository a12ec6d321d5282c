"""What the files of one run have to know of each other, found out once for all of them.

Rule: an enum or a NewType is declared by the file of the schema whose module declares it, whoever uses it; one that no
schema declares, by each file that uses it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from capnweb_gen import graph, ir

Named = ir.EnumShape | ir.NewTypeShape


@dataclass(frozen=True)
class Survey:
    """All schemas of a run.

    Attributes:
        peers: them, by module.
        named: the enums and NewTypes that each file declares, by module. Enums have all members that are seen.
        tags: the fields that tell the models of unions apart, by model and name on the wire.
    """

    peers: graph.Peers
    named: dict[str, tuple[Named, ...]]
    tags: frozenset[tuple[ir.Reference, str]]


def survey(schemas: tuple[ir.Schema, ...]) -> Survey:
    """Look at all schemas of a run. Their order is that of their outputs, so that it changes nothing."""
    peers = graph.by_module(tuple(sorted(schemas, key=lambda schema: schema.output)))
    tags: set[tuple[ir.Reference, str]] = set()
    seen: list[tuple[bool, str, Named]] = []  # whether another schema names it, and which declares it
    for schema in peers.values():
        for shape in _types(schema):
            if isinstance(shape, ir.UnionShape):
                tags.update(_tags(shape, schema, peers))
            elif isinstance(shape, Named):
                home = named_by(shape).module if named_by(shape).module in peers else schema.module
                seen.append((home != schema.module, home, shape))
    named: dict[str, dict[ir.Reference, Named]] = {module: {} for module in peers}
    for _, home, shape in sorted(seen, key=lambda one: one[0]):
        named[home][named_by(shape)] = _fuller(named[home].get(named_by(shape)), shape)
    return Survey(peers, {module: tuple(found.values()) for module, found in named.items()}, frozenset(tags))


def named_by(shape: Named) -> ir.Reference:
    """Where an enum or a NewType is declared."""
    return shape.enum if isinstance(shape, ir.EnumShape) else shape.new_type


def _types(schema: ir.Schema) -> Iterator[ir.TypeShape]:
    for written in ir.schema_types(schema):
        yield from ir.walk(written)


def _tags(union: ir.UnionShape, schema: ir.Schema, peers: graph.Peers) -> Iterator[tuple[ir.Reference, str]]:
    models = [member.model for member in union.members if isinstance(member, ir.ModelShape)]
    found = graph.tags(union, schema, peers) if len(models) > 1 else None
    if found:
        yield from ((model, found[0]) for model in models)


def _fuller(known: Named | None, shape: Named) -> Named:
    """Of an enum, all members that are seen; one that is allowed whole has them all."""
    if not isinstance(known, ir.EnumShape) or not isinstance(shape, ir.EnumShape):
        return shape
    if known.partial != shape.partial:
        return shape if known.partial else known
    missing = tuple(member for member in shape.members if member not in known.members)
    return known.model_copy(update={"members": (*known.members, *missing)})
