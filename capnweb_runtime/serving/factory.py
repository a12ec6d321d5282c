"""What `serve` makes main objects with. Rule: a factory that cannot work is refused before anything listens, as far as
that can be known, with what to write instead.
"""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

from capnweb_runtime.core.signatures import signature
from capnweb_runtime.objects.target import RpcTarget


def check_factory(factory: object) -> None:
    """Refuses a factory that cannot make a main object from a peer.

    Raises:
        TypeError: it is no function, a function or class that takes no peer, a class that is no target, or one that
            leaves out methods.
    """
    if isinstance(factory, RpcTarget):
        name = type(factory).__name__
        raise TypeError(
            f"serve() makes a main object for each session, and was given a {name} that all would share: "
            f"write serve(lambda peer: {name}(...), ...)"
        )
    if not callable(factory):
        raise TypeError(
            "serve() needs a function that is given the peer and returns a main object, "
            f"not {type(factory).__name__}: write serve(lambda peer: ..., ...)"
        )
    made = _unwrapped(factory)
    if isinstance(made, type):
        _check_class(made)
    _check_signature(factory, made)


def declared_main(factory: object) -> type[RpcTarget] | None:
    """What a factory makes, as far as it says so: the class that it is, or that it is annotated to return."""
    made: Any = _unwrapped(factory)
    if not isinstance(made, type):
        try:
            made = inspect.get_annotations(made, eval_str=True).get("return")
        except Exception:  # of an annotation, which may be anything; and of what has none
            return None
    says = isinstance(made, type) and issubclass(made, RpcTarget) and made is not RpcTarget
    return made if says else None


def _unwrapped(factory: object) -> object:
    made = factory
    while isinstance(made, partial):
        made = made.func
    return made


def _check_class(cls: type) -> None:
    if not issubclass(cls, RpcTarget):
        raise TypeError(f"serve() needs a target, and {cls.__name__} is none: derive it from the generated ...Target")
    missing = sorted(getattr(cls, "__abstractmethods__", ()))
    if missing:
        raise TypeError(f"{cls.__name__} leaves out what its interface declares, so no session could begin: "
                        f"write {', '.join(missing)}")  # fmt: skip


def _check_signature(factory: Any, made: object) -> None:
    try:
        parameters = signature(factory)
    except (TypeError, ValueError):  # of something that is not written in Python
        return
    try:
        parameters.bind(None)
    except TypeError as error:
        name = getattr(made, "__name__", type(made).__name__)
        arguments = "" if not parameters.parameters and factory is made else "..."
        call = f"{name}({arguments})" if name != "<lambda>" else "..."
        raise TypeError(
            f"serve() calls its factory with the peer, and {name} cannot be called so ({error}): "
            f"write serve(lambda peer: {call}, ...)"
        ) from None


def checked_main(main: object) -> RpcTarget:
    """What a factory has returned. Raises TypeError if it is no target."""
    if isinstance(main, RpcTarget):
        return main
    advice = "Subclass the generated ...Target class."
    if isinstance(main, type) and issubclass(main, RpcTarget):
        advice = f"Return an instance: {main.__name__}(...)."
    elif isinstance(main, Exception):
        advice = "Raise it."
    raise TypeError(f"serve() needs a factory that returns a target; it returned {type(main).__name__}. {advice}")
