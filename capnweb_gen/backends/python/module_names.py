"""Names in a generated module.

Rule: pure functions of a name, so that two generated modules agree on a name without having seen each other.
"""

from __future__ import annotations

import builtins

from capnweb_gen.naming import PROMISE_NAMES, snake

# The one name that a class body in a generated module must be able to read.
MODULE_NAMES = frozenset({"rpc"})
RESERVED_NAMES = PROMISE_NAMES | MODULE_NAMES
# What no class can be called that a generated module imports: names that its functions read, and their own variables.
CLASS_NAMES_TAKEN = (
    MODULE_NAMES
    | frozenset(name for name in vars(builtins) if name.islower() and not name.startswith("_"))
    | frozenset({"fields", "item", "name", "self", "source", "to", "value", "wire", "x"})
)


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
