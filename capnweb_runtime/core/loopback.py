"""Capabilities from one side to the same side. Rule: what is exported under an id is imported under it once, and
belongs to who imports it.

Typed values become plain ones, and plain ones typed, through the wire form; a Loopback stands in for the session on
that way.
"""

from __future__ import annotations

from capnweb_runtime.core.attachments import NO_ATTACHMENTS
from capnweb_runtime.core.budget import Budget
from capnweb_runtime.core.hook import Hook, Host, dispose_all
from capnweb_runtime.core.pipe import Pipe, Readable
from capnweb_runtime.errors import ProtocolError
from capnweb_runtime.limits import DEFAULT_LIMITS


class Loopback:
    """An exporter and an importer at once.

    Parameters:
        host: runs the application's code.
        raw_bytes: whether bytes stay as they are on the way.
    """

    __slots__ = (
        "_table",
        "account",
        "attachments",
        "depth",
        "host",
        "limits",
        "local",
        "message_bytes",
        "raw_bytes",
    )

    introductions = None
    begin_plan = None

    def __init__(self, host: Host, raw_bytes: bool = False) -> None:
        self.host = host
        self.depth = 0
        self.local = True
        self.raw_bytes = raw_bytes
        self.attachments = NO_ATTACHMENTS
        self.account = host.account
        self.message_bytes = 0
        self.limits = DEFAULT_LIMITS
        self._table: list[Hook] = []

    def dispose(self) -> None:
        """Disposes whatever has been exported: for when the import does not come, or has failed."""
        dispose_all(self._table)
        self._table = []

    def export_stub(self, hook: Hook) -> int:
        """Takes the hook over until it is imported."""
        self._table.append(hook)
        return len(self._table)

    def export_promise(self, hook: Hook) -> int:
        """Takes the hook over until it is imported."""
        return self.export_stub(hook)

    def mark(self) -> int:
        """How many hooks there are."""
        return len(self._table)

    def take_back(self, mark: int) -> None:
        """Disposes what came since."""
        dispose_all(self._table[mark:])
        del self._table[mark:]

    def create_pipe(self, source: Readable) -> int:
        """Never asked for: streams cross as they are."""
        raise TypeError("a stream crosses a loopback as it is")

    def take_readable(self, export_id: int) -> Pipe:
        """There are none."""
        raise ProtocolError(f"Export {export_id} is not a pipe or its readable end was already consumed.")

    def import_id(self, hook: Hook) -> int | None:
        """Always None: nothing has crossed yet."""
        return None

    def error_to_send(self, error: BaseException) -> BaseException:
        """The error itself: it stays on this side."""
        return error

    def discloses(self, error: BaseException) -> bool:
        """See `Exporter.discloses`: nothing is sent from here."""
        return True

    def import_stub(self, import_id: int) -> Hook:
        """Hands the hook over to the caller."""
        return self._table[import_id - 1]

    def import_promise(self, import_id: int) -> Hook:
        """Hands the hook over to the caller."""
        return self._table[import_id - 1]

    def map_budget(self) -> Budget:
        """There are no maps in values."""
        return Budget(0)

    def forget(self, hook: Hook) -> None:
        """Nothing to take back: the hook waits to be imported again, or for `dispose`."""

    def own_export(self, export_id: int) -> Hook:
        """There are none."""
        raise ProtocolError(f"no such entry on exports table: {export_id}")
