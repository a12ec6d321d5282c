"""What code of the application raises while a value is read or written: validators, default factories, `__post_init__`,
`__eq__`, getters. Rule: whatever it is, it rejects the call that the value belongs to, and nothing else.

Two exceptions are left alone, because they are for the program and not for whoever called: SystemExit and
KeyboardInterrupt end it, as they do where a method raises them. A MemoryError is nobody's answer either.
"""

from __future__ import annotations

from typing import Final

from capnweb_runtime.errors import RpcError

ENDS_PROGRAM: Final = (SystemExit, KeyboardInterrupt)
"""What is never made an answer of."""
NOT_OURS: Final = (*ENDS_PROGRAM, MemoryError)
"""What is not an answer of the message that is being read."""


def as_answer(error: BaseException) -> Exception:
    """An exception that a call can be rejected with.

    Parameters:
        error: what was raised.

    Returns:
        The exception itself; an RpcError that names it where it means something to asyncio or to a generator:
        a CancelledError would cancel whoever waits for the call, a StopIteration cannot be put into a future.
    """
    if isinstance(error, Exception) and not isinstance(error, (StopIteration, StopAsyncIteration)):
        return error
    answer = RpcError(f"Code of the application raised {type(error).__name__}.")
    answer.__cause__ = error
    return answer
