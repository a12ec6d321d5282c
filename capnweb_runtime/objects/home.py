"""Where a session lives: on one event loop, in the thread that runs it. Rule: what belongs to a session and is used
elsewhere says so at once, before anything has changed.

asyncio looks for that in debug mode only; without it a call from another thread wakes nobody, and a promise awaited on
another loop hangs.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop, _get_running_loop
from typing import Final

_OTHER_LOOP: Final = (
    "this stub or promise belongs to another event loop than the one that is running here: use it in coroutines of the "
    "loop that its session was connected on, or connect once more on this loop"
)
_OTHER_THREAD: Final = (
    "this stub or promise belongs to an event loop that runs in another thread: use it in a coroutine, and hand that "
    "over with asyncio.run_coroutine_threadsafe(coroutine, loop); or connect once more here, without a loop by "
    "connect_blocking(), whose stubs may be used from any thread"
)
_CLOSED: Final = "the event loop that this stub or promise belongs to has been closed: connect once more on another"


def refuse_elsewhere(home: AbstractEventLoop) -> None:
    """Raises RuntimeError unless the caller is where a session lives.

    Parameters:
        home: the session's event loop. While it does not run, as between two `run_until_complete`, its session may be
            used outside of any loop.
    """
    running = _get_running_loop()
    if running is home:
        return
    if home.is_closed():
        raise RuntimeError(_CLOSED)
    if home.is_running():
        raise RuntimeError(_OTHER_THREAD)
    if running is not None:
        raise RuntimeError(_OTHER_LOOP)


def allow_disposal(home: AbstractEventLoop | None) -> None:
    """The same for giving something up, which is done once the loop has been closed.

    Parameters:
        home: the session's event loop; None if there is none.
    """
    if home is not None and _get_running_loop() is not home and not home.is_closed():
        refuse_elsewhere(home)
