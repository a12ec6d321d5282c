"""What is asked of the tables where values are read. Rule: this is for type checkers, and no program imports it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from capnweb_runtime.core.attachments import Attachments
from capnweb_runtime.core.budget import Budget
from capnweb_runtime.core.hook import Hook, Host, Path, Wire
from capnweb_runtime.core.introductions import Introductions
from capnweb_runtime.core.pipe import Pipe
from capnweb_runtime.limits import Limits


class Importer(Protocol):
    """Gives ids of the wire their capabilities.

    Attributes:
        host: runs the application's code.
        limits: bounds.
        message_bytes: size of the message at hand.
        attachments: byte strings that came beside the text of the message at hand.
        introductions: what the sender says of the interfaces of its objects; None if it has not agreed to that.
    """

    host: Host
    limits: Limits
    message_bytes: int
    attachments: Attachments

    @property
    def introductions(self) -> Introductions | None:
        """See above."""
        ...

    @property
    def begin_plan(self) -> Callable[[Importer, Hook, Path, list[Hook], list[Wire], int], Hook] | None:
        """Carries out a plan; see `core.plan.run_plan`. None where plans are not taken."""
        ...

    def import_stub(self, import_id: int) -> Hook:
        """A new reference to what the sender exported under the id; the caller owns it."""
        ...

    def import_promise(self, import_id: int) -> Hook:
        """Like `import_stub`, for something that the sender will resolve by itself."""
        ...

    def take_readable(self, export_id: int) -> Pipe:
        """The pipe that the sender opened under the id, once. Raises ProtocolError if there is none."""
        ...

    def map_budget(self) -> Budget:
        """What the maps in the message may spend."""
        ...

    def forget(self, hook: Hook) -> None:
        """Takes back an `import_stub` of the message at hand as if it had not been seen; nothing is sent."""
        ...

    def own_export(self, export_id: int) -> Hook:
        """The hook that we exported under the id, still owned by the table. Raises ProtocolError if there is none."""
        ...
