"""The inspector's page: one document with everything in it, made of the files beside this one. Rule: it loads nothing
from anywhere, and a browser runs no script in it but its own.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import Final, NamedTuple

_STYLES: Final = ("page.css",)
_SCRIPTS: Final = (
    *("dom.js", "wire.js", "values.js", "shell.js", "overview.js", "sessions.js", "calls.js", "frames.js"),
    *("schema.js", "forms.js", "copying.js", "try_it.js", "start.js"),
)
"""In the order in which they run, all in one scope."""


class Page(NamedTuple):
    """The document.

    Attributes:
        body: its text.
        policy: its Content-Security-Policy.
    """

    body: bytes
    policy: str


@cache
def page() -> Page:
    """The document, which is made once."""
    style = "\n".join(map(_file, _STYLES))
    script = '"use strict";\n' + "\n".join(map(_file, _SCRIPTS))
    body = _file("page.html").replace("/*style*/", style).replace("/*script*/", script)
    policy = (
        "default-src 'none'",
        f"script-src {_hashed(script)}",
        f"style-src {_hashed(style)}",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        # Nothing in the page makes markup of text; browsers that know this refuse to.
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
    return Page(body.encode(), "; ".join(policy))


def _file(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text("utf-8")


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
