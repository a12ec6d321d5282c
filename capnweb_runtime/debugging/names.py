"""What things are called that stand on the tables of a session. Rule: by the names that the schema declares, where it
declares any; whatever a peer has named is cut and escaped.
"""

from __future__ import annotations

from typing import Any, Final

from capnweb_runtime.core.codecs import TypeCodec
from capnweb_runtime.core.compound import InterfaceCodec, OptionalCodec
from capnweb_runtime.core.hook import Hook
from capnweb_runtime.core.stream_hooks import PipeHook
from capnweb_runtime.core.tables import ImportHook
from capnweb_runtime.core.target_hooks import FunctionHook, TargetHook
from capnweb_runtime.core.value_hooks import PayloadHook
from capnweb_runtime.objects.callbacks import CallbackCodec
from capnweb_runtime.objects.streams import StreamCodec, WritableCodec
from capnweb_runtime.observe import printable

LONGEST_NAME: Final = 100
"""Characters of a peer's name that are shown."""
UNKNOWN: Final = "a call"
"""The origin of payloads of which nothing is known."""


def interface_of(codec: object) -> str:
    """The interface of the objects that a codec is of; "" if it is not of objects.

    Parameters:
        codec: of a parameter, a field or a result.
    """
    while isinstance(codec, OptionalCodec):
        codec = codec.item
    if isinstance(codec, InterfaceCodec):
        target: Any = codec._target()
        return str(getattr(target, "_rpc_interface", target.__name__))
    if isinstance(codec, CallbackCodec):
        return "a function"
    return "a stream" if isinstance(codec, (StreamCodec, WritableCodec)) else ""


def type_of(codec: object) -> str:
    """What a codec is of, in words."""
    return interface_of(codec) or (codec.label if isinstance(codec, TypeCodec) else "")


def interface_of_stub(stub: object) -> str:
    """The interface that a class of stubs is made for; "" where none is.

    Parameters:
        stub: the class.
    """
    name = getattr(stub, "__name__", "")
    return name.removesuffix("Stub") if name not in ("AnyStub", "RpcStub", "CallbackStub") else ""


def interface_of_target(target: object) -> str:
    """The interface of a target; its class where it has none.

    Parameters:
        target: the object.
    """
    return str(getattr(target, "_rpc_interface", type(target).__name__))


def described(hook: Hook) -> tuple[str, str]:
    """What a hook stands for: "object", "function", "stream" or "promise"; and what that is called, "" if that is not
    known.

    Parameters:
        hook: of an entry on the export table.
    """
    if isinstance(hook, TargetHook):
        return "object", interface_of_target(hook.target)
    if isinstance(hook, FunctionHook):
        return "function", printable(hook._where, LONGEST_NAME)
    if isinstance(hook, PipeHook):
        return "stream", ""
    if isinstance(hook, ImportHook):  # of another peer's, or one of this peer's that it was given back
        interface = getattr(hook.entry, "interface", None)
        made = hook.made
        return "object", printable(interface.name, LONGEST_NAME) if interface else "" if made is None else made.what
    return "promise", ""


def origin_of(hook: Hook) -> str:
    """Interface and method of the call whose result a hook is; "" if that is not known."""
    if not isinstance(hook, PayloadHook):
        return ""
    payload = hook._payload
    if payload is None:
        return ""
    return "" if payload.origin == UNKNOWN else payload.origin
