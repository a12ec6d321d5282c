"""What a message carries beside a call: the third element of push and stream. Rule: it is sent only to a peer that has
agreed to it; what comes in is taken as far as it is as it should be, and otherwise ignored, never more than that.

    ["push", expression, {"deadline": milliseconds that are left, "traceparent": text, ...}]
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from capnweb_runtime.core.calls import Carried
from capnweb_runtime.core.hook import Wire

A = TypeVar("A")

MOST_ITEMS: Final = 16
"""Entries that are read; an object with more of them is ignored as a whole, as it was not made by the rules."""
LONGEST_NAME: Final = 64
LONGEST_VALUE: Final = 512
"""Characters; what is longer is left out."""
LONGEST_DEADLINE: Final = 86_400_000.0
"""Milliseconds; more than a day is as good as none."""
DEADLINE: Final = "deadline"


def read(wire: Wire) -> Carried | None:
    """What the third element of a message says; None if that is nothing."""
    if type(wire) is not dict or not 0 < len(wire) <= MOST_ITEMS:
        return None
    metadata = {
        name: value
        for name, value in wire.items()
        if type(value) is str and name != DEADLINE and len(name) <= LONGEST_NAME and len(value) <= LONGEST_VALUE
    }
    seconds = _seconds(wire.get(DEADLINE))
    return Carried(seconds, metadata) if metadata or seconds is not None else None


def _seconds(milliseconds: Wire) -> float | None:
    if type(milliseconds) not in (int, float) or not 0 <= milliseconds <= LONGEST_DEADLINE:  # which is false of nan
        return None
    return milliseconds / 1000  # type: ignore[no-any-return]  # a number divided by one


def written(seconds: float | None, metadata: Mapping[str, str]) -> dict[str, Wire]:
    """The third element for a call.

    Parameters:
        seconds: that are left, if there is a deadline; more than nothing.
        metadata: texts by name.

    Raises:
        ValueError: there are too many entries, or one is too long.
    """
    wire: dict[str, Wire] = {} if seconds is None else {DEADLINE: math.ceil(min(seconds * 1000, LONGEST_DEADLINE))}
    for name, value in metadata.items():
        if type(value) is not str or len(name) > LONGEST_NAME or len(value) > LONGEST_VALUE or name == DEADLINE:
            raise ValueError(
                f"metadata {name[:LONGEST_NAME]!r} cannot be sent: names have at most {LONGEST_NAME} characters, "
                f"values are texts of at most {LONGEST_VALUE}, and {DEADLINE!r} is taken"
            )
        wire[name] = value
    if len(wire) > MOST_ITEMS:
        raise ValueError(f"{len(wire)} entries of metadata cannot be sent: a call carries at most {MOST_ITEMS}")
    return wire


def carry(session: Any, carried: dict[str, Wire], make: Callable[[], A]) -> A:
    """Makes a call, and lets its message carry something.

    What sends messages is replaced for the one message, so that no other call has to be asked. Whatever encoding the
    arguments sends before it is no call of this one's; calls that the application makes meanwhile come through here
    themselves.

    Parameters:
        session: the session; a peer that has not agreed is sent nothing more.
        carried: the third element.
        make: makes the call.

    Returns:
        What `make` gives.
    """
    if session.collected is not None:
        session.collected.append(carried)
    if not session.carries or not carried:
        return make()
    state = vars(session)
    before = state.get("_send")

    def restore() -> None:
        if before is None:
            state.pop("_send", None)
        else:
            state["_send"] = before

    def send(message: list[Wire]) -> None:
        if message[0] in ("push", "stream"):
            restore()
            if len(message) == 2:
                message.append(carried)
            session._send(message)
        else:
            type(session)._send(session, message)

    state["_send"] = send
    try:
        return make()
    finally:
        restore()


# ---- beside a batch, whose client cannot know beforehand what the server agrees to

HEADER: Final = "Capnweb-Gen-Calls"
"""Header of a request for a batch: a JSON object of what all of its calls carry, which other servers ignore."""
_LONGEST_HEADER: Final = 4096


def header_of(session: Any) -> dict[str, str]:
    """The header for a batch: the latest deadline, if each of its calls has one, and what metadata all of them have.

    Parameters:
        session: of the batch, with all of its calls made.
    """
    collected: list[dict[str, Wire]] = session.collected or []
    if not collected or len(collected) < session.calls_made:
        return {}
    first, *others = collected
    common = {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}
    if all(DEADLINE in one for one in collected):
        common[DEADLINE] = max(one[DEADLINE] for one in collected)
    header = json.dumps(common)
    return {HEADER: header} if common and len(header) <= _LONGEST_HEADER else {}


def read_header(header: str | None) -> Carried | None:
    """What the header of a batch says; None if that is nothing."""
    if not header or len(header) > _LONGEST_HEADER:
        return None
    try:
        return read(json.loads(header))
    except (ValueError, RecursionError):
        return None
