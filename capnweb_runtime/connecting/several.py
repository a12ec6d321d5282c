"""Several addresses of one server, tried one after another. Rule: what one of them has refused for good, the others are
not asked.

Names that stand for several IP addresses need nothing of this: each address of a name is tried anyway.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from capnweb_runtime.connecting.reconnect import worth_retrying
from capnweb_runtime.errors import ConnectionRefused, GoingAway, SessionClosed


async def first_open(urls: Sequence[str], first: int, opening: Callable[[str], Awaitable[object]]) -> int:
    """Opens a session at the first address at which there is one.

    Parameters:
        urls: the addresses.
        first: index of the one that is tried first; the one behind the last is the first in the list.
        opening: opens a session at an address, or raises SessionClosed.

    Returns:
        The index of the address.

    Raises:
        SessionClosed: there is none; of one that was refused for good, what it was refused with, else what says of each
            address why.
    """
    failures: list[SessionClosed] = []
    for turn in range(len(urls)):
        number = (first + turn) % len(urls)
        try:
            await opening(urls[number])
        except SessionClosed as error:
            if isinstance(error, ConnectionRefused) and not worth_retrying(error):
                raise
            failures.append(error)
        else:
            return number
    raise _none_of(failures) from _most_hopeful(failures)


def _none_of(failures: Sequence[SessionClosed]) -> SessionClosed:
    """One error for all, of the kind of the one that gives the most hope, so that it is known whether to try again."""
    kind = _most_hopeful(failures)
    each = "; ".join(str(error).removeprefix("cannot connect to ") for error in failures)
    message = f"cannot connect to any of {len(failures)} addresses: {each}"
    made = type(kind).at(kind.url or "", message, kind.status)
    waits = [getattr(error, "retry_after", None) for error in failures]
    if isinstance(made, (ConnectionRefused, GoingAway)) and None not in waits:
        made.retry_after = min(wait for wait in waits if wait is not None)
    return made


def _most_hopeful(failures: Sequence[SessionClosed]) -> SessionClosed:
    return next((error for error in failures if worth_retrying(error)), failures[-1])
