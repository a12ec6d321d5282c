"""Lines that are typed, with completion and what was typed before, as far as the system has readline. Rule: nothing of
it is written to disk: there may be secrets in it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

_DELIMITERS = " \t\n()[]{}.,:='\""
"""What ends a word, as `completing` sees words."""


def lines(prompt: str, candidates: Callable[[str], list[str]]) -> Iterator[str]:
    """Lines until the input ends. Ctrl-C leaves the one that is being typed.

    Args:
        prompt: what asks for a line, where somebody types it.
        candidates: words that the one before the cursor could become, given what stands before the cursor.
    """
    typed = sys.stdin.isatty()
    if typed and find_spec("readline") is not None:  # which Windows lacks
        _complete_with(candidates)
    while True:
        try:
            yield input(prompt if typed else "")
        except EOFError:
            break
        except KeyboardInterrupt:
            if not typed:
                raise
            print()  # noqa: T201  # the line that is left stays above
    if typed:
        print()  # noqa: T201  # likewise


def _complete_with(candidates: Callable[[str], list[str]]) -> None:
    readline: Any = import_module("readline")
    found: list[str] = []

    def complete(_: str, state: int) -> str | None:
        if state == 0:
            found[:] = candidates(readline.get_line_buffer()[: readline.get_endidx()])
        return found[state] if state < len(found) else None

    readline.set_completer(complete)
    readline.set_completer_delims(_DELIMITERS)
    is_libedit = "libedit" in (readline.__doc__ or "")  # as on macOS
    readline.parse_and_bind("bind ^I rl_complete" if is_libedit else "tab: complete")
