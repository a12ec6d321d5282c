"""Calls that may have to be made more than once: what is kept of each. Rule: what is kept does not change when the
application changes its values; it owns what it refers to until it is disposed.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Final

from capnweb_runtime.core.evaluate import Evaluator, readable_in
from capnweb_runtime.core.hook import Codec, Exporter, Hook, Host, Path, Payload, Ref, Wire, dispose_all
from capnweb_runtime.core.interface import Arguments, Omitted
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.core.payload import decode_arguments, encode_arguments, make_plain
from capnweb_runtime.core.text import estimated_size

_LEAVES: Final = frozenset((int, str, float, bool, type(None), bytes, Omitted))
"""Types of arguments that cannot change, and refer to nothing."""
_BYTES_OF_A_CALL: Final = 64
"""About what a call takes beside its arguments."""


class Operation:
    """Something that is asked of a hook.

    Attributes:
        wanted: codec of the result, if its values can hold no capability, or somebody wants to see them by their type;
            others are looked into first.
        repeatable: whether it may be made again where it may have arrived: making it twice does what making it once
            does.
        is_recipe: whether what it gives can be got again by making it again, whenever that may be.
        size: bytes that it takes while it waits, about.
        needs: the hooks among its arguments that have to be there when it is made, as what it is asked of has.
        once: whether it can be made once only, sent or not: there is a stream among its arguments.
    """

    __slots__ = ("is_recipe", "needs", "once", "repeatable", "size", "wanted")

    def __init__(self, expect: Codec | None, shown: bool) -> None:
        self.wanted = expect if expect is not None and (expect.pure or shown) else None
        self.repeatable = self.is_recipe = True
        self.once = False
        self.size = _BYTES_OF_A_CALL
        self.needs: list[Hook] = []

    @abstractmethod
    def on(self, hook: Hook) -> Hook:
        """Makes it; the result is the caller's. Can be called again unless it is for once only."""

    def dispose(self) -> None:
        """Gives up what it has kept."""


class Read(Operation):
    """Reading a property."""

    __slots__ = ("_path",)

    def __init__(self, path: Path, expect: Codec | None, shown: bool = False) -> None:
        super().__init__(expect, shown)
        self._path = path

    def on(self, hook: Hook) -> Hook:
        return hook.get(self._path, self.wanted)


class Kept(Arguments):
    """Codec of the arguments of a call that is kept, for those who want to see them by their types.

    Parameters:
        plain: the tree that is kept, which is sent unless other arguments are put in their place.
        seen: the arguments as they are shown.
        codec: of the method.
    """

    def __init__(self, plain: Any, seen: Any, codec: Arguments) -> None:
        self.method = codec.method
        self.idempotent = codec.idempotent
        self.pure = False
        self._plain = plain
        self._seen = seen
        self._codec = codec

    def encode(self, value: Any, to: Exporter) -> list[Wire]:
        if value is self._seen:
            return encode_arguments(Payload(self._plain), to)
        return self._codec.encode(value, to)

    def decode(self, wire: list[Wire], source: Evaluator) -> tuple[list[Any], dict[str, Any]]:
        return self._codec.decode(wire, source)


class Call(Operation):
    """A call. What its arguments are is decided when it is made for the first time.

    Parameters:
        path: where the function is.
        args: the arguments, owned by this.
        expect: codec of the result, if known.
        host: makes capabilities of targets and functions among the arguments.
        shown: whether somebody wants to see arguments and result, whenever it is made.

    Raises:
        Mismatch: an argument is not of its type.
    """

    __slots__ = ("_codec", "_hooks", "_host", "_path", "_shown", "_value")

    def __init__(self, path: Path, args: Payload, expect: Codec | None, host: Host, shown: bool = False) -> None:
        super().__init__(expect, shown)
        self._path = path
        codec = args.codec
        self.repeatable = isinstance(codec, Arguments) and codec.idempotent
        leaves = _leaves(args)
        if leaves is None:
            make_plain(args, host, arguments=True)
            self.size += estimated_size(args.value)
            hooks, self.once = _held(args.value)
            self.needs = [hook for hook in hooks if hook.lasts]
            self.repeatable = self.repeatable and not self.once
            self.is_recipe = self.repeatable and len(self.needs) == len(hooks)
        else:
            self.size += leaves
            self.is_recipe = self.repeatable
        self._value = args.value
        self._codec = args.codec
        self._shown = codec if shown and args.codec is None and isinstance(codec, Arguments) else None
        self._host = host
        self._hooks, args.hooks = args.hooks, None

    def on(self, hook: Hook) -> Hook:
        args = Payload(self._value, self._codec) if self._shown is None else self._visible(self._shown)
        return hook.call(self._path, args, self.wanted)

    def _visible(self, codec: Arguments) -> Payload:
        """The arguments by their types; with promises and streams among them, as they are kept."""
        kept = Payload(self._value)
        try:
            seen = (self._value, {}) if self.once else decode_arguments(kept, codec, self._host)
        except Mismatch:
            seen = self._value, {}
        return Payload(seen, Kept(self._value, seen, codec), kept.hooks)

    def dispose(self) -> None:
        hooks, self._hooks = self._hooks, None
        dispose_all(hooks or ())

    def __del__(self) -> None:
        # A recipe that nobody needs any more: in any thread, and in the middle of anything.
        for hook in getattr(self, "_hooks", None) or ():
            self._host.discard(hook)


class Mapped(Operation):
    """A `map()`.

    Parameters:
        path: where the value is.
        captures: capabilities that the instructions use, owned by this.
        instructions: as recorded.
        expect: codec of the result, if known.
        idempotent: whether all calls among the instructions may be made twice.
        shown: whether somebody wants to see the result.
    """

    __slots__ = ("_captures", "_instructions", "_path")

    def __init__(
        self,
        path: Path,
        captures: list[Hook],
        instructions: list[Wire],
        expect: Codec | None,
        idempotent: bool,
        shown: bool = False,
    ) -> None:
        super().__init__(expect, shown)
        self._path = path
        self._captures = captures
        self._instructions = instructions
        self.needs = [hook for hook in captures if hook.lasts]
        self.repeatable = idempotent
        self.is_recipe = idempotent and len(self.needs) == len(captures)
        self.size += estimated_size(instructions)

    def on(self, hook: Hook) -> Hook:
        captures = [capture.dup() for capture in self._captures]
        return hook.map(self._path, captures, self._instructions, self.wanted)

    def dispose(self) -> None:
        captures, self._captures = self._captures, []
        dispose_all(captures)


def _leaves(args: Payload) -> int | None:
    """Bytes of arguments that are all leaves; None if some are not."""
    if args.codec is None:
        return None
    positional, by_name = args.value
    size = 0
    for argument in (*positional, *by_name.values()):
        kind = type(argument)
        if kind not in _LEAVES:
            return None
        size += len(argument) if kind is str or kind is bytes else 8
    return size


def _held(value: Any) -> tuple[list[Hook], bool]:
    """The hooks in a plain tree, and whether there are streams."""
    hooks: list[Hook] = []
    streams = False
    pending = [value]
    while pending:
        node = pending.pop()
        if type(node) is list:
            pending += node
        elif type(node) is dict:
            pending += node.values()
        elif isinstance(node, Ref):
            hooks.append(node._hook)
        elif readable_in(node) is not None:
            streams = True
    return hooks, streams
