"""What is made once in a run of the tests, by the worker that needs it first.

Rule: whoever needs it waits until it is there, or makes it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder of this name, which all workers share.

    Parameters:
        factory: where this run of the tests keeps its files.
        name: the name of the folder, which nothing else has.
        make: fills the folder. If it fails, so do the tests of this worker, and the next one tries it in turn.
    """
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    made = shared / name
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # given back when the file is closed, or the worker ends
        if not made.exists():
            unfinished = factory.mktemp(name)
            make(unfinished)
            unfinished.rename(made)
    return made
