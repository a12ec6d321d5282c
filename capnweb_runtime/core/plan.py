"""Carries out plans: calls, branches, loops and filters that a peer has sent as one message. Rule: what is called is
called as if the peer had called it, one thing after the other, and whatever the plan holds is given back at its end.

Calls that follow each other start in order, without waiting; a condition, a loop, a filter, an operation and the end of
a block wait for all that the block has started. A plan waits as everything in a session does: others go on meanwhile.
What has been done when it fails, or is given up, stays done.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, TypeVar

from capnweb_runtime.core.account import Account
from capnweb_runtime.core.broken import GIVEN_BACK, ErrorHook, forget_frames
from capnweb_runtime.core.budget import Budget
from capnweb_runtime.core.cancelling import CancellableHook, Interest
from capnweb_runtime.core.cell import Cell, behind_what_is_due
from capnweb_runtime.core.disclosure import is_referred, may_leave, stand_in
from capnweb_runtime.core.evaluate import Evaluator
from capnweb_runtime.core.held import NOTHING
from capnweb_runtime.core.hook import Hook, Host, Path, Payload, Wire, dispose_all
from capnweb_runtime.core.payload import also_counts, branch, is_inert, resolve_promises
from capnweb_runtime.core.plan_bounds import Bounds, Value, Weigher, followed, known_of, refuse_beyond
from capnweb_runtime.core.plan_form import Block, Instruction, reading_plan
from capnweb_runtime.core.plan_ops import carry_out, condition, described, steps_for
from capnweb_runtime.core.remap import WORK_PER_STEP, Replayer
from capnweb_runtime.core.value_hooks import PayloadHook
from capnweb_runtime.errors import LimitExceeded, SessionClosed, wire_message
from capnweb_runtime.limits import Limits
from capnweb_runtime.values import UNDEFINED

if TYPE_CHECKING:
    from capnweb_runtime.core.importer import Importer

T = TypeVar("T")
Steps: TypeAlias = Generator[Cell[Any] | None, None, T]
"""What goes on step by step: it gives what it waits for, or None where others are to go first."""

_WORK_PER_DISPOSAL: Final = 1
_DISPOSED_AT_ONCE: Final = 16
"""Units that giving a value back takes, and how many are given back before it is asked whether others go first."""
_GIVEN_UP: Final = "the plan was given up: what it had begun is left as it is"


def run_plan(
    importer: Importer, subject: Hook, path: Path, captures: list[Hook], plan: list[Wire], depth: int = 0
) -> Hook:
    """Carries out a plan.

    Parameters:
        importer: the session that it came in.
        subject: what it is applied to; it stays its owner's.
        path: from there to what is value 0.
        captures: what it names beside that; owned.
        plan: the instructions, the header among them.
        depth: how deep in its message it stands.

    Returns:
        A hook for the result, owned by the caller. Giving it up once it has been asked for ends the plan.
    """
    host = importer.host
    try:
        known = followed(known_of(subject), path)
        room = host.held.count(host.held.of_message())
        owned = [subject.dup(), *captures]
    except Exception as error:  # of what it is applied to
        forget_frames(error)  # in which is what the hook that is returned goes to
        dispose_all(captures)
        return ErrorHook(error)
    applied = _Applied(plan, depth, path, *known)
    return _Running(host, importer.limits, importer.map_budget(), room, owned).start(applied)


class _Applied(NamedTuple):
    """A plan that has not been read, and what it is applied to.

    Attributes:
        plan: the instructions, the header among them.
        depth: how deep in its message it stands.
        path: from what is owned to what is value 0.
        known: what is known of that.
        before: what reading it takes.
    """

    plan: list[Wire]
    depth: int
    path: Path
    known: Value
    before: Bounds


class _Failed(Exception):
    """Something in a plan has failed.

    Attributes:
        place: where.
        error: with what.
    """

    def __init__(self, place: str, error: BaseException) -> None:
        super().__init__(place)
        self.place = place
        self.error = error


class _Scope(Replayer):
    """The values of a block that is being carried out.

    Attributes:
        started: what its instructions have made, with where they stand.
    """

    def __init__(self, host: Host, captures: list[Hook], element: Hook, budget: Budget) -> None:
        super().__init__(host, captures, element, budget)
        self.started: list[tuple[str, Payload]] = []
        self._joined = 0

    def skip(self, headers: int) -> None:
        """Has values for headers."""
        self._variables.extend(PayloadHook(Payload(UNDEFINED), self.host) for _ in range(headers))

    def add(self, place: str, payload: Payload) -> None:
        """Takes over the value of an instruction."""
        self.started.append((place, payload))
        self._variables.append(PayloadHook(payload, self.host))

    def unjoined(self) -> list[tuple[str, Payload]]:
        """What has been started since this was asked for."""
        started = self.started[self._joined :]
        self._joined = len(self.started)
        return started

    def captured(self, block: Block) -> list[Hook]:
        """What an inner block captures: it stays this one's."""
        return [self.own_export(index) for index in block.captures]

    def take_last(self) -> Payload:
        """The value of the last instruction, which is the caller's from here on."""
        self._variables.pop()
        return self.started[-1][1]

    def dispose(self) -> None:
        """Gives back all but the element and the captures; others may go first."""
        dispose_in_turns(self._variables[1:], self.host)


class _Running:
    """A plan that is being carried out.

    Parameters:
        host: the application's.
        limits: bounds.
        budget: what it may spend.
        room: what counts for the instructions.
        owned: what it is applied to, and what it names beside that.
    """

    def __init__(self, host: Host, limits: Limits, budget: Budget, room: Any, owned: list[Hook]) -> None:
        self._host = host
        self._limits = limits
        self._account: Account = host.account
        self._budget = budget
        self._calls = self._most_calls = limits.plan_calls
        self._room = room
        self._carried = host.carried
        self._cell: Cell[Hook] = Cell()
        self._error: BaseException | None = None
        self._owned = owned
        self._work: Steps[Payload] | None = None
        self._busy = False
        self._given_up = False

    def start(self, applied: _Applied) -> Hook:
        """Begins; see `run_plan`."""
        self._work = self._plan(applied)
        self._go_on(partial(next, self._work))
        result = self._cell.value
        if result is not None:
            return result
        if self._error is not None:
            return ErrorHook(self._error)
        return CancellableHook(self._cell, self._host, Interest(self._cell, self._give_up))

    # ---- from one wait to the next

    def _go_on(self, resume: Callable[[], Cell[Any] | None]) -> None:
        """Goes on with what the plan had when it began."""
        host = self._host
        advance = partial(self._advance, resume)
        if host.attends:
            advance = partial(host.mapping, advance)
        if self._carried is None:
            advance()
        else:
            host.within(self._carried, advance)

    def _advance(self, resume: Callable[[], Cell[Any] | None]) -> None:
        """Does what can be done now, and has the rest go on when it can."""
        work = self._work
        if work is None or self._busy:
            return
        self._busy = True
        try:
            waiting = resume()
        except StopIteration as end:
            self._busy = False
            self._finish(end.value)
            return
        except Exception as error:  # whatever fails in it is its result
            self._busy = False
            told = _told(error, self._host)
            forget_frames(error)  # in which are hooks that hold what has failed
            self._fail(told)
            return
        finally:
            self._busy = False
        if self._given_up:
            self._end()
        elif waiting is None:
            behind_what_is_due(self._host.put_off, lambda: self._go_on(partial(next, work)))
        else:
            waiting.then(
                lambda _: self._go_on(partial(next, work)), lambda error: self._go_on(partial(work.throw, error))
            )

    def _finish(self, payload: Payload) -> None:
        self._let_go()
        self._cell.resolve(PayloadHook(payload, self._host))

    def _fail(self, error: BaseException) -> None:
        self._let_go()
        self._error = error
        self._cell.reject(error)

    def _let_go(self) -> None:
        """Gives back what the plan was applied to, and what it captured."""
        self._work = self._room = None
        owned, self._owned = self._owned, []
        dispose_all(owned)

    def _give_up(self) -> None:
        """Nobody wants the result any more."""
        self._given_up = True
        if not self._busy:
            self._end()

    def _end(self) -> None:
        work, self._work = self._work, None  # what it waits for may fail meanwhile, and is not to go on with it
        if work is not None:
            work.close()
            self._fail(GIVEN_BACK.error_of(_GIVEN_UP, "it"))

    # ---- what a plan does

    def _plan(self, applied: _Applied) -> Steps[Payload]:
        """Reads a plan, refuses one that must go beyond a bound, and carries it out."""
        subject, *captures = self._owned
        reading, done = reading_plan(applied.plan, len(captures), self._limits, applied.depth), 0
        while True:
            try:
                units = next(reading)
            except StopIteration as end:
                block: Block = end.value
                break
            if self._is_over(units - done):
                yield None
            done = units
        yield from self._weigh(block, applied, captures)
        if applied.path:
            subject = subject.get(applied.path)
            self._owned.append(subject)
        return (yield from self._block(block, subject, captures))

    def _weigh(self, block: Block, applied: _Applied, captures: list[Hook]) -> Steps[None]:
        """Refuses a plan that takes more than it may by what its interfaces say of it, before anything of it runs.
        Raises LimitExceeded, or CostExceeded.
        """
        host, limits = self._host, self._limits
        if limits.cost is None and not block.has_lists:  # there is nothing that is not known already
            return
        weigher = Weigher(limits.depth)
        weighing = weigher.weighing(block, applied.known, [known_of(capture) for capture in captures])
        charged = 0
        while True:
            try:
                nodes = next(weighing)
            except StopIteration as end:
                bounds = applied.before.plus(end.value[1])
                break
            charged += nodes
            if self._is_over(nodes):
                yield None
        self._account.spent += max(0, weigher.nodes - charged)
        refuse_beyond(bounds.assumed, limits)
        if limits.cost is not None and host.costs is not None:
            least, assumed = int(bounds.least.cost), int(bounds.assumed.cost)
            refusal = host.costs.refusal(
                assumed, "the plan costs at least" if least == assumed else "the plan is taken to cost"
            )
            if refusal is not None:
                raise refusal

    def _is_over(self, work: int) -> bool:
        """Charges units of work that have been done. Returns whether others are to go first."""
        self._account.spent += work
        return self._account.is_over_for_long_work()

    def _block(self, block: Block, element: Hook, captures: list[Hook]) -> Steps[Payload]:
        """Carries out a block. Returns its value, in which no promise is left, owned by the caller.

        Parameters:
            block: the block.
            element: its value 0, which stays the caller's.
            captures: those stay the caller's, too.
        """
        scope = _Scope(self._host, captures, element, self._budget)
        scope.skip(block.headers)
        try:
            for instruction in block.instructions:
                try:
                    scope.add(instruction.place, (yield from self._carry_out(instruction, scope)))
                except _Failed:
                    raise
                except Exception as error:
                    raise _Failed(instruction.place, error) from None
            yield from self._join(scope)
            return scope.take_last()
        finally:
            scope.dispose()

    def _carry_out(self, instruction: Instruction, scope: _Scope) -> Steps[Payload]:
        """Carries out an instruction, and returns its value."""
        if self._is_over(instruction.steps * WORK_PER_STEP):
            yield None
        if self._given_up or self._host.held.ended:
            raise SessionClosed(_GIVEN_UP)
        self._budget.take(instruction.steps)
        self._calls -= instruction.calls
        if self._calls < 0:
            raise LimitExceeded(f"the plan makes more than {self._most_calls} calls, which Limits.plan_calls allows")
        if instruction.kind == "value":
            return self._evaluated(Evaluator(scope).payload, instruction.operands[0], instruction)
        yield from self._join(scope)
        operands = self._evaluated(Evaluator(scope).arguments, instruction.operands, instruction)
        try:
            waiting = resolve_promises(operands, self._host)
            if waiting is not None:
                yield waiting
            return (yield from self._decide(instruction, operands, scope))
        finally:
            operands.dispose()

    def _decide(self, instruction: Instruction, operands: Payload, scope: _Scope) -> Steps[Payload]:
        """The value of an instruction that depends on values."""
        if instruction.kind == "op":
            steps = steps_for(operands.value)
            self._account.spent += steps * WORK_PER_STEP
            self._budget.take(steps)
            return Payload(carry_out(instruction.name, operands.value))
        if instruction.kind == "if":
            return (yield from self._choose(instruction, operands, scope))
        if instruction.kind == "keep":
            return (yield from self._filter(instruction, operands, scope))
        state = Payload(operands.value[0], None, operands.hooks)
        operands.hooks = None
        state.shared, state.counted = operands.shared, operands.counted
        return (yield from self._repeat(instruction, state, scope))

    def _evaluated(self, evaluate: Callable[[Wire], Payload], wire: Wire, instruction: Instruction) -> Payload:
        """A payload that counts as held. Raises LimitExceeded, with it disposed, if there is no room, or it has taken
        more work than there are steps left.
        """
        account = self._account
        spent, left = account.spent, self._budget.left
        payload = account.as_one(evaluate, wire) if account.between else evaluate(wire)
        try:
            payload.counted = self._host.held.count(instruction.made) or NOTHING
            self._take_for_work(spent, left)
        except BaseException:
            payload.dispose()
            raise
        return payload

    def _take_for_work(self, spent: int, left: int) -> None:
        """Takes steps for copies and the like: they are charged for, and a loop can ask for the same again and again.

        Parameters:
            spent: units of work before.
            left: steps that were left then, of which maps have taken their own.
        """
        steps = (self._account.spent - spent) // WORK_PER_STEP - (left - self._budget.left)
        if steps > 0:
            self._budget.take(steps)

    def _join(self, scope: _Scope) -> Steps[None]:
        """Waits for all that a block has started; the first of it that failed, in the order of the plan, fails it."""
        started = scope.unjoined()
        waits: list[tuple[str, Cell[bool]]] = []
        for place, payload in started:
            try:
                waiting = resolve_promises(payload, self._host)
            except Exception as error:
                raise _Failed(place, error) from None
            if waiting is not None:
                waits.append((place, waiting))
        for place, waiting in waits:
            if not waiting.fulfilled:
                try:
                    yield waiting
                except Exception as error:
                    raise _Failed(place, error) from None

    def _condition(self, block: Block, element: Hook, scope: _Scope) -> Steps[bool]:
        """The value of a block that is a condition."""
        payload = yield from self._block(block, element, scope.captured(block))
        try:
            return condition(payload.value, "a condition has to be")
        except TypeError as error:
            raise _Failed(block.last, error) from None
        finally:
            payload.dispose()

    def _choose(self, instruction: Instruction, operands: Payload, scope: _Scope) -> Steps[Payload]:
        """["if", condition, then, else]."""
        chosen = instruction.blocks[0 if condition(operands.value[0], "a condition has to be") else 1]
        element = PayloadHook(Payload(UNDEFINED), self._host)
        return (yield from self._block(chosen, element, scope.captured(chosen)))

    def _repeat(self, instruction: Instruction, state: Payload, scope: _Scope) -> Steps[Payload]:
        """["while", state, condition, body, most]; owns the state."""
        again, body = instruction.blocks
        captures = scope.captured(body)
        try:
            for _ in range(instruction.most):
                element = PayloadHook(state, self._host)
                if not (yield from self._condition(again, element, scope)):
                    break
                following = yield from self._block(body, element, captures)
                element.dispose()
                state = following
        except BaseException:
            state.dispose()
            raise
        return state

    def _filter(self, instruction: Instruction, operands: Payload, scope: _Scope) -> Steps[Payload]:
        """["keep", list, condition]."""
        (items,) = operands.value
        if type(items) is not list:
            raise TypeError(f'"keep" takes a list, not {described(items)}')
        (block,) = instruction.blocks
        holds_any = not is_inert(operands)
        kept: list[Any] = []
        for item in items:
            spent, left = self._account.spent, self._budget.left
            part = branch(item, self._host, holds_any)
            part.counted = part.counted or operands.counted or NOTHING
            element = PayloadHook(part, self._host)
            try:
                self._take_for_work(spent, left)
                if (yield from self._condition(block, element, scope)):
                    kept.append(item)
            finally:
                element.dispose()
        result = branch(kept, self._host, holds_any)
        also_counts(result, operands.counted)
        return result


def dispose_in_turns(hooks: list[Hook], host: Host) -> None:
    """Disposes each of the hooks: there may be thousands, and those that are left are disposed when others have had
    their turns.
    """
    account = host.account
    for index, hook in enumerate(hooks, 1):
        hook.dispose()
        account.spent += _WORK_PER_DISPOSAL
        if not index % _DISPOSED_AT_ONCE and index < len(hooks) and account.is_over_for_long_work():
            behind_what_is_due(host.put_off, partial(dispose_in_turns, hooks[index:], host))
            return


def _told(error: BaseException, host: Host) -> BaseException:
    """What the caller of a plan is told of what failed in it: the same, with the place before its text."""
    if not isinstance(error, _Failed):
        return error
    place, error = error.place, error.error
    if is_referred(error) and not may_leave(error, host.disclosure):
        error = stand_in(error)
    text = f"{place}: {wire_message(error)}"
    try:
        named = type(error).__new__(type(error))
        named.args = (text,)
        vars(named).update(vars(error))
        named.__cause__ = error.__cause__
    except Exception:  # of a class that cannot be made like that: it is told without the place
        return error
    same = isinstance(error, (OSError, BaseExceptionGroup)) or wire_message(named) != text
    return error if same else named
