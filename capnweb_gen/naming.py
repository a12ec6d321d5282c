"""Names: from Python to the wire, and from a schema to the module generated for it.

Rule: pure functions of a name, so that two generated modules agree on a name without having seen each other.
"""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from typing import Literal

Case = Literal["as-written", "camel"]

CASES: tuple[Case, ...] = ("as-written", "camel")
CASE_HINT = "cases are 'camel' and 'as-written'"

# Attributes that stubs and promises have themselves, so that no method of a schema can be called by these names.
STUB_NAMES = frozenset({"dup", "dispose", "on_broken"})
PROMISE_NAMES = STUB_NAMES | {"map"}
# The one name that a class body in a generated module must be able to read.
MODULE_NAMES = frozenset({"rpc"})
RESERVED_NAMES = PROMISE_NAMES | MODULE_NAMES
# What no class can be called that a generated module imports: names that its functions read, and their own variables.
CLASS_NAMES_TAKEN = (
    MODULE_NAMES
    | frozenset(name for name in vars(builtins) if name.islower() and not name.startswith("_"))
    | frozenset({"fields", "item", "name", "self", "source", "to", "value", "wire", "x"})
)

_SPOKEN_VOWEL = re.compile(r"[aeio]|u[lmp]|un(?!i)", re.IGNORECASE)  # a User, a Unit; an Update, an Undo
_WORD_BREAK = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def is_name(text: str) -> bool:
    """Whether a text can stand for a variable or a module in Python: it is an identifier, in the form in which Python
    keeps it, and no keyword.
    """
    return text.isidentifier() and not keyword.iskeyword(text) and unicodedata.normalize("NFKC", text) == text


def as_name(text: str) -> str:
    """A name that resembles a text and can stand for a variable: `in-reply-to` → `in_reply_to`, `from` → `from_`."""
    words = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", text)).strip("_")
    if not words[:1].isidentifier():  # nothing is left, or it begins with a digit
        words = f"name_{words}".rstrip("_")
    return f"{words}_" if keyword.iskeyword(words) else words


def snake(name: str) -> str:
    """`AuthedApi` → `authed_api`, `HTTPServer` → `http_server`."""
    return _WORD_BREAK.sub("_", name).lower()


def camel(name: str) -> str:
    """`get_profile` → `getProfile`. A name without underscores stays as it is."""
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def as_case(value: object) -> Case | None:
    """A case as a schema gives it, or None if it is none."""
    return next((case for case in CASES if case == value), None)


def without_keyword_underscore(name: str) -> str:
    """`from_` → `from`: the underscore is there for Python alone. `list_` stays, because `list` is no keyword."""
    return name[:-1] if name.endswith("_") and keyword.iskeyword(name[:-1]) else name


def wire_name(name: str, case: Case) -> str:
    """The name on the wire of what is called `name` in Python, where no decorator or alias gives another."""
    bare = without_keyword_underscore(name)
    return camel(bare) if case == "camel" else bare


def constant(name: str) -> str:
    """The codec of something declared: `AuthedApi` → `AUTHED_API`. It never equals the name of the class."""
    upper = snake(name).upper()
    return f"{upper}_CODEC" if upper == name else upper


def builder(name: str) -> str:
    """What makes a model of its fields: `ITEM_BUILDER`."""
    return f"{snake(name).upper()}_BUILDER"


def attribute(name: str, others: frozenset[str]) -> str:
    """The attribute of a model's promise for the field `name`: with an underscore if all promises have one so named."""
    if name not in RESERVED_NAMES:
        return name
    while (name := f"{name}_") in others:
        pass
    return name


def model_names(name: str) -> tuple[str, ...]:
    """All names that a generated module declares or imports for a model."""
    functions = (f"encode_{snake(name)}", f"read_{snake(name)}", f"decode_{snake(name)}")
    return (name, f"{name}Promise", f"{name}R", *functions, constant(name), builder(name))


def interface_names(name: str) -> tuple[str, ...]:
    """All names that a generated module declares for an interface."""
    classes = tuple(f"{name}{part}" for part in ("Spec", "Calls", "Stub", "Promise", "Target", "BlockingStub", "R"))
    return (*classes, constant(name))


def callback_names(name: str) -> tuple[str, ...]:
    """All names that a generated module declares for a callback."""
    parts = ("Spec", "Calls", "Stub", "Promise", "Like", "BlockingStub", "BlockingLike", "R")
    return (*(f"{name}{part}" for part in parts), constant(name))


def error_names(name: str) -> tuple[str, ...]:
    """All names that a generated module declares or imports for an exception."""
    return (name, constant(name))


def with_article(name: str) -> str:
    """`an AuthedApi`, `a Profile`."""
    return f"{'an' if _SPOKEN_VOWEL.match(name) else 'a'} {name}"


def one_with_article(name: str) -> str:
    """The same at the start of a sentence: `An AuthedApi`."""
    phrase = with_article(name)
    return phrase[0].upper() + phrase[1:]
