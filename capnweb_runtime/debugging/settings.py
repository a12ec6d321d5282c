"""How much of a session is watched, as `debug=` and the environment say. Rule: what cannot be meant is said when a
session is asked for, not when one is open.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Final

SETTING: Final = "CAPNWEB_DEBUG"
"""The environment variable that says it where the program does not."""
_SAMPLING: Final = re.compile(r"sampling(?:=(\d{1,9}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Sampling:
    """Debug mode for production, `serve(debug=Sampling())`: of one call in so many it is noted which line of the
    program made it and when, for the objects that it returned as well, and of one object in so many when it was handed
    out. `Peer.capabilities` shows it, and so does `capabilities` of what `connect`
    returns.

    Attributes:
        every: one call, and one object that is handed out, in so many is noted: 1 notes all of them.

    Raises:
        ValueError: `every` is less than 1.
    """

    every: int = 1000

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ValueError(f"Sampling(every={self.every}) looks at no call: it has to be at least 1")


Debug = bool | Sampling | None


def mode_of(debug: Debug) -> bool | Sampling:
    """What `debug=` means: everything, nothing, or some of it.

    Parameters:
        debug: as it was given; None means as the environment says.

    Raises:
        TypeError: it is of no such type.
        ValueError: the environment says something else.
    """
    if isinstance(debug, (bool, Sampling)):
        return debug
    if debug is not None:
        raise TypeError(f"debug has to be True, False, Sampling(every=...) or None, not {debug!r}")
    said = os.environ.get(SETTING, "").strip().lower()
    if said in ("", "0", "false", "no", "off"):
        return False
    if said in ("1", "true", "yes", "on"):
        return True
    sampling = _SAMPLING.fullmatch(said)
    if sampling is None or sampling[1] == "0":
        raise ValueError(f'{SETTING} has to be 1, 0, or "sampling=1000", not {said[:40]!r}')
    return Sampling(int(sampling[1])) if sampling[1] else Sampling()
