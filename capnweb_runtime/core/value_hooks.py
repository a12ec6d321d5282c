"""Hooks over values that have arrived, and over hooks that are not known yet. Rule: values have keys and indices, never
attributes, and what is asked of a promise is asked again, in order, of what it resolves to.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from capnweb_runtime.core.asked import Asked, AskedCall, AskedGet, AskedPull, AskedUse, Disposal, is_given_up
from capnweb_runtime.core.broken import GIVEN_BACK, ErrorHook
from capnweb_runtime.core.budget import Budget
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.held import NOTHING
from capnweb_runtime.core.hook import (
    Codec,
    Hook,
    Host,
    IncomingArgs,
    Path,
    Payload,
    PromiseRef,
    Ref,
    StubRef,
    Wire,
    dispose_all,
)
from capnweb_runtime.core.payload import (
    Inside,
    branch,
    follow,
    is_inert,
    make_plain,
    resolve_promises,
    weigh,
)
from capnweb_runtime.core.remap import default_budget, replay
from capnweb_runtime.errors import LimitExceeded


class _Shares:
    """How many hooks own one payload: the last that is disposed disposes it."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 1


class _Ending(threading.local):
    """Payloads whose last share has been disposed. A shared payload may own a share of another, that of a third, and so
    on, a thousand of them in a loop of a plan: they are disposed one after the other, and not each within the one
    before.
    """

    payloads: list[Payload] | None = None  # while that goes on

    def dispose(self, payload: Payload) -> None:
        """Disposes a payload, and those of which it had the last share."""
        if self.payloads is not None:
            self.payloads.append(payload)
            return
        self.payloads = [payload]
        try:
            while self.payloads:
                self.payloads.pop().dispose()
        finally:
            self.payloads = None


_ending: Final = _Ending()


class PayloadHook(Hook):
    """A value that has arrived, or a result that is known. Owns its payload, or a share of it."""

    __slots__ = ("_host", "_payload", "_shares")

    _shares: _Shares  # there once it owns no more than a share

    def __init__(self, payload: Payload, host: Host) -> None:
        self._payload: Payload | None = payload
        self._host = host

    @property
    def host(self) -> Host:
        return self._host

    @property
    def value(self) -> Any:
        """The value as it is held; None once the hook has been disposed."""
        return None if self._payload is None else self._payload.value

    def _open(self) -> Payload:
        if self._payload is None:
            raise GIVEN_BACK.error_of("a stub or promise was used", "it")
        return self._payload

    def _find(self, path: Path) -> Any:
        """The plain value at the path, or an `Inside`."""
        payload = self._open()
        root = payload.value
        if isinstance(root, PromiseRef):
            return Inside(root._hook, root._path + path)
        if isinstance(root, StubRef):
            return Inside(root._hook, path) if path else root
        make_plain(payload, self._host)
        return follow(payload.value, path)

    def call(self, path: Path, args: Payload, expect: Codec | None = None) -> Hook:
        try:
            found = self._find(path)
        except Exception as error:  # the path leads nowhere, or the value cannot be made plain
            args.dispose()
            return ErrorHook(error)
        if isinstance(found, Inside):
            return found.hook.call(found.rest, args, expect)
        if isinstance(found, StubRef):
            return found._hook.call((), args, expect)
        args.dispose()
        return ErrorHook(not_a_function(path))

    def call_wire(self, path: Path, args: IncomingArgs) -> Hook:
        root = None if self._payload is None else self._payload.value
        if isinstance(root, StubRef):  # a call on a result that is a capability: its target decodes in one pass
            return root._hook.call_wire(path, args)
        return self.call(path, args.payload())

    def get(self, path: Path, expect: Codec | None = None) -> Hook:
        payload = self._payload
        if payload is not None and not path and payload.codec is not None and payload.codec.pure:
            part = Payload(payload.value, payload.codec)
            try:
                return self._sharing(part)
            except LimitExceeded as error:
                return ErrorHook(error)
        try:
            found = self._find(path)
        except Exception as error:  # as above
            return ErrorHook(error)
        if isinstance(found, Inside):
            return found.hook.get(found.rest, expect)
        return self._part(path)

    def _part(self, path: Path) -> Hook:
        """A hook over the value at the path, once the promises in this payload have been resolved: a copy of a promise
        each time it is named would let messages double what they hold. The whole is shared, unless it is a capability;
        a part that owns anything is copied, so that what is beside it can be given back.
        """
        waiting = resolve_promises(self._open(), self._host)
        try:
            if waiting is None:
                if not path and not isinstance(self._open().value, Ref):
                    return self._sharing(self._whole())
                return self._sharing(branch(follow(self._open().value, path), self._host, self._holds_any))
            asked = _AskedPart(self._host, self._share(), path)
        except (LimitExceeded, RecursionError, TypeError) as error:
            return ErrorHook(error)
        waiting.wait(asked)
        return PromiseHook(asked, self._host)

    def _whole(self) -> Payload:
        """A payload with the same tree, which owns what is in it together with this one's."""
        whole = Payload(self._open().value, None, [self._share()] if self._holds_any else None)
        whole.shared = True
        return whole

    def _share(self) -> PayloadHook:
        """A hook that owns the payload, too, for what is to be made of it when this one may have been disposed."""
        other = PayloadHook(self._open(), self._host)
        shares = other._shares = self._shares = getattr(self, "_shares", None) or _Shares()
        shares.count += 1
        return other

    def _sharing(self, part: Payload) -> Hook:
        """A hook over a part of the value, which counts for as long as either is there; a copy counts by itself. Raises
        LimitExceeded, with the part disposed, if there is no room for the value.
        """
        if part.counted is None:
            try:
                self._host.account.spent += self.weigh()
            except LimitExceeded:
                part.dispose()
                raise
            part.counted = self._open().counted
        return PayloadHook(part, self._host)

    def map(
        self,
        path: Path,
        captures: list[Hook],
        instructions: list[Wire],
        expect: Codec | None = None,
        budget: Budget | None = None,
    ) -> Hook:
        try:
            found = self._find(path)
        except Exception as error:  # as above
            dispose_all(captures)
            return ErrorHook(error)
        if isinstance(found, Inside):
            return found.hook.map(found.rest, captures, instructions, expect, budget)
        budget = budget or default_budget()
        try:
            self._host.account.spent += self.weigh()
            counted = self._open().counted
        except LimitExceeded as error:
            dispose_all(captures)
            return ErrorHook(error)
        try:
            result = replay(found, captures, instructions, budget, self._host, self._wrap, self._holds_any, counted)
        except Exception as error:  # an error in one element rejects the whole
            return ErrorHook(error)
        if isinstance(result, Payload):
            return PayloadHook(result, self._host)
        mapped: Cell[Hook] = Cell()
        share = self._share()  # the capabilities in the elements that are left are still to be taken

        def on_value(payload: Payload) -> None:
            share.dispose()
            mapped.resolve(PayloadHook(payload, share.host))

        def on_error(error: BaseException) -> None:
            share.dispose()
            mapped.reject(error)

        result.then(on_value, on_error)
        return PromiseHook(mapped, self._host)

    @property
    def _holds_any(self) -> bool:
        """Whether there may be something in the payload that could be owned; what it owns says so."""
        return self._payload is None or not is_inert(self._payload)

    def _wrap(self, payload: Payload) -> Hook:
        return PayloadHook(payload, self._host)

    def dup(self) -> Hook:
        root = self._open().value
        if isinstance(root, StubRef):
            return root._hook.dup()
        return self.get(())

    @property
    def counted(self) -> object:
        """What is known of the bytes that the value takes, as in `Payload`; `NOTHING` once it is given up."""
        payload = self._payload
        return NOTHING if payload is None else payload.counted

    def weigh(self) -> int:
        """Counts what the value takes, if that is not counted yet. Returns units of work."""
        payload = self._payload
        return 0 if payload is None else weigh(payload, self._host)

    def pull(self) -> Payload | Cell[Payload]:
        return self._payload or self._open()

    def dispose(self) -> None:
        payload, self._payload = self._payload, None
        if payload is not None and payload.hooks is not None:
            shares = getattr(self, "_shares", None)
            if shares is None:
                payload.dispose()
                return
            shares.count -= 1
            if not shares.count:
                _ending.dispose(payload)

    def on_broken(self, callback: Callable[[BaseException], object]) -> None:
        if self._payload is not None and isinstance(self._payload.value, Ref):
            self._payload.value._hook.on_broken(callback)


class PromiseHook(Hook):
    """A hook that is not known yet. Whatever is asked of it is asked again of what it resolves to, in the order in
    which it was asked.
    """

    __slots__ = ("_cell", "_disposed", "_host")

    def __init__(self, cell: Cell[Hook], host: Host) -> None:
        self._cell = cell
        self._host = host
        self._disposed = False

    @property
    def host(self) -> Host:
        return self._host

    @property
    def known(self) -> Hook | None:
        """What it has resolved to; None until then."""
        return self._cell.value

    def _later(self, asked: Asked) -> Hook:
        host, cell = self._host, self._cell
        if host.carried is None:
            cell.wait(asked)
        else:
            cell.then(partial(host.passing_on, host.carried, asked.on_value), asked.on_error)
        return PromiseHook(asked, host)

    def call(self, path: Path, args: Payload, expect: Codec | None = None) -> Hook:
        make_plain(args, self._host, arguments=True)  # the caller may change its values before they are sent
        held = self._host.held
        try:
            if args.counted is None:
                args.counted = held.count(held.of_message()) or NOTHING
            asked = AskedCall(self._host, path, args, expect)
        except LimitExceeded as error:
            args.dispose()
            return ErrorHook(error)
        return self._later(asked)

    def get(self, path: Path, expect: Codec | None = None) -> Hook:
        try:
            return self._later(AskedGet(self._host, path, expect))
        except LimitExceeded as error:
            return ErrorHook(error)

    def map(
        self,
        path: Path,
        captures: list[Hook],
        instructions: list[Wire],
        expect: Codec | None = None,
        budget: Budget | None = None,
    ) -> Hook:
        counted = None

        def use(hook: Hook) -> Hook:
            nonlocal counted
            counted = None  # what the instructions take while they wait
            return hook.map(path, captures, instructions, expect, budget)

        try:
            counted = self._host.held.count(self._host.held.of_message())
            return self._later(AskedUse(self._host, use, lambda: dispose_all(captures)))
        except LimitExceeded as error:
            dispose_all(captures)
            return ErrorHook(error)

    def dup(self) -> Hook:
        return self._later(AskedUse(self._host, lambda hook: hook.dup()))

    def pull(self) -> Payload | Cell[Payload]:
        asked = AskedPull(self._host)
        self._cell.wait(asked)
        return asked

    def dispose(self) -> None:
        if not self._disposed:
            self._disposed = True
            cell = self._cell
            if cell.settled:
                cell.then(self._dispose_known, _ignore)
            elif not isinstance(cell, Asked) or not cell.give_up():
                cell.forget(is_given_up)
                cell.wait(Disposal(self._host))

    def _dispose_known(self, hook: Hook) -> None:
        """Called once nothing is due any more that was asked of it."""
        if self._host.account.over:  # and may have been put off
            Disposal(self._host).on_value(hook)
        else:
            hook.dispose()

    def on_broken(self, callback: Callable[[BaseException], object]) -> None:
        self._cell.wait(_Watching(self._host, callback))


class _AskedPart(Asked):
    """Reads what is at a path of a payload, once the promises in that have been resolved.

    Parameters:
        host: see `Asked`.
        whole: a share of the payload; owned.
        path: where the part is.
    """

    __slots__ = ("_path", "_whole")

    def __init__(self, host: Host, whole: PayloadHook, path: Path) -> None:
        self._whole = whole
        self._path = path
        try:
            super().__init__(host)
        except LimitExceeded:
            whole.dispose()
            raise

    def answer(self, hook: Hook) -> None:  # what a payload's promises settle with, of which nothing is needed
        self.resolve(self._whole.get(self._path))
        self._whole.dispose()

    def refuse(self) -> None:
        self._whole.dispose()


def _ignore(_: object) -> None:
    """There is nothing to dispose."""


class _Watching(Asked):
    """Is told if the hook breaks, or there is none."""

    __slots__ = ("_callback",)

    def __init__(self, host: Host, callback: Callable[[BaseException], object]) -> None:
        super().__init__(host)
        self._callback = callback

    def answer(self, hook: Hook) -> None:
        hook.on_broken(self._callback)

    def on_error(self, error: BaseException) -> None:
        super().on_error(error)
        self._callback(error)

    def is_read(self) -> bool:
        return False


def not_a_function(path: Path, interface: str = "") -> TypeError:
    """The error for a call of something that cannot be called.

    Parameters:
        path: what was called.
        interface: what it was called of, where that is known, and may not be what the caller took it for.
    """
    of = f" of {interface}" if interface else ""
    return TypeError(f"'{'.'.join(map(str, path))}' is not a function{of}.")
