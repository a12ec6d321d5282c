"""Promises of dictionaries whose keys are more than plain strings. Rule: an item is asked for by the key that it has in
Python; what it is called on the wire is the codec's to know.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar, cast

from capnweb_runtime.core.codecs import TypeCodec
from capnweb_runtime.core.keyed import KeyedCodec
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.objects.stub import RpcPromise

K = TypeVar("K")
T = TypeVar("T")
P_co = TypeVar("P_co", covariant=True)


class KeyedPromise(RpcPromise[dict[K, T]], Generic[K, T, P_co]):
    """A dictionary that may not have arrived: its items are promises.

    Type parameters: K, what its keys are; T, what an item is awaited to; P_co, the promise of an item.
    """

    __slots__ = ()

    def __getitem__(self, key: K) -> P_co:
        """The promise of the item of that key. Raises TypeError if it is no key of such a dictionary."""
        codec: Any = self._codec
        while not isinstance(codec, KeyedCodec):  # it may have limits, or be None, too
            codec = getattr(codec, "limited", None) or codec.item
        try:
            return cast(P_co, self._at(codec.wire_key(key), codec.item))
        except Mismatch as mismatch:
            raise mismatch.error("key") from None


def dict_by(key: TypeCodec, item: TypeCodec) -> TypeCodec:
    """Codec of an object whose keys are strings of a kind: `key` says which."""
    return KeyedCodec(key, item, False, _promise)


def dict_by_number(key: TypeCodec, item: TypeCodec) -> TypeCodec:
    """Codec of an object whose keys are integers, in digits."""
    return KeyedCodec(key, item, True, _promise)


def _promise() -> type[KeyedPromise[Any, Any, Any]]:
    return KeyedPromise
