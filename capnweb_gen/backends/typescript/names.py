"""Names that TypeScript can have.

Rule: pure functions of a name, so that two generated files agree on a name without having seen each other. Names of
types are renamed where a type or a word of the language is called so; names of members are on the wire and are quoted.
"""

from __future__ import annotations

import keyword
import re

from capnweb_gen import ir, naming
from capnweb_gen.backends.typescript.text import string

_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
    arguments as await break case catch class const continue debugger default delete do else enum eval export
    extends false finally for function if implements import in instanceof interface let new null package private
    protected public return static super switch this throw true try typeof var void while with yield
    """,
    )
)
"""What no variable can be called in a module."""
_TYPES = frozenset(
    re.findall(
        r"\w+",
        """
    any bigint boolean never number object string symbol undefined unknown ArrayBuffer Blob Date Disposable
    Error Headers Object Omit Parameters Partial Promise ReadableStream Record Request Response ReturnType
    RpcSessionOptions RpcStub RpcTarget Symbol URL Uint8Array ValidatedStub WritableStream globalThis
    """,
    )
)
"""What generated files use, or the language keeps for itself, so that nothing declared can be called that."""
_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*", re.ASCII)


def type_name(name: str) -> str:
    """What a class is called: as in Python, with an underscore if that would stand for something else."""
    return f"{name}_" if name in _TYPES or name in _WORDS else name


def member(wire: str) -> str:
    """A name on the wire as a member: `new` in quotes too, which would declare a constructor."""
    return wire if _IDENTIFIER.fullmatch(wire) and wire != "new" else string(wire)


def element(holder: str, name: str) -> str:
    """The type of a property of a constant."""
    return f"typeof {holder}.{name}" if _IDENTIFIER.fullmatch(name) else f"(typeof {holder})[{string(name)}]"


def parameters(names: list[str]) -> list[str]:
    """What parameters are called that have these names in the schema: no two alike, and no word of the language."""
    taken: dict[str, None] = {}
    for name in names:
        spelled = f"{name}_" if name in _WORDS else name
        while spelled in taken:
            spelled += "_"
        taken[spelled] = None
    return list(taken)


def expected(wire: str) -> str:
    """The name in Python that a reader takes for what has this name on the wire, unless told another."""
    name = naming.snake(wire)
    return f"{name}_" if keyword.iskeyword(name) else name


def output(schema: ir.Schema) -> str:
    """Where the file made of a schema goes: `generated/shop.py` is `generated/shop.ts` here."""
    return f"{schema.output.removesuffix('.py')}.ts"


def specifier(here: ir.Schema, there: ir.Schema) -> str:
    """How the file of one schema names that of another. Its ending is that of what runs."""
    folders = here.output.split("/")[:-1]
    other = there.output.removesuffix(".py").split("/")
    shared = 0
    while shared < min(len(folders), len(other) - 1) and folders[shared] == other[shared]:
        shared += 1
    up = "../" * (len(folders) - shared) or "./"
    return f"{up}{'/'.join(other[shared:])}.js"
