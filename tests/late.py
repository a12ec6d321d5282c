"""Source whose annotations are evaluated when somebody asks for them: they may name what only type checkers know.

Since Python 3.14 that is so without further words; before, a module has to say it, and its annotations are texts.
"""

from __future__ import annotations

import sys
from typing import Any

LATE = "" if sys.version_info >= (3, 14) else "from __future__ import annotations\n"


def defined(text: str) -> dict[str, Any]:
    """What a module of this text defines."""
    namespace: dict[str, Any] = {"__name__": "late"}
    exec(compile(LATE + text, "late.py", "exec", dont_inherit=True), namespace)
    return namespace
