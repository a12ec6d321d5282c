"""What a process holds of the machine's memory."""

from __future__ import annotations

import gc
import os
from pathlib import Path

MIB = 1024 * 1024
_PAGE = os.sysconf("SC_PAGE_SIZE")


def resident(pid: int | None = None) -> float:
    """The resident memory of a process in MiB; of this one, after a collection, if no process is named."""
    if pid is None:
        gc.collect()
    return int(Path(f"/proc/{pid or 'self'}/statm").read_text("ascii").split()[1]) * _PAGE / MIB
