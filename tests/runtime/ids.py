"""How parametrised values are shown in the names of tests. Rule: a name is the same in every run, so that the processes
of `pytest -n` agree on it and a failing case can be named again: no addresses.
"""

from __future__ import annotations

import re

from capnweb_runtime.core.codecs import TypeCodec

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def shown(value: object) -> str:
    """A codec by its label, anything else as Python shows it but for where it is in memory."""
    return value.label if isinstance(value, TypeCodec) else _ADDRESS.sub("", repr(value))
