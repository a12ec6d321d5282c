"""Which errors leave the process. Rule: what a caller can act on leaves; of the rest a reference number does, under
which this side's log has it.

What a target raises may hold anything: rows, paths, parts of queries. Its author meant a caller to read what the schema
declares, an `RpcError`, and the few built-in exceptions that people raise to tell a caller something. Nobody meant
anything by a KeyError or by what a library raised.
"""

from __future__ import annotations

import os
from typing import Final

from capnweb_runtime.core.devaluate import DECLARATION
from capnweb_runtime.core.hook import Disclosure
from capnweb_runtime.errors import CapnwebError, RpcError

PLAIN: Final = frozenset((ValueError, TypeError, LookupError, NotImplementedError, TimeoutError))
"""Classes, exactly these, whose instances are meant for a caller. Subclasses are not: they are what code raises that
failed, as KeyError, UnicodeDecodeError and pydantic's ValidationError are. PermissionError is one too where it has no
errno, so that it does not come from the operating system.
"""
_FAILED: Final = "__capnweb_failed__"
_REFERENCE: Final = "__capnweb_reference__"


def mark_failure(error: BaseException) -> None:
    """Notes that the application raised this, so that it is no refusal of ours."""
    vars(error)[_FAILED] = True


def may_leave(error: BaseException, disclosure: Disclosure) -> bool:
    """Whether a peer is sent an error as it is.

    Parameters:
        error: what is to be sent.
        disclosure: what this side discloses.
    """
    if disclosure == "all" or isinstance(error, CapnwebError) or DECLARATION in vars(error):
        return True
    if disclosure == "declared" and _FAILED in vars(error):
        return False
    cls = type(error)
    return cls in PLAIN or (cls is PermissionError and getattr(error, "errno", None) is None)


def refer(error: BaseException) -> str:
    """The reference number of an error that stays here, made when it is first asked for; a note of the error has it,
    and so has whatever logs its traceback.
    """
    state = vars(error)
    if _REFERENCE not in state:
        state[_REFERENCE] = os.urandom(4).hex()
        error.add_note(f"The peer was told: reference {state[_REFERENCE]}.")
    reference: str = state[_REFERENCE]
    return reference


def is_referred(error: BaseException) -> bool:
    """Whether an error has a reference number, so that it has been logged with it."""
    return _REFERENCE in vars(error)


def stand_in(error: BaseException) -> RpcError:
    """What a peer is sent in place of an error."""
    reference = refer(error)
    return RpcError(f"The call failed; the server's log says why, under reference {reference}.", reference=reference)
