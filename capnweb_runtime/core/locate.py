"""Which field of a model could not be sent. Rule: asked only once sending has failed, so that it costs nothing before;
and only of a model without capabilities, which would be exported, and disposed, a second time.

The function that encodes a model is generated code without a word on where it is. It takes the fields in order, so that
the last one that it took is the one that has no wire form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from capnweb_runtime.core.hook import Exporter, Wire
from capnweb_runtime.core.mismatch import Mismatch

_NO_FIELD = "model_extra"


class _Watched:
    """A model, or what a model has its values in, that knows what was taken from it last."""

    __slots__ = ("_seen", "_value")

    def __init__(self, value: Any, seen: list[str]) -> None:
        self._value = value
        self._seen = seen

    def __getattribute__(self, name: str) -> Any:
        value, seen = object.__getattribute__(self, "_value"), object.__getattribute__(self, "_seen")
        if name == "__dict__":
            return _Watched(value.__dict__, seen)
        seen.append(name)
        return getattr(value, name)

    def __getitem__(self, key: str) -> Any:
        value: Mapping[str, Any] = object.__getattribute__(self, "_value")
        object.__getattribute__(self, "_seen").append(key)
        return value[key]

    def __contains__(self, key: object) -> bool:
        return key in object.__getattribute__(self, "_value")


def located(mismatch: Mismatch, encode: Callable[[Any, Exporter], Wire], value: Any, to: Exporter) -> Mismatch:
    """A mismatch with the field of the model as an outer step of its path, if it can be told.

    Parameters:
        mismatch: with which encoding the model has failed.
        encode: the generated function.
        value: the model, or a dict with known keys.
        to: what exports were made at; nothing is left of those made here.
    """
    seen: list[str] = []
    mark = to.mark()
    try:
        encode(_Watched(value, seen), to)
    except Mismatch:
        return mismatch.inside(seen[-1]) if seen and seen[-1] != _NO_FIELD else mismatch
    except Exception:  # a coroutine can be taken once only
        return mismatch
    finally:
        to.take_back(mark)
    return mismatch
