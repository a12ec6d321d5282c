"""What is not shown of values. Rule: by the name under which something travels, and by its look; rather too much than
too little.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

HIDDEN: Final = "•••"
"""What stands in the place of a secret."""
_NAMES: Final = re.compile(
    r"pass(?:word|wd|phrase|code)?|pwd|secret|token|api_?key|access_?key|private_?key|credentials?|authorization|"
    r"cookie|session_?id|otp|pin|signature|jwt|bearer",
    re.IGNORECASE,
)
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_LOOKS: Final = re.compile(
    r"eyJ[\w.-]{16,}|Bearer\s+\S+|Basic\s+[A-Za-z0-9+/=]{8,}|-----BEGIN [A-Z ]*PRIVATE KEY", re.ASCII
)
"""A JWT, what an Authorization header holds, and a key."""


def is_secret(name: str) -> bool:
    """Whether what travels under a name is not shown.

    Parameters:
        name: of a parameter, a field, or a header; in any spelling, such as "user_token", "apiKey" or "set-cookie".
    """
    if len(name) > 100:
        return False
    words = _WORDS.findall(name)
    pairs = [f"{first}_{second}" for first, second in pairwise(words)]
    return any(_NAMES.fullmatch(part) for part in (name, *words, *pairs))


def without_secrets(text: str) -> str:
    """A text without what looks like a secret."""
    return _LOOKS.sub(HIDDEN, text)
