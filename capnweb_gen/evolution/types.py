"""Two versions of one type: which values are new, which are gone, and what travels in another form.

Rule: what matters is who sends and who reads. The one who reads must know all that the other may send.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from capnweb_gen import graph, ir
from capnweb_gen.client.spelled import type_text
from capnweb_gen.evolution.effects import BREAKS, CHECKED_IF_USED, SAFE, WARNS, Effects
from capnweb_gen.evolution.findings import Findings, Where
from capnweb_gen.evolution.forms import (
    BY_REFERENCE,
    SAFE_INTEGER,
    Form,
    Forms,
    Values,
    excludes,
    fits_json,
    forms_of,
    is_json,
    loosened,
    reach,
    tightened,
)
from capnweb_gen.evolution.rules import BY_ID
from capnweb_gen.evolution.sides import Owned, Part, Place, Side
from capnweb_gen.evolution.work import Functions, Interfaces, Models, Work

_OF_THAT_NAME = "it is another type of that name"
_NOWHERE = ir.Position(line=1, column=1)


class Types:
    """Compares types.

    Args:
        old: the version of then.
        new: that of now.
        pairs: which interface of now is which of then.
        findings: told what is found.
        work: told what is to be compared besides.
    """

    def __init__(
        self, old: Side, new: Side, pairs: Mapping[ir.Reference, ir.Reference], findings: Findings, work: Work
    ) -> None:
        self._old = old
        self._new = new
        self._pairs = pairs
        self._found = findings
        self._work = work

    def compare(self, old: Part, new: Part, where: Where) -> None:
        """Compare two types of what goes one way."""
        before, after = forms_of(old, self._old), forms_of(new, self._new)
        texts = type_text(old.shape), type_text(new.shape)
        change = f"it was {texts[0]}, and is {texts[1]}" if texts[0] != texts[1] else ""
        if "anything" in before.told | after.told:
            self._compare_anything(old, new, before, after, where, change)
            return
        common = before.told & after.told
        if not common and not {"null"} & before.by_form.keys() & after.by_form.keys():
            self._other(before, after, where, change)
            return
        lost = any(self._lost(form, before.by_form[form], after.by_form[form]) for form in common)
        if lost:
            self._found.add("representation-changed", where, change or _OF_THAT_NAME)
            return
        self._compare_values(before, after, where, change)
        if before.names != after.names:
            self._named(before, after, where)

    def _compare_anything(self, old: Part, new: Part, before: Forms, after: Forms, where: Where, change: str) -> None:
        """One of two types is any value, or any of JSON."""
        if old.shape == new.shape:
            return
        if is_json(old) or is_json(new):
            other, side = (new, self._new) if is_json(old) else (old, self._old)
            if not fits_json(other, side) and other.shape != ir.Scalar(name="any"):
                self._found.add("representation-changed", where, change)
                return
        wider = "anything" in after.told and not (is_json(new) and "anything" in before.told)
        self._grown(where, change, before, after, wider=wider, known=False)

    def _other(self, before: Forms, after: Forms, where: Where, change: str) -> None:
        """Two types have nothing in common. A union that is open takes the other for what it does not know."""
        by_reference = (before.told | after.told) & BY_REFERENCE
        old_reads, new_reads = (SAFE if forms.open == "members" else BREAKS for forms in (before, after))
        # What goes up is read by servers: what an old client sends, by a new one.
        effects = Effects(new_reads, old_reads) if where.up else Effects(old_reads, new_reads)
        rule = "capability-changed" if by_reference else "representation-changed"
        self._found.add(rule, where, change or _OF_THAT_NAME, replace(effects, code=True))

    def _lost(self, form: Form, old: Values, new: Values) -> bool:
        """Whether two types have one form, and nothing else in common."""
        kinds = {type(part.shape) for part in old.parts}, {type(part.shape) for part in new.parts}
        one_tuple = form == "array" and (ir.TupleShape in kinds[0]) != (ir.TupleShape in kinds[1])
        lengths = [len(part.shape.items) for part in (*old.parts, *new.parts) if isinstance(part.shape, ir.TupleShape)]
        one_dict = form == "object" and not kinds[0] & kinds[1]
        return one_tuple or one_dict or len(set(lengths)) > 1 or not old.meets(form, new)

    def _compare_values(self, before: Forms, after: Forms, where: Where, change: str) -> None:
        wider = bool(after.by_form.keys() - before.by_form.keys())
        narrower = bool(before.by_form.keys() - after.by_form.keys())
        for form in before.by_form.keys() & after.by_form.keys():
            old, new = before.by_form[form], after.by_form[form]
            wider = wider or not old.covers(form, new) or _beyond(old, new, more=True)
            narrower = narrower or not new.covers(form, old) or _beyond(new, old, more=False)
            more, fewer = self._compare_parts(form, old, new, where, change)
            wider, narrower = wider or more, narrower or fewer
            if form == "number":
                self._compare_size(old, new, where)
        if wider:
            self._grown(where, change, before, after, wider=True)
        if narrower:
            self._grown(where, change, before, after, wider=False)
        if bool(before.open) != bool(after.open) and not wider and not narrower:
            self._opened(where, change, opened=bool(after.open))

    # ---- what is told

    def _grown(
        self, where: Where, change: str, before: Forms, after: Forms, *, wider: bool, known: bool = True
    ) -> None:
        """A type has more values than it had, or fewer. `known` tells that an open type takes these."""
        # Who reads what is gone is one of now; who reads what is new is one of then.
        reader, side, sender, others = (
            (before, self._old, after, self._new) if wider else (after, self._new, before, self._old)
        )
        effects = None
        if known and _takes(reader, side, sender, others):
            effects = Effects(SAFE, SAFE, code=wider and not where.up)
        rule = f"{'parameter' if where.up else 'result'}-{'widened' if wider else 'narrowed'}"
        message = _difference(before, after, wider=wider) or change
        self._found.add(rule, where, message or f"{'more' if wider else 'fewer'} values are allowed", effects)

    def _opened(self, where: Where, change: str, *, opened: bool) -> None:
        """The values are the same, and what is not known is kept now, or refused."""
        if opened:
            effects = Effects(SAFE, CHECKED_IF_USED) if where.up else Effects(SAFE, SAFE, code=True)
        else:
            effects = Effects(WARNS, SAFE, code=True) if where.up else Effects(SAFE, WARNS)
        rule = f"{'parameter' if where.up else 'result'}-{'widened' if opened else 'narrowed'}"
        self._found.add(rule, where, change, effects)

    def _compare_size(self, old: Values, new: Values, where: Where) -> None:
        if "int" not in old.kinds or "int" not in new.kinds:
            return
        before, after = reach(old.limits), reach(new.limits)
        if ("float" in old.kinds) != ("float" in new.kinds):
            large = before if "float" in new.kinds else after
            if large is None or large > SAFE_INTEGER:
                self._found.add("integer-size-changed", where, "an integer beyond 2**53 is no float on the wire")
            return
        was_small, is_small = (at is not None and at <= SAFE_INTEGER for at in (before, after))
        if was_small and not is_small:
            self._found.add("integer-size-changed", where, "it may be beyond 2**53 now")
        elif is_small and before is not None and not was_small:
            self._found.add("integer-size-changed", where, "it may not be beyond 2**53 any more")

    def _named(self, before: Forms, after: Forms, where: Where) -> None:
        """Other names of enums and NewTypes."""
        for old, new in zip(before.names, after.names, strict=False):
            if old != new:
                self._found.add("declaration-renamed", where, f"{_full(old)} is called {_full(new)} now")

    # ---- what has parts

    def _compare_parts(self, form: Form, old: Values, new: Values, where: Where, change: str) -> tuple[bool, bool]:
        """Compares what is of one form; gives whether there is more, and whether there is less."""
        if form == "object":
            return self._compare_objects(old, new, where)
        for one, other in zip(old.parts, new.parts, strict=False):
            match form:
                case "array":
                    self._compare_arrays(one, other, where, change)
                case "stream" | "writable":
                    self._compare_streams(one, other, where)
                case _:
                    self._compare_capabilities(one, other, where, change)
        return False, False

    def _compare_arrays(self, old: Part, new: Part, where: Where, change: str) -> None:
        match old.shape, new.shape:
            case ir.TupleShape(items=before), ir.TupleShape(items=after):
                for one, other in zip(before, after, strict=True):
                    self.compare(old.inside(one), new.inside(other), where)
            case (
                (ir.ListShape(item=one) | ir.CollectionShape(item=one)),
                (ir.ListShape(item=other) | ir.CollectionShape(item=other)),
            ):
                if _container(old.shape) != _container(new.shape):
                    self._found.add("container-changed", where, change or "it is in another container")
                self.compare(old.inside(one), new.inside(other), where)
            case _:
                raise AssertionError(f"{old.shape!r} and {new.shape!r} are not both arrays")

    def _compare_streams(self, old: Part, new: Part, where: Where) -> None:
        match old.shape, new.shape:
            case ir.StreamShape(item=one), ir.StreamShape(item=other):
                self.compare(old.inside(one), new.inside(other), where)
            case ir.WritableShape(item=one), ir.WritableShape(item=other):
                back = Where(where.path, where.at, where.was, not where.up, where.under)
                self.compare(old.inside(one), new.inside(other), back)
            case _:
                raise AssertionError(f"{old.shape!r} and {new.shape!r} are not both streams")

    def _compare_objects(self, old: Values, new: Values, where: Where) -> tuple[bool, bool]:
        dicts = [[part for part in values.parts if isinstance(part.shape, ir.DictShape)] for values in (old, new)]
        for one, other in zip(*dicts, strict=False):
            if isinstance(one.shape, ir.DictShape) and isinstance(other.shape, ir.DictShape):
                self.compare(one.inside(one.shape.key), other.inside(other.shape.key), where)
                self.compare(one.inside(one.shape.value), other.inside(other.shape.value), where)
        before, after = (
            [(part, model) for part in values.parts if (model := side.model(part)) is not None]
            for values, side in ((old, self._old), (new, self._new))
        )
        pairs = list(_same_models(before, after))
        for one, other in pairs:
            self._work.add(Models(one, other, where.up, where.under))
            if one.node.name != other.node.name:
                self._found.add("declaration-renamed", where, f"{one.node.name} is called {other.node.name} now")
        return len(after) > len(pairs), len(before) > len(pairs)

    # ---- capabilities

    def _compare_capabilities(self, old: Part, new: Part, where: Where, change: str) -> None:
        match old.shape, new.shape:
            case ir.InterfaceShape(interface=one), ir.InterfaceShape(interface=other):
                self._compare_interfaces(one, other, where, change)
            case ir.StubShape(), ir.StubShape():
                pass
            case (ir.StubShape(), _) | (_, ir.StubShape()):
                is_stub = isinstance(new.shape, ir.StubShape)
                self._related(where, change, extended=not is_stub)
            case _:
                before, after = _function(old, self._old, where.was), _function(new, self._new, where.at)
                if before is None or after is None:
                    self._found.add("capability-changed", where, change or "it is another of that name")
                    return
                # One with a name is told by that, once: it may take functions of its own kind.
                called = Where(
                    _called(old.shape, new.shape) or where.path,
                    after[2] or where.at,
                    before[2],
                    where.up,
                    "callback-changed",
                )
                self._work.add(Functions(*before[:2], *after[:2], called, where.up))

    def _compare_interfaces(self, one: ir.Reference, other: ir.Reference, where: Where, change: str) -> None:
        old, new = self._old.interfaces[one], self._new.interfaces[other]
        if self._pairs.get(one) == other:
            self._work.add(Interfaces(old, new, where.up))
            return
        before, after = (
            {wire: member.kind for wire, (member, _) in side.members(owned).items()}
            for side, owned in ((self._old, old), (self._new, new))
        )
        if before.items() <= after.items() and before:
            self._related(where, change, extended=True)
        elif after.items() <= before.items() and after:
            self._related(where, change, extended=False)
        else:
            self._found.add("capability-changed", where, change or "it is another of that name")

    def _related(self, where: Where, change: str, *, extended: bool) -> None:
        """In place of a capability one is given that has more, or less."""
        if extended:
            effects = Effects(BREAKS, SAFE) if where.up else BY_ID["capability-extended"].effects
            self._found.add("capability-extended", where, change or "it has more members", effects)
        else:
            effects = Effects(SAFE, BREAKS) if where.up else BY_ID["capability-reduced"].effects
            self._found.add("capability-reduced", where, change or "it has fewer members", effects)


def _beyond(reader: Values, sender: Values, *, more: bool) -> bool:
    """Whether limits of the reader may refuse what the sender sends."""
    if not sender.kinds and not sender.parts:
        return excludes(reader.limits, (value for _, value in sender.constants))
    return loosened(reader.limits, sender.limits) if more else tightened(sender.limits, reader.limits)


def _takes(reader: Forms, side: Side, sender: Forms, others: Side) -> bool:
    """Whether the reader's type is open, and takes what it does not know of the sender's. Among models it knows one
    that it does not know by its tag.
    """
    if not reader.open or (reader.open == "constants" and reader.told != sender.told):
        return False
    models = [model.node for part in _objects(reader) if (model := side.model(part)) is not None]
    tags = [frozenset(graph.constants_of(model)) for model in models]
    known = frozenset[str].intersection(*tags) if tags else frozenset[str]()
    strange = [model.node for part in _objects(sender) if (model := others.model(part)) is not None]
    return not models or all(known & graph.constants_of(model).keys() for model in strange)


def _objects(forms: Forms) -> list[Part]:
    return forms.by_form["object"].parts if "object" in forms.by_form else []


def _difference(before: Forms, after: Forms, *, wider: bool) -> str:
    """Which single values are new, or gone; empty if that is not all."""
    more, less = (after, before) if wider else (before, after)
    gained: list[str] = []
    for form, values in more.by_form.items():
        known = less.by_form.get(form, Values())
        if form == "null" and form not in less.by_form:
            gained.append("None")
        gained += [
            repr(value)
            for kind, value in sorted(values.constants - known.constants, key=repr)
            if kind not in known.kinds
        ]
    if not gained:
        return ""
    return f"it may {'also' if wider else 'no longer'} be {' or '.join(gained)}"


def _full(reference: ir.Reference) -> str:
    return f"{reference.module}.{reference.name}"


def _container(shape: ir.TypeShape) -> str:
    return shape.container if isinstance(shape, ir.CollectionShape) else shape.kind


_KEYS: tuple[Callable[[ir.Model], object], ...] = (
    lambda model: (model.module, model.name),
    lambda model: model.name,
    lambda model: graph.constants_of(model) or model,
)
_Found = tuple[Part, Owned[ir.Model]]


def _same_models(old: list[_Found], new: list[_Found]) -> Iterator[tuple[Owned[ir.Model], Owned[ir.Model]]]:
    """The models that two types have in common: by name and module, by name, by the constant that tells them apart, or
    because there is one of each.
    """
    left_old, left_new = [model for _, model in old], [model for _, model in new]
    for key in _KEYS:
        for one in tuple(left_old):
            other = next((found for found in left_new if key(found.node) == key(one.node)), None)
            if other is not None:
                left_old.remove(one)
                left_new.remove(other)
                yield one, other
    if len(old) == len(new) == 1 and left_old and left_new:
        yield left_old[0], left_new[0]


def _called(old: ir.TypeShape, new: ir.TypeShape) -> str:
    """What two functions are called that have a name; empty if they have none."""
    return new.callback.name if isinstance(old, ir.CallbackShape) and isinstance(new, ir.CallbackShape) else ""


def _function(part: Part, side: Side, at: Place | None) -> tuple[ir.Method, ir.Schema, Place | None] | None:
    """A function that is passed, as a method whose names mean nothing, and where it is declared."""
    match part.shape:
        case ir.CallableShape(parameters=parameters, result=result):
            position = ir.Position(line=at.line, column=at.column) if at else _NOWHERE
            taken = tuple(
                ir.Parameter(
                    name=f"argument {number}", wire="", passing="positional_only", type=shape, position=position
                )
                for number, shape in enumerate(parameters, 1)
            )
            return ir.Method(name="", wire="", parameters=taken, result=result, position=position), part.schema, at
        case ir.CallbackShape(callback=reference) if (found := side.callback(reference)) is not None:
            place, path = found.node.position, found.node.path or found.schema.path
            return found.node.call, found.schema, Place(path, place.line, place.column, f"class {found.node.name}")
        case _:
            return None
