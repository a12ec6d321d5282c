"""What an application may watch in a session. Rule: an observer is told, never asked, except for the error it may
replace before it is sent.

The default logs what a target raised, with its traceback, under the logger `capnweb_runtime`; the peer gets type and
message only.
"""

from __future__ import annotations

import logging

logger = logging.getLogger("capnweb_runtime")


class Observer:
    """Base class with the default behaviour; override what you need."""

    def target_failed(self, where: str, error: BaseException) -> None:
        """A target's method or property raised.

        Parameters:
            where: interface and member, such as "AccountsTarget.authenticate".
            error: what it raised, with its traceback.
        """
        logger.error("%s raised %s: %s", where, type(error).__name__, error, exc_info=error)

    def sending_error(self, error: BaseException) -> BaseException:
        """An exception is about to be sent; what is returned is sent in its place. The default returns it unchanged."""
        return error

    def session_ended(self, reason: BaseException) -> None:
        """The session has ended, for the given reason. The default says nothing: clients come and go."""
