"""Messages whose byte strings travel beside their JSON text, as they are. Rule: only where both ends have agreed to
it; any other peer sees base64 and never this.

The expression of a byte string is then ["bytes", index], with the index of an attachment; attachments go out before the
text that names them.
"""

from __future__ import annotations

from typing import Any

from capnweb_runtime.core.text import dumps_with


def detach(message: Any) -> tuple[bytes, ...]:
    """The JSON text of a message whose tree holds byte strings, and behind it those, in the order of their indices."""
    attachments: list[bytes] = []

    def attach(value: Any) -> int:
        if type(value) is not bytes:
            raise TypeError(f"{type(value).__name__} has no JSON form")
        attachments.append(value)
        return len(attachments) - 1

    text = dumps_with(message, attach)
    return text, *attachments
