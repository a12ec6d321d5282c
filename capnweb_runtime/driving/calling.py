"""Sessions on whose outgoing calls an application puts terms. Rule: what is not asked for costs nothing: a session
without terms is a plain one.
"""

from __future__ import annotations

from capnweb_runtime.core.hook import Codec, Hook, Path, Payload, Wire
from capnweb_runtime.core.session import Session
from capnweb_runtime.driving.deadline import Deadline, from_now
from capnweb_runtime.objects.stub import around


class TermedSession(Session):
    """A session whose calls of the peer have a deadline unless something nearer bounds them.

    Attributes:
        call_within: seconds that each may take.
    """

    bounds_calls = True
    call_within: float

    def _deadline(self) -> Deadline:
        """What bounds a call that is made now."""
        nearest, outside = from_now(self.call_within), around.get()
        return outside if isinstance(outside, Deadline) and outside.at < nearest.at else nearest

    def send_call(self, import_id: int, path: Path, args: Payload | None, expect: Codec | None) -> Hook:
        send = super().send_call
        return self._deadline().carried_by(self, lambda: send(import_id, path, args, expect))

    def send_map(
        self, import_id: int, path: Path, captures: list[Hook], instructions: list[Wire], expect: Codec | None
    ) -> Hook:
        send = super().send_map
        return self._deadline().carried_by(self, lambda: send(import_id, path, captures, instructions, expect))
