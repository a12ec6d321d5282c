"""What each message of the peer's does. Rule: whatever is wrong with one is raised, and ends the session.

`Session` takes messages from the wire, and has them handled here. Source: protocol, "Top-level RPC Messages".
"""

from __future__ import annotations

from typing import Any

from capnweb_runtime.core.attachments import NO_ATTACHMENTS
from capnweb_runtime.core.broken import ErrorHook, forget_frames
from capnweb_runtime.core.evaluate import CallArguments, Evaluator, call_own, decode_direct, parse_path
from capnweb_runtime.core.evaluate_leaves import unknown
from capnweb_runtime.core.exchange import Exchange
from capnweb_runtime.core.held import EXPORT, NOTHING, PROMISE, SMALL
from capnweb_runtime.core.hook import Codec, Hook, Payload, PromiseRef, Wire
from capnweb_runtime.core.mismatch import describe_value
from capnweb_runtime.core.pipe import Pipe
from capnweb_runtime.core.stream_hooks import PipeHook, forward_stream
from capnweb_runtime.core.tables import ExportEntry, ImportHook
from capnweb_runtime.core.value_hooks import PayloadHook, PromiseHook
from capnweb_runtime.errors import NOT_OURS, PEER, LimitExceeded, PeerAborted, ProtocolError, RpcError


class Handlers(Exchange):
    """Tables, outgoing half and handlers of a session, which sets what is declared here; one handler for each kind of
    message, which gets the whole of it.
    """

    _next_call: int  # next id of a call that the peer sends
    _round_trips: int

    def _on_push(self, wire: list[Wire], target: ImportHook | None = None) -> None:
        """Starts what is asked for.

        Parameters:
            wire: the message.
            target: what a stream message writes to, if it is something of another peer's.
        """
        if len(wire) != 2:
            self._on_longer_push(wire, target)
            return
        exports = self._exports
        if len(exports) >= self.limits.exports:
            raise self._too_many_exports()
        hook = self._evaluate_push(wire[1]) if target is None else self._pass_on(target, wire[1])
        if self.closed:  # by what the call did
            hook.dispose()
            return
        if type(hook) is ErrorHook:
            forget_frames(hook.error)
            if isinstance(hook.error, MemoryError):
                raise hook.error
            hook.counted = self.held.count(self.held.of_message())
        next_call = self._next_call
        self._next_call = next_call + 1
        exports[next_call] = ExportEntry(hook)
        held = self.held
        held.bytes += EXPORT
        if held.bytes > held.look_at:
            held.look(0)

    def _on_longer_push(self, wire: list[Wire], target: ImportHook | None) -> None:
        """The same for a message of another length. What peers that have not agreed say beyond two elements, nobody
        reads.
        """
        if len(wire) < 2:
            raise bad_message(wire)
        # Of no use to sessions in which no call carries anything.
        from capnweb_runtime.core.carrying import read  # noqa: PLC0415

        carried = read(wire[2]) if self.carries else None
        if carried is None:
            self._on_push(wire[:2], target)
            return
        host, call_id = self.host, self._next_call
        arrived = host.arrived(carried)
        called = self._called(wire[1])
        if called is None:
            host.within(arrived, self._on_push, wire[:2], target)
        else:
            host.passing_on(arrived, lambda _: self._on_push(wire[:2], target), called)
        entry = self._exports.get(call_id)
        if entry is not None and target is None:
            entry.hook = host.bounded(entry.hook, arrived)

    def _written_to(self, expression: Wire) -> ImportHook | None:
        """The hook that the expression of a stream message calls, if it is an export that is another peer's."""
        called = self._called(expression)
        return called if isinstance(called, ImportHook) else None

    def _called(self, expression: Wire) -> Hook | None:
        """The hook that an expression calls; None if it is no call, or of nothing that there is."""
        if type(expression) is not list or len(expression) != 4 or expression[0] != "pipeline":
            return None
        entry = self._exports.get(expression[1]) if type(expression[1]) is int else None
        return None if entry is None else entry.hook

    def _pass_on(self, target: ImportHook, expression: Wire) -> Hook:
        """The hook of the result of a write to something of another peer's: it goes on as a write, in one message."""
        _, _, path, args = expression
        if type(args) is not list:
            raise unknown(expression)
        place = parse_path(expression, path)
        return forward_stream(target, place, CallArguments(args, self, 0).payload())

    def _evaluate_push(self, expression: Wire) -> Hook:
        """The hook of what a push asks for: for a call, which is nearly all of them, the hook of its result."""
        if type(expression) is list and len(expression) == 4 and expression[0] == "pipeline":
            _, export_id, path, args = expression
            if type(export_id) is int:
                entry = self._exports.get(export_id)
                if entry is None or type(args) is not list:
                    return call_own(self, self.own_export(export_id), parse_path(expression, path), expression, 0)
                if type(path) is list and len(path) == 1 and type(name := path[0]) is str:
                    return entry.hook.call_wire((name,), CallArguments(args, self, 0))
                return entry.hook.call_wire(parse_path(expression, path), CallArguments(args, self, 0))
        if type(expression) is list and len(expression) in (2, 3) and expression[0] == "pipeline":
            entry = self._exports.get(expression[1]) if type(expression[1]) is int else None
            if entry is not None and type(entry.hook) is PromiseHook:  # a read, of which there may be very many
                return entry.hook.get(parse_path(expression, expression[2]) if len(expression) == 3 else ())
        return self._value_hook(expression)

    def _value_hook(self, expression: Wire) -> Hook:
        """The hook of a value that the peer has sent, which counts for as long as it is held."""
        payload = Evaluator(self).payload(expression)
        if isinstance(payload.value, PromiseRef):
            payload.counted = self.held.count(PROMISE)
        else:
            self._count(payload)
        return PayloadHook(payload, self.host)

    def _count(self, payload: Payload) -> None:
        """Counts a value of the message at hand for as long as it is held. Raises LimitExceeded if there is no room for
        it.
        """
        try:
            payload.counted = self.held.count(self.held.of_message()) or NOTHING
        except LimitExceeded:
            payload.dispose()
            raise

    def _on_stream(self, wire: list[Wire]) -> None:
        """Like a push and a pull in one, released once it has been answered."""
        export_id = self._next_call
        target = self._written_to(wire[1]) if len(wire) > 1 else None
        self._on_push(wire, target)
        entry = self._exports.get(export_id)
        if entry is not None:
            entry.auto_release = True
            self._resolve_export(export_id, entry)

    def _on_pipe(self, wire: list[Wire]) -> None:
        if len(self._exports) >= self.limits.exports:
            raise self._too_many_exports()
        self.held.add(EXPORT)
        entry = ExportEntry(PipeHook(Pipe(self.limits.stream_bytes, self.held), self.host))
        self._exports[self._next_call] = entry
        self._next_call += 1

    def _too_many_exports(self) -> LimitExceeded:
        return LimitExceeded(
            f"the peer holds {len(self._exports)} capabilities and calls, the most that this side allows"
        )

    def _on_pull(self, wire: list[Wire]) -> None:
        export_id: int = wire[1] if len(wire) > 1 and type(wire[1]) is int else _integer(wire, 1)
        entry = self._exports.get(export_id)
        if entry is None:
            raise ProtocolError(f"no such export ID: {export_id}")
        self._resolve_export(export_id, entry)

    def _on_resolve(self, wire: list[Wire]) -> None:
        import_id = wire[1] if len(wire) > 2 else None
        if type(import_id) is not int or import_id == 0:
            import_id = _settled_id(wire)
        if self._asked:
            self._answered()
        entry = self._imports.get(import_id)
        if entry is None:  # released already; capabilities in the result are released too
            Evaluator(self).payload(wire[2]).dispose()
            return
        payload = self._evaluate_result(wire[2], entry.expect)
        if entry.waiting is None and self.message_bytes > SMALL:  # what was asked for is the application's
            self._count(payload)
        if import_id < 0:
            self._off_table(import_id)
        else:
            self._imports.pop(import_id, None)
        entry.resolve(PayloadHook(payload, self.host))

    def _evaluate_result(self, wire: Wire, expect: Codec | None) -> Payload:
        if expect is not None:
            try:
                if expect.pure and self.attachments is NO_ATTACHMENTS:
                    return Payload(expect.decode(wire, None), expect)
                value, hooks = decode_direct(expect, wire, self, 0)
                return Payload(value, expect, hooks or None)
            except NOT_OURS:
                raise
            except BaseException:  # a promise in it, the wrong type, or what a validator raised: known once promises
                pass  # are resolved, and the waiter's error
        return Evaluator(self).payload(wire)

    def _on_reject(self, wire: list[Wire]) -> None:
        import_id = _settled_id(wire)
        if self._asked:
            self._answered()
        payload = Evaluator(self).payload(wire[2])
        payload.dispose()
        entry = self._imports.get(import_id)
        if entry is not None:
            error = as_exception(payload.value)
            vars(error)[PEER] = True
            self._off_table(import_id)
            entry.resolve(ErrorHook(error))

    def _on_release(self, wire: list[Wire]) -> None:
        _, export_id, count = wire if len(wire) == 3 else (None, None, None)
        if type(export_id) is not int or type(count) is not int:
            export_id, count = _integer(wire, 1), _integer(wire, 2)
        if count < 0:
            raise ProtocolError(f"release of a negative number of references: {count}")
        self._release_export(export_id, count)

    def _on_abort(self, wire: list[Wire]) -> None:
        reason: Any = None
        if len(wire) > 1:
            payload = Evaluator(self).payload(wire[1])
            payload.dispose()
            reason = payload.value
        error = as_exception(reason)
        closed = PeerAborted(f"the peer aborted the session: {error}")
        closed.__cause__ = error
        self.abort(closed, notify=False)

    def _answered(self) -> None:
        self._asked = False
        self._round_trips += 1


def as_exception(value: Any) -> BaseException:
    """What a peer rejected with, as something to raise: an error as it is, any other value inside an RpcError."""
    if isinstance(value, BaseException):
        return value
    return RpcError(f"the peer rejected with a value that is no error: {describe_value(value)}", None, value=value)


def _integer(wire: list[Wire], index: int) -> int:
    """The whole number at an index of a message."""
    number = wire[index] if index < len(wire) else None
    if type(number) is int:
        return number
    if type(number) is float and number.is_integer():
        return int(number)
    raise bad_message(wire)


def _settled_id(wire: list[Wire]) -> int:
    """The id in a resolve or a reject."""
    import_id = _integer(wire, 1)
    if len(wire) < 3 or import_id == 0:  # the main object is no promise
        raise bad_message(wire)
    return import_id


def bad_message(wire: Wire) -> ProtocolError:
    """What to tell a peer of a message that no handler understands."""
    return ProtocolError(f"bad RPC message: {unknown(wire).shown}")
