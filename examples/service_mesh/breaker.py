"""A circuit breaker, as an interceptor. Rule: a service that does not answer is left alone for a while, and then asked
by one call before all others.

    closed      calls pass; `failures` in a row that nobody has answered open it
    open        calls are refused without being made, for `rest` seconds
    half-open   one call passes, and the others are refused: an answer closes it, a failure opens it again
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Literal, TypeVar

from capnweb_runtime import CallInfo, Proceed, time_left
from examples.service_mesh.schemas.orders import Unavailable

T = TypeVar("T")
State = Literal["closed", "open", "half-open"]


class Breaker:
    """Guards the calls of some interfaces that a server serves on behalf of another service.

    It stands where calls are served, outside of the wait for a connection: with `reconnect`, a call that waits for one
    has not passed the interceptors of the connection yet.

    Parameters:
        guards: names of the interfaces whose calls pass it.
        failures: how many in a row open it.
        rest: seconds that it stays open.
        clock: what tells the time, in seconds.

    Attributes:
        refused: calls that it has refused.
    """

    def __init__(
        self,
        guards: Collection[str] = (),
        *,
        failures: int = 3,
        rest: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.refused = 0
        self._guards = frozenset(guards)
        self._bound, self._rest, self._clock = failures, rest, clock
        self._failures = 0
        self._opened: float | None = None  # when, on the clock
        self._probing = False  # whether the one call of half-open is on its way

    async def __call__(self, call: CallInfo, proceed: Proceed) -> Any:
        """See `capnweb_runtime.Interceptor`."""
        if call.served and call.interface in self._guards:
            return await self.guard(lambda: proceed(call))
        return await proceed(call)

    @property
    def state(self) -> State:
        """How it stands."""
        if self._opened is None:
            return "closed"
        return "half-open" if self._left() <= 0 else "open"

    async def guard(self, work: Callable[[], Awaitable[T]]) -> T:
        """Does something that asks the service.

        Raises:
            Unavailable: it was refused, or the service could not be reached.
            TimeoutError: the service did not answer in time.
        """
        probe = self._admit()
        try:
            result = await work()
        except TimeoutError:
            self._failed()
            raise
        except asyncio.CancelledError:
            left = time_left()
            if left is not None and left <= 0:  # else its client has given it up, which says nothing of the service
                self._failed()
            raise
        except ConnectionError as error:
            self._failed()
            raise Unavailable(self._left()) from error
        except Exception:  # an answer is an answer
            self._answered()
            raise
        else:
            self._answered()
            return result
        finally:
            if probe:
                self._probing = False

    def _left(self) -> float:
        return 0.0 if self._opened is None else max(self._opened + self._rest - self._clock(), 0.0)

    def _admit(self) -> bool:
        """Lets a call pass, or not. Returns whether it is the one of half-open."""
        state = self.state
        if state == "open" or self._probing:
            self.refused += 1
            raise Unavailable(self._left())
        self._probing = state == "half-open"
        return self._probing

    def _answered(self) -> None:
        self._failures, self._opened = 0, None

    def _failed(self) -> None:
        self._failures += 1
        if self._failures >= self._bound:
            self._opened = self._clock()
