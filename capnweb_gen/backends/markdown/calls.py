"""Calls for examples, in Python and in TypeScript. Rule: what has to be passed is, and nothing else."""

from __future__ import annotations

import json
import re

from capnweb_gen import graph, ir, naming
from capnweb_gen.backends.markdown.samples import Sample, Samples, variable


def calls(interface: str, member: ir.Method | ir.Property, namer: ir.Schema, peers: graph.Peers) -> tuple[str, str]:
    """How a member is used. Both are empty if no value is known for a parameter.

    Args:
        interface: the name of the interface.
        member: of it.
        namer: the schema that declares the member.
        peers: all schemas of the run, by module.
    """
    stub = naming.snake(interface)
    stub = stub if naming.is_name(stub) else f"{stub}_"
    here, there = f"{stub}.{member.name}", f"{variable(stub)}{_access(member.wire)}"
    if isinstance(member, ir.Property):
        return f"value = await {here}", f"const value = await {there};"
    samples = Samples(namer, peers)
    needed = [one for one in member.parameters if one.default is None and one.passing != "variadic"]
    values = [(one, samples.of(one.type, one.name)) for one in needed]
    found = [(one, value) for one, value in values if value is not None]
    if len(found) < len(values):
        return "", ""
    return _python(here, member, found), _typescript(there, member, found)


def _python(called: str, method: ir.Method, values: list[tuple[ir.Parameter, Sample]]) -> str:
    arguments = ", ".join(
        f"{one.name}={value.python}" if one.passing == "keyword" else value.python for one, value in values
    )
    if isinstance(method.result, ir.StreamShape):
        return f"async for item in {called}({arguments}):\n    ..."
    return f"{'' if _is_none(method.result) else 'result = '}await {called}({arguments})"


def _typescript(called: str, method: ir.Method, values: list[tuple[ir.Parameter, Sample]]) -> str:
    positional = [value.typescript for one, value in values if one.passing != "keyword"]
    keywords = [f"{_key(one.wire)}: {value.typescript}" for one, value in values if one.passing == "keyword"]
    if keywords:
        left_out = sum(one.passing in ("positional", "positional_only") for one in method.parameters) - len(positional)
        variadic = ["[]"] if any(one.passing == "variadic" for one in method.parameters) else []
        positional += [*["undefined"] * left_out, *variadic, f"{{ {', '.join(keywords)} }}"]
    return f"{'' if _is_none(method.result) else 'const result = '}await {called}({', '.join(positional)});"


def _is_none(shape: ir.TypeShape) -> bool:
    return isinstance(shape, ir.Scalar) and shape.name == "none"


def _is_identifier(name: str) -> bool:
    return re.fullmatch(r"[A-Za-z_$][\w$]*", name, re.ASCII) is not None


def _access(name: str) -> str:
    return f".{name}" if _is_identifier(name) else f"[{json.dumps(name, ensure_ascii=False)}]"


def _key(name: str) -> str:
    return name if _is_identifier(name) else json.dumps(name, ensure_ascii=False)
