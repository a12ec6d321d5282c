"""Types of options on the command line. Rule: argparse refuses what cannot be meant, with the usage and exit code 2."""

from __future__ import annotations

import argparse
import math
from typing import Final, TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""Where a command adds itself; argparse has no public name for it."""
SECRET: Final = "CAPNWEB_CLUSTER_SECRET"
"""Variable of the environment that has what workers know each other by."""


def several(text: str) -> list[str]:
    """Names with commas between them."""
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise argparse.ArgumentTypeError(f"{text!r} has nothing on one side of a comma")
    return names


def port(text: str) -> int:
    """A port; 0 is any."""
    number = int(text) if text.isascii() and text.isdigit() else -1
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port from 0 to 65535")
    return number


def count(text: str) -> int:
    """How many, one at least."""
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of 1 or more")
    return number


def seconds(text: str) -> float:
    """A time in seconds."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not (math.isfinite(number) and number >= 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return number
