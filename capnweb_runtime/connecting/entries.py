"""What references lead to that outlast a session. Rule: an entry knows the hook of the current session that stands for
it, or how to get one; what kinds there are is in `recipes`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Protocol

from capnweb_runtime.connecting.operations import Operation
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.hook import Hook, Host, Payload
from capnweb_runtime.core.session import Session
from capnweb_runtime.errors import StaleCapability


class Client(Protocol):
    """What references need of the client that has them.

    Attributes:
        session: the current one; None while there is none.
        generation: how many there have been.
        intercepts: whether calls pass interceptors.
        capabilities: those in results that the application holds, whether they are there or can be got again.
    """

    session: Session | None
    generation: int
    intercepts: bool
    capabilities: int

    @property
    def host(self) -> Host:
        """Runs the application's code while there is no session."""
        ...

    def ask(self, source: Entry, operation: Operation) -> Hook:
        """Does something with what a reference leads to, now or once there is a session. Returns a hook for the result,
        owned by the caller. Raises what encoding arguments raises.
        """
        ...

    def watch(self, entry: Entry) -> None:
        """Tells the entry when a session is lost, and when another has taken its place."""
        ...

    def shut_down(self) -> None:
        """The main stub has been disposed."""
        ...


class Entry:
    """What a reference refers to.

    Attributes:
        client: the client that has it.
        refs: hooks over this entry.
    """

    __slots__ = ("__weakref__", "_on_broken", "_on_restored", "client", "refs")

    def __init__(self, client: Client) -> None:
        self.client = client
        self.refs = 0
        self._on_broken: list[Callable[[BaseException], object]] = []
        self._on_restored: list[Callable[[], object]] = []

    @property
    @abstractmethod
    def lasts(self) -> bool:
        """Whether it is there, or can be got again, once there is a session."""

    @abstractmethod
    def bound(self) -> Hook:
        """The hook that stands for it in the current session, still owned by this; one that carries an error if there
        is none and none can be got. To be called only while there is a session.
        """

    @abstractmethod
    def pull(self) -> Payload | Cell[Payload]:
        """See `Hook.pull`."""

    @abstractmethod
    def drop(self, *, disposed: bool) -> None:
        """The last reference is gone: disposed, or forgotten by the application. It may still be a recipe."""

    @property
    def held(self) -> bool:
        """See `Hook.held`."""
        return False

    @property
    def waiting(self) -> Cell[Payload] | None:
        """See `Hook.waiting`."""
        return None

    def on_broken(self, callback: Callable[[BaseException], object]) -> None:
        """See `Hook.on_broken`."""
        self._on_broken.append(callback)
        self.client.watch(self)

    def on_restored(self, callback: Callable[[], object]) -> None:
        """See `Hook.on_restored`."""
        self._on_restored.append(callback)
        self.client.watch(self)

    def broken(self, error: BaseException) -> None:
        """Tells those who wanted to know, once."""
        callbacks, self._on_broken, self._on_restored = self._on_broken, [], []
        for callback in callbacks:
            self._guarded("on_broken", partial(callback, error))

    def restored(self) -> None:
        """Tells those who wanted to know."""
        for callback in self._on_restored:
            self._guarded("on_restored", callback)

    def _guarded(self, where: str, callback: Callable[[], object]) -> None:
        try:
            callback()
        except Exception as failure:  # a callback's failure concerns the application, not the other callbacks
            self.client.host.report(where, failure)


def stale() -> StaleCapability:
    """The error for what was lost with its session."""
    return StaleCapability(
        "the capability was lost with the session that it came in, and is not got again: that takes a method that is "
        "declared @idempotent and was called with plain arguments; get it again, in Reconnect.on_connect for instance"
    )
