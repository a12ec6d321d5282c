"""Open files: how many there may be, and are. Rule: the system gives the lowest number that is free, so that the number
of a new file says how many are open, and asking costs nothing.
"""

from __future__ import annotations

import os
import sys

if sys.platform != "win32":
    import resource


def most_files(reserved: int) -> int:
    """How many files may be open before there are only those that are reserved.

    Parameters:
        reserved: how many are; a quarter of all at most.

    Returns:
        A number that is never reached where the system has no limit.
    """
    if sys.platform == "win32":
        return sys.maxsize
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        return sys.maxsize
    return most - min(reserved, most // 4)


def files_in_use() -> int:
    """About how many files are open: the first number that is free."""
    try:
        number = os.open(os.devnull, os.O_RDONLY)
    except OSError:  # none is
        return most_files(0)
    os.close(number)
    return number
