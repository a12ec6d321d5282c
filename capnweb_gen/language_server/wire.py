"""What calls and values look like on the wire, as messages that could be sent.

Rule: the shortest value of each type, from those that references of schemas show. Ids are those of a session that has
just begun: the main object is 0, and the call is 1.
"""

from __future__ import annotations

import json
from typing import Any

from capnweb_gen import graph, ir
from capnweb_gen.backends.markdown.samples import Samples

_UNKNOWN = "…"


class Wire:
    """Messages about the members of one schema.

    Args:
        schema: the schema that declares them.
        peers: all schemas, by module.
    """

    def __init__(self, schema: ir.Schema, peers: graph.Peers) -> None:
        self._samples = Samples(schema, peers)

    def value(self, shape: ir.TypeShape) -> str:
        """A value of a type."""
        return _json(self._value(shape))

    def model(self, model: ir.Model | ir.Error) -> str | None:
        """An instance of a model, or an exception; None if there is no value for one of its fields."""
        if isinstance(model, ir.Error):
            fields = {one.wire: self._value(one.type) for one in model.fields if one.wire != "message"}
            return _json(["error", model.wire, "message", None, fields] if fields else ["error", model.wire, "message"])
        sample = self._samples.model(ir.Reference(module=model.module, name=model.name))
        return _json(sample.wire) if sample else None

    def messages(self, member: ir.Method | ir.Property) -> list[str]:
        """Using a member of the main object, and the answer."""
        if isinstance(member, ir.Property):
            return self._asked([member.wire], None, member.type)
        return self._asked([member.wire], self._arguments(member), member.result)

    def _asked(self, path: list[str], arguments: list[Any] | None, result: ir.TypeShape) -> list[str]:
        called = ["pipeline", 0, path] if arguments is None else ["pipeline", 0, path, arguments]
        value = ["writable", -1] if isinstance(result, ir.WritableShape) else self._value(result)
        return [_json(["push", called]), _json(["pull", 1]), _json(["resolve", 1, value])]

    def _arguments(self, method: ir.Method) -> list[Any]:
        arguments: list[Any] = []
        keywords: dict[str, Any] = {}
        has_keywords = any(one.passing == "keyword" for one in method.parameters)
        for one in method.parameters:
            value = self._value(one.type)
            if one.passing == "keyword":
                keywords[one.wire] = value
            else:
                arguments.append([[value]] if one.passing == "variadic" and has_keywords else value)
        return [*arguments, keywords] if keywords else arguments

    def _value(self, shape: ir.TypeShape) -> Any:
        sample = self._samples.of(shape)
        return sample.wire if sample else _UNKNOWN


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
