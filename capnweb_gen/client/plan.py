"""What is to be asked for, step by step: names as they are on the wire, arguments as they travel.

Rule: a plan is made, or refused, before anything is sent. Asking for it takes one round trip, whatever is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from capnweb_gen import ir
from capnweb_gen.client.described import UNKNOWN, Attribute, Described, Part, Type
from capnweb_gen.client.expression import Attribute as Named
from capnweb_gen.client.expression import Call, Chain, Constant, ExpressionError, Item, Node, Span
from capnweb_gen.client.literals import Literals, listed, meant, plain
from capnweb_gen.client.spelled import signature, type_text
from capnweb_runtime.values import UNDEFINED


@dataclass(frozen=True)
class Arguments:
    """A call with these arguments. There may be plans in them, also inside of lists and dicts."""

    values: tuple[object, ...]


@dataclass(frozen=True)
class Plan:
    """What is to be asked for.

    Attributes:
        root: what it is asked of: the name of a variable; empty for the main object.
        steps: names on the wire, keys and indices, and calls.
        kind: the type of the result.
        member: the method that it leads to, if it is not called.
    """

    root: str
    steps: tuple[str | int | Arguments, ...]
    kind: Type
    member: Attribute | None = None


class Planner:
    """Makes plans.

    Args:
        described: what is said of the server; None if nothing is known of it.
        variables: names for earlier results, and the types of these.

    Attributes:
        warnings: what there is to say of the plans that were made.
    """

    def __init__(self, described: Described | None, variables: Mapping[str, Type] | None = None) -> None:
        self._described = described or Described((), ())
        self._typed = described is not None
        self._variables = variables or {}
        self._literals = Literals(self._described, self._inner)
        self.warnings: list[str] = []

    def plan(self, node: Node) -> Plan:
        """The plan for what was typed.

        Raises:
            ExpressionError: it cannot be asked for.
        """
        plan = self.lookup(node)
        if plan.member is not None and isinstance(node, Chain):
            method = plan.member.method
            hint = f"call it: {signature(method)}" if method else ""
            last = node.steps[-1].span if node.steps else node.named
            raise ExpressionError(f"{plan.member.name} is a method", last, hint)
        return plan

    def lookup(self, node: Node) -> Plan:
        """The same, also for a method that is not called."""
        if not isinstance(node, Chain):
            raise ExpressionError("this is a literal, of which nothing can be asked", node.span, "begin with a name")
        walk = _Walk(self, node)
        return walk.whole()

    def _inner(self, chain: Chain) -> object:
        return self.plan(chain)

    # ---- for each step

    def start(self, chain: Chain) -> tuple[str, Type, Named | None]:
        """What a chain begins with: the variable, or none and the member of the main object; and the type."""
        if chain.name in self._variables:
            return chain.name, self._variables[chain.name], None
        main = self._described.main
        if self._typed and self._described.attribute(main, chain.name) is None:
            known = [*self._described.attributes(main), *self._variables]
            owner = " and ".join(one.name for one in self._described.interfaces(main))
            hint = meant(chain.name, known) or f"there is {listed(known)}"
            raise ExpressionError(f"{owner} has no {chain.name!r}", chain.named, hint)
        return "", main, Named(chain.name, chain.named)

    def attribute(self, kind: Type, step: Named) -> Attribute:
        """What goes by a name. Raises ExpressionError if nothing does."""
        found = self._described.attribute(kind, step.name)
        if found is None:
            known = self._described.attributes(kind)
            what = " or ".join(dict.fromkeys(type_text(part.shape) for part in kind))
            hint = meant(step.name, known) or (f"it has {listed(known)}" if known else _instead(kind))
            raise ExpressionError(f"{what} has no {step.name!r}", step.span, hint)
        if found.deprecated is not None:
            self.warnings.append(f"{found.owner}.{found.name} is deprecated: {found.deprecated}")
        return found

    def results(self, part: Part) -> Type:
        """A type, as alternatives."""
        return self._described.alternatives(part)

    def item(self, kind: Type, step: Item) -> tuple[str | int, Type]:
        """An item: its key on the wire, and its type. Raises ExpressionError if there are none."""
        for part in kind:
            match part.shape:
                case ir.ListShape(item=item) | ir.CollectionShape(item=item) if isinstance(step.key, int):
                    return step.key, self.results(Part(item, part.schema))
                case ir.TupleShape(items=items) if isinstance(step.key, int) and step.key < len(items):
                    return step.key, self.results(Part(items[step.key], part.schema))
                case ir.TupleShape(items=items) if isinstance(step.key, int):
                    raise ExpressionError(f"there are {len(items)} items, counted from 0", step.span)
                case ir.DictShape(key=key, value=value):
                    self._literals.fit(Constant(step.key, step.span), Part(key, part.schema), "the key")
                    return str(step.key), self.results(Part(value, part.schema))
                case _:
                    pass
        what = " or ".join(dict.fromkeys(type_text(part.shape) for part in kind))
        raise ExpressionError(f"{what} has no item {step.key!r}", step.span, _instead(kind))

    def called(self, kind: Type, name: str, call: Call) -> tuple[Arguments, Type]:
        """A call of what has a type of functions."""
        for part in kind:
            callback = self._described.callback(part)
            if callback is not None:
                home = self._described.home(part)
                return self.arguments(callback.call, home, name, call), self.results(Part(callback.call.result, home))
            if isinstance(part.shape, ir.CallableShape):
                method = _method_of(part.shape)
                schema = part.schema
                return self.arguments(method, schema, name, call), self.results(Part(method.result, schema))
        what = " or ".join(dict.fromkeys(type_text(part.shape) for part in kind))
        raise ExpressionError(f"{name} is no method, but {what}", call.span, "leave out the parentheses")

    def untyped(self, call: Call) -> Arguments:
        """Arguments that no schema describes."""
        if call.keywords:
            name, span, _ = call.keywords[0]
            hint = "give it by position"
            raise ExpressionError(f"no schema says which parameter {name!r} is", span, hint)
        return Arguments(tuple(plain(node, self._inner) for node in call.arguments))

    def arguments(self, method: ir.Method, schema: ir.Schema, name: str, call: Call) -> Arguments:
        """The arguments of a call, compared with what is declared."""
        positional = [one for one in method.parameters if one.passing in ("positional_only", "positional")]
        variadic = next((one for one in method.parameters if one.passing == "variadic"), None)
        keyword = [one for one in method.parameters if one.passing == "keyword"]
        given = dict(zip((one.name for one in positional), call.arguments, strict=False))
        rest = call.arguments[len(positional) :]
        if rest and variadic is None:
            takes = f"{len(positional)} argument{'' if len(positional) == 1 else 's'}"
            raise ExpressionError(f"{name} takes {takes}", rest[0].span, f"it is {signature(method, name)}")
        for key, span, node in call.keywords:
            named = [one for one in (*positional, *keyword) if one.passing != "positional_only"]
            found = next((one for one in named if key in (one.name, one.wire)), None)
            if found is None or found.name in given:
                message = f"{name} has no parameter {key!r}" if found is None else f"{key} is given twice"
                hint = meant(key, [one.name for one in named]) or f"it is {signature(method, name)}"
                raise ExpressionError(message, span, hint)
            given[found.name] = node
        missing = [one.name for one in (*positional, *keyword) if one.name not in given and one.default is None]
        if missing:
            end = Span(max(call.span.end - 1, call.span.start), call.span.end)
            raise ExpressionError(f"{name} lacks {', '.join(missing)}", end, f"it is {signature(method, name)}")

        def fit(parameter: ir.Parameter, node: Node) -> object:
            return self._literals.fit(node, Part(parameter.type, schema), parameter.name)

        values = [fit(one, given[one.name]) if one.name in given else UNDEFINED for one in positional]
        spread = [] if variadic is None else [fit(variadic, node) for node in rest]
        last = {one.wire: fit(one, given[one.name]) for one in keyword if one.name in given}
        return Arguments(_as_sent(values, spread, last, bool(keyword), sum(one.default is None for one in positional)))


class _Walk:
    """The way along a chain."""

    def __init__(self, planner: Planner, chain: Chain) -> None:
        self._planner = planner
        self._chain = chain
        self._steps: list[str | int | Arguments] = []
        self._kind: Type = UNKNOWN
        self._known = True
        self._pending: Attribute | None = None
        self._name = chain.name

    def whole(self) -> Plan:
        """Goes all the way."""
        root, self._kind, first = self._planner.start(self._chain)
        for step in (*([] if first is None else [first]), *self._chain.steps):
            if self._pending is not None and not isinstance(step, Call):
                method = self._pending.method
                hint = f"call it: {signature(method)}" if method else ""
                raise ExpressionError(f"{self._pending.name} is a method", step.span, hint)
            match step:
                case Named():
                    self._name_step(step)
                case Item():
                    self._item_step(step)
                case Call():
                    self._call_step(step)
        return Plan(root, tuple(self._steps), self._kind, self._pending)

    def _name_step(self, step: Named) -> None:
        self._name = step.name
        if not self._kind:
            self._steps.append(step.name)
            return
        found = self._planner.attribute(self._kind, step)
        self._steps.append(found.wire)
        self._kind = self._planner.results(found.part)
        self._pending = found if found.method is not None else None

    def _item_step(self, step: Item) -> None:
        if not self._kind:
            self._steps.append(step.key)
            return
        key, self._kind = self._planner.item(self._kind, step)
        self._steps.append(key)

    def _call_step(self, step: Call) -> None:
        pending, self._pending = self._pending, None
        if pending is not None and pending.method is not None:
            self._steps.append(self._planner.arguments(pending.method, pending.part.schema, pending.name, step))
        elif not self._kind:
            self._steps.append(self._planner.untyped(step))
        else:
            arguments, self._kind = self._planner.called(self._kind, self._name, step)
            self._steps.append(arguments)


def _as_sent(
    values: list[object], spread: list[object], last: dict[str, object], has_keywords: bool, required: int
) -> tuple[object, ...]:
    """Arguments in the order in which they travel: see docs/types.md, how signatures do."""
    if last:
        return (*values, spread, last) if spread else (*values, last)
    if spread:
        return (*values, spread) if has_keywords else (*values, *spread)
    while values and values[-1] is UNDEFINED:
        values.pop()
    if has_keywords and len(values) > required and isinstance(values[-1], dict):
        values.append({})  # or else the last one would be taken for them
    return tuple(values)


def _method_of(shape: ir.CallableShape) -> ir.Method:
    """A plain function as a method whose parameters have made up names."""
    start = ir.Position(line=1, column=1)
    names = [f"argument_{number}" for number, _ in enumerate(shape.parameters, 1)]
    parameters = [
        ir.Parameter(name=name, wire=name, passing="positional_only", type=one, position=start)
        for name, one in zip(names, shape.parameters, strict=True)
    ]
    return ir.Method(name="call", wire="", parameters=tuple(parameters), result=shape.result, position=start)


def _instead(kind: Type) -> str:
    """What can be done with a value of which something else was asked."""
    for part in kind:
        match part.shape:
            case ir.ListShape() | ir.CollectionShape() | ir.TupleShape():
                return "ask for an item: [0]"
            case ir.DictShape():
                return "ask for an item: ['key']"
            case ir.StreamShape():
                return "a stream can only be read: leave out what stands behind it"
            case ir.InterfaceShape() | ir.ModelShape():
                return "ask by name"
            case _:
                pass
    return "it has no parts"
