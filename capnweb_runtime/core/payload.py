"""What one does with a tree of values: encode it, make it plain, copy a branch, resolve its promises. Rule: whoever
holds a payload disposes it.

Typed payloads are made plain only where a path, a `map()` or a promise needs it: what is merely sent or delivered never
is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from capnweb_runtime.core.broken import GIVEN_BACK, ReadableGuard
from capnweb_runtime.core.cell import Cell, behind_what_is_due
from capnweb_runtime.core.codecs import TypeCodec
from capnweb_runtime.core.composite import charge_written, written_work
from capnweb_runtime.core.devaluate import devaluate
from capnweb_runtime.core.evaluate import DirectEvaluator, Evaluator, readable_in
from capnweb_runtime.core.held import NOTHING, SENT, SENT_SHORT, weighed_work, weight
from capnweb_runtime.core.hook import Codec, Exporter, Hook, Host, Path, Payload, PromiseRef, Ref, StubRef, Wire
from capnweb_runtime.core.loopback import Loopback
from capnweb_runtime.core.refs import PlainPromise, PlainStub
from capnweb_runtime.errors import LimitExceeded
from capnweb_runtime.values import FORBIDDEN_KEYS, UNDEFINED

_LEAVES: Final = frozenset((int, str, float, bool, type(None), bytes))
"""Types of values in which there is nothing else."""
_NODES_PER_UNIT: Final = 8  # that are only looked at
_UNCOUNTED: Final = frozenset((int, float, bool, type(None)))
"""Types of values for which their payload counts."""
_WORK_PER_PROMISE: Final = 3
"""Units that it takes to put a result in the place of a promise."""
COPIED: Final = 64
"""Bytes that a unit of work makes of a value that is copied: a list with one number in it."""


def weigh(payload: Payload, host: Host) -> int:
    """Counts what the value of a payload takes, if that is not known yet.

    Returns:
        Units of work that it took to find out.

    Raises:
        LimitExceeded: there is no room for it.
    """
    counted = payload.counted
    if not (counted is None or counted is SENT or counted is SENT_SHORT) or type(payload.value) in _UNCOUNTED:
        return 0
    size, nodes = weight(payload.value)
    payload.counted = host.held.count(size) or NOTHING
    return weighed_work(nodes)


def also_counts(payload: Payload, counted: Any) -> None:
    """What another payload counts for is in this one, too."""
    if counted and counted is not payload.counted:
        payload.counted = (payload.counted, counted) if payload.counted else counted


def encode_payload(payload: Payload, to: Exporter) -> Wire:
    """The expression for a payload; its capabilities stay owned by it."""
    if payload.codec is not None:
        return payload.codec.encode(payload.value, to)
    charge_written(payload, to.account)
    return devaluate(payload.value, to)


def encode_arguments(payload: Payload, to: Exporter) -> list[Wire]:
    """The bare list of expressions for a payload that holds the arguments of a call."""
    if payload.codec is not None:
        wire: list[Wire] = payload.codec.encode(payload.value, to)
        return wire
    charge_written(payload, to.account)
    return [devaluate(item, to, 1) for item in payload.value]


def make_plain(payload: Payload, host: Host, arguments: bool = False) -> None:
    """Turns a typed payload into a plain one that owns references of its own; the typed value stays as it was for
    those who have it.

    Parameters:
        payload: the payload, changed in place.
        host: for targets and functions that become capabilities.
        arguments: whether the payload holds the arguments of a call.
    """
    if payload.codec is None:
        return
    loopback = Loopback(host, raw_bytes=True)
    evaluator = Evaluator(loopback)
    try:
        wire = payload.codec.encode(payload.value, loopback)
    except BaseException:
        loopback.dispose()
        raise
    plain = evaluator.arguments(wire) if arguments else evaluator.payload(wire)
    payload.value, payload.codec = plain.value, None
    payload.hooks = [*(payload.hooks or ()), *(plain.hooks or ())] or None
    payload.promises = plain.promises


def decode_payload(payload: Payload, codec: Codec, host: Host) -> Any:
    """The typed value of a payload whose promises have been resolved; capabilities in it stay owned by the payload.

    Raises:
        Mismatch: it is not of the codec's type.
    """
    if payload.codec is codec:
        return payload.value
    if payload.codec is None and payload.hooks is None and _is_plain(payload.value, codec):
        if not payload.shared:
            return payload.value
        charge_written(payload, host.account)
        return copy_branch(payload.value).value  # which owns nothing, as there is nothing in it to be owned
    return _decode(encode_payload, payload, codec, host)


def _is_plain(value: Any, codec: Codec) -> bool:
    """Whether a value without capabilities is of the codec's type as it is."""
    return isinstance(codec, TypeCodec) and (codec.passes or type(value) in codec.plain)


def decode_arguments(payload: Payload, codec: Codec, host: Host) -> Any:
    """Like `decode_payload`, for the arguments of a call."""
    return _decode(encode_arguments, payload, codec, host)


def _decode(encode: Callable[[Payload, Exporter], Wire], payload: Payload, codec: Codec, host: Host) -> Any:
    loopback = Loopback(host, raw_bytes=True)
    source = DirectEvaluator(loopback)
    try:
        value = codec.decode(encode(payload, loopback), source)
    except BaseException:
        loopback.dispose()
        raise
    if source.hooks:
        payload.hooks = [*(payload.hooks or ()), *source.hooks]
    return value


def branch(value: Any, host: Host, holds_any: bool = True) -> Payload:
    """A payload for a part of a plain tree: the part itself, shared, where no capability and no stream is in it,
    otherwise a copy in which each capability is a reference of its own, and that owns each stream as well.

    Sharing is what keeps a chain of results that name one another twice, each twice as large, from taking memory.

    Parameters:
        value: the part; promises in it have been resolved.
        host: its account bounds the copy, which counts as held.
        holds_any: False if it is known that nothing is in the tree that could be owned, which spares a walk through it.

    Raises:
        LimitExceeded: the copy would be too large, or the walk take too long.
    """
    if not holds_any or not _holds_any(value, host):
        shared = Payload(value)
        shared.shared = True
        return shared
    work = written_work(value, host.account.left)
    host.account.charge(work)
    counted = host.held.count(work * COPIED)
    copied = copy_branch(value)
    copied.counted = counted or NOTHING
    return copied


def _holds_any(value: Any, host: Host) -> bool:
    """Whether there is a capability or a stream in a tree, of which parts may be shared."""
    if type(value) in _LEAVES:
        return False
    found, nodes = False, 0
    seen: set[int] = set()
    pending = [value]
    most = host.account.left * _NODES_PER_UNIT
    while pending and not found and nodes < most:
        node = pending.pop()
        nodes += 1
        cls = type(node)
        if cls is not list and cls is not dict:
            found = cls not in _LEAVES and (isinstance(node, Ref) or readable_in(node) is not None)
        elif id(node) not in seen:
            seen.add(id(node))
            pending += node if cls is list else node.values()
    beyond = pending and not found
    host.account.charge(host.account.left + 1 if beyond else nodes // _NODES_PER_UNIT)
    return found


def is_inert(payload: Payload) -> bool:
    """Whether it is known, without a walk through its plain tree, that there is nothing in it that could be owned."""
    return payload.hooks is None or (payload.resolving is not None and payload.resolving.value is True)


def copy_branch(value: Any) -> Payload:
    """A payload with a deep copy of a plain tree, in which every capability is a reference of its own. Streams have one
    reader, and so are not copied: the payload owns them as well.
    """
    hooks: list[Hook] = []
    promises: list[tuple[Any, Any, PromiseRef]] = []
    copied = _copy(value, hooks, promises)
    if isinstance(copied, PromiseRef):
        promises.append((None, None, copied))
    return Payload(copied, None, hooks or None, promises or None)


def _copy(value: Any, hooks: list[Hook], promises: list[tuple[Any, Any, PromiseRef]]) -> Any:
    if type(value) is list:
        items: list[Any] = []
        for item in value:
            plain = type(item) in _LEAVES
            items.append(item if plain else _copied_item(item, items, len(items), hooks, promises))
        return items
    if type(value) is dict:
        fields: dict[str, Any] = {}
        for key, item in value.items():
            plain = type(item) in _LEAVES
            fields[key] = item if plain else _copied_item(item, fields, key, hooks, promises)
        return fields
    if isinstance(value, Ref):
        return _copy_ref(value, hooks)
    readable = readable_in(value)
    if readable is not None:
        hooks.append(ReadableGuard(readable))
    return value


def _copied_item(
    item: Any, container: Any, key: Any, hooks: list[Hook], promises: list[tuple[Any, Any, PromiseRef]]
) -> Any:
    copied = _copy(item, hooks, promises)
    if isinstance(copied, PromiseRef):
        promises.append((container, key, copied))
    return copied


def _copy_ref(ref: Ref, hooks: list[Hook]) -> Ref:
    """A reference of its own, of the plain kind: a typed stub's class says nothing once it is inside a plain tree."""
    copied: Ref
    if isinstance(ref, PromiseRef):
        hook = ref._hook.get(ref._path)
        copied = PlainPromise(hook)
    else:
        hook = ref._hook.dup()
        copied = PlainStub(hook)
    hooks.append(hook)
    return copied


def resolve_promises(payload: Payload, host: Host) -> Cell[bool] | None:
    """Replaces every promise in the payload by what it resolves to, and the promises in that too.

    Returns:
        None if that is done; otherwise a cell that settles once it is, or with the first error.
    """
    if payload.resolving is None:
        if not payload.promises:
            return None
        payload.resolving = Cell()
        _Resolving(payload, payload.resolving, host).go_on()
    return None if payload.resolving.fulfilled else payload.resolving


class _Resolving:
    """Counts down the promises of one payload that are still open. There may be thousands: others may go first."""

    __slots__ = ("_cell", "_host", "_inert", "_left", "_open", "_payload")

    def __init__(self, payload: Payload, cell: Cell[bool], host: Host) -> None:
        promises, payload.promises = payload.promises or [], None
        self._payload = payload
        self._host = host
        self._cell = cell
        self._inert = len(payload.hooks or ()) == len(promises)  # each owns one; whatever else is owned has more
        self._left = iter(promises)
        self._open = 1  # the one that stands for those that are left

    def go_on(self) -> None:
        """Waits for those that are left."""
        account = self._host.account
        for container, key, promise in self._left:
            self._wait(container, key, promise)
            account.spent += _WORK_PER_PROMISE
            if account.spent > account.look_sooner and account.is_over_for_long_work():
                behind_what_is_due(self._host.put_off, self._go_on_later)
                return
        self._close_one()

    def _go_on_later(self) -> None:
        if self._payload.hooks is None:  # it has been given up meanwhile, and with it what is left
            self._cell.reject(GIVEN_BACK.error_of("a value was used", "it"))
            return
        try:
            self.go_on()
        except Exception as error:  # of a promise that cannot be read, or for which there is no room
            self._cell.reject(error)

    def _wait(self, container: Any, key: Any, promise: PromiseRef) -> None:
        self._open += 1
        hook = promise._hook
        if promise._path:
            hook = hook.get(promise._path)
            if self._payload.hooks is None:
                self._payload.hooks = []
            self._payload.hooks.append(hook)
        pulled = hook.pull()
        if isinstance(pulled, Payload):
            self._place(container, key, pulled)
        else:
            pulled.then(lambda inner: self._place(container, key, inner), self._cell.reject)

    def _place(self, container: Any, key: Any, inner: Payload) -> None:
        """Puts a result in its place once its own promises are resolved."""
        try:
            make_plain(inner, self._host)
            waiting = resolve_promises(inner, self._host)
        except Exception as error:  # a value that cannot be made plain fails the call it was meant for
            self._cell.reject(error)
            return
        if waiting is None:
            self._put(container, key, inner)
        else:
            waiting.then(lambda _: self._put(container, key, inner), self._cell.reject)

    def _put(self, container: Any, key: Any, inner: Payload) -> None:
        try:
            self._host.account.spent += weigh(inner, self._host)
        except LimitExceeded as error:
            self._cell.reject(error)
            return
        also_counts(self._payload, inner.counted)
        self._payload.shared = True
        self._inert = self._inert and is_inert(inner)
        if container is None:
            self._payload.value = inner.value
        else:
            container[key] = inner.value
        self._close_one()

    def _close_one(self) -> None:
        self._open -= 1
        if self._open == 0:
            self._cell.resolve(self._inert)


class Inside:
    """Where a path ended that led into another capability: the hook, and what is left of the path."""

    __slots__ = ("hook", "rest")

    def __init__(self, hook: Hook, rest: Path) -> None:
        self.hook = hook
        self.rest = rest


def follow(value: Any, path: Path) -> Any:
    """The value at a path inside a plain tree, or an `Inside` where the path leads into a capability.

    Objects have their keys, lists their non-negative integer indices; everything else has no properties: they read as
    undefined.

    Raises:
        TypeError: the path leads beyond undefined.
    """
    for index, part in enumerate(path):
        if isinstance(value, StubRef):
            return Inside(value._hook, path[index:])
        if isinstance(value, PromiseRef):
            return Inside(value._hook, value._path + path[index:])
        if value is UNDEFINED:
            raise TypeError(f"Cannot read properties of undefined (reading '{part}')")
        if type(value) is dict and type(part) is str and part not in FORBIDDEN_KEYS:
            value = value.get(part, UNDEFINED)
        elif type(value) is list and type(part) is int and 0 <= part < len(value):
            value = value[part]
        else:
            value = UNDEFINED
    if isinstance(value, PromiseRef):
        return Inside(value._hook, value._path)
    return value
