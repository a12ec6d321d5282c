"""Messages whose byte strings travel beside their JSON text, as they are. Rule: only where both ends have agreed to
it; any other peer sees base64 and never this.

The expression of a byte string is then ["bytes", index], with the index of an attachment; attachments go out before the
text that names them. Short ones stay in the text, where they cost less.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Sequence
from typing import Any, Final

from capnweb_runtime.core.text import dumps_with

SHORT: Final = 256
"""Bytes from which a byte string is attached: it then counts for no more than its base64 would."""
ATTACHMENT_COST: Final = 64
"""Bytes that an attachment counts for beside its own: about what its object takes."""


def base64_text(data: bytes | bytearray | memoryview) -> str:
    """Unpadded standard base64, as the reference writes it."""
    return binascii.b2a_base64(data, newline=False).decode().rstrip("=")


def detach(message: Any) -> tuple[bytes, ...]:
    """The JSON text of a message whose tree holds byte strings, and behind it those, in the order of their indices."""
    attachments: list[bytes] = []
    indices: dict[int, int] = {}  # by identity: where the text is begun anew, each is found again

    def attach(value: Any) -> int | str:
        if type(value) is not bytes:
            raise TypeError(f"{type(value).__name__} has no JSON form")
        if len(value) < SHORT:
            return base64_text(value)
        index = indices.setdefault(id(value), len(attachments))
        if index == len(attachments):
            attachments.append(value)
        return index

    text = dumps_with(message, attach)
    return text, *attachments


class Attachments:
    """The byte strings beside the text of a message that has come in.

    Parameters:
        parts: the byte strings, in the order of their indices.

    Attributes:
        size: bytes of all of them.
    """

    __slots__ = ("_made", "_parts", "size")

    def __init__(self, parts: Sequence[bytes] = ()) -> None:
        self._parts = parts
        self.size = sum(map(len, parts))
        self._made: dict[tuple[int, str], Any] = {}

    def __len__(self) -> int:
        return len(self._parts)

    def get(self, index: int) -> bytes | None:
        """The byte string of an index, if there is one."""
        return self._parts[index] if 0 <= index < len(self._parts) else None

    def container(self, index: int, marker: str, make: Callable[[], Any]) -> Any:
        """What a marked container of a byte string stands for: made once, so that a short text which names a long
        byte string over and over does not fill the memory with copies of it.
        """
        key = index, marker
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]


NO_ATTACHMENTS: Final = Attachments()
"""Of a message without any."""
