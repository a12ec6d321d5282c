"""What users write: targets, the local objects that peers call. Rule: a peer reaches what the interface's table
names, and nothing else.

A table that was made for another interface than the schema has now is found out when it is imported; see `stale`.
"""

from __future__ import annotations

import sys
from abc import ABC
from collections.abc import Awaitable, Mapping
from inspect import CO_VARARGS
from types import FunctionType
from typing import Any, ClassVar

from capnweb_runtime.core.hook import Hook, Host
from capnweb_runtime.core.interface import Arguments, Interface, Method, Property
from capnweb_runtime.core.refs import Exportable
from capnweb_runtime.core.target_hooks import AttendedTargetHook, Shares, TargetHook


class RpcTarget(Exportable, ABC):
    """Base class of generated targets, such as `LibraryTarget`: subclass one, and write the methods of its interface.

    An instance is passed by reference: it stays here, and the peer gets a stub of it, through which it can call what
    the interface declares and nothing else. A class may derive from several targets, and implements all of them.
    """

    _rpc_members: ClassVar[Mapping[str, tuple[str, Method | Property]]] = {}
    _rpc_interface: ClassVar[str]  # what the schema calls it; none of a target without one

    def __init_subclass__(cls, spec: type[Interface] | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        members: dict[str, tuple[str, Method | Property]] = {}
        for base in reversed(cls.__mro__[1:]):
            if "_rpc_interface" in vars(base):  # else what it has is that of its bases, which come by themselves
                members.update(vars(base)["_rpc_members"])
        if spec is not None:
            members.update(spec.rpc_members)
            cls._rpc_interface = spec.__name__.removesuffix("Spec")
            _compare(cls, spec)
        cls._rpc_members = members

    def dispose(self) -> Awaitable[None] | None:
        """Called when the peer has given up its last reference to this object. If the object was passed several times,
        this is called for each of them. Override it to free what the object holds, with `def`, or with `async def`,
        which runs as a task. What it raises is reported as an exception of a method is. The default does nothing.
        """

    def _export(self, host: Host) -> Hook:
        cls = AttendedTargetHook if host.attends else TargetHook
        return cls(self, self._rpc_members, host, Shares(self.dispose))


def _compare(target: type, spec: type[Interface]) -> None:
    """Compares a table with the interface for which it was made, if its schema has been imported, as it is for models.

    Warns with StaleCodeWarning of a difference.
    """
    interface: Any = _interface(target)
    members = {name: member for name, member in vars(spec).items() if isinstance(member, (Method, Property))}
    if getattr(interface, "_is_protocol", False):
        table = {_written(name, member) for name, member in members.items()}
        declared = {_declared(name, value) for name, value in vars(interface).items() if name[:1] != "_"}
    elif any(base.__name__ == "InterfaceModel" for base in getattr(interface, "__mro__", ())):
        from capnweb_runtime.core.signatures import annotated  # noqa: PLC0415  # few interfaces are models

        table, declared = set(members), set(annotated(interface))
    else:
        return
    if table != declared:
        gone, new = sorted(table - declared), sorted(declared - table)
        from capnweb_runtime.objects.stale import tell  # noqa: PLC0415  # code that is up to date never needs it

        tell(interface.__name__, gone, new, fatal=False)


def _interface(target: type) -> type | None:
    """The interface of a generated target: its module begins by saying which schema it was made for."""
    doc = sys.modules[target.__module__].__doc__ or ""
    path = doc.partition("\n")[0].rpartition(" for ")[2].removesuffix(".")
    folders = path.removesuffix(".py").split("/")
    for start in range(len(folders)):
        schema = sys.modules.get(".".join(folders[start:]))
        if schema is not None and (schema.__file__ or "").replace("\\", "/").endswith(path):
            found: type | None = vars(schema).get(target.__name__.removesuffix("Target"))
            return found
    return None


def _written(name: str, member: Method | Property) -> str:
    """A member of a table, as `_declared` writes it."""
    params = getattr(member, "params", None)
    if not isinstance(params, Arguments):
        return name
    rest = [f"*{params.variadic.name}"] if params.variadic else []
    keywords = [f"{param.name}=" for param in params.keyword]
    return f"{name}({', '.join([*(param.name for param in params.positional), *rest, *keywords])})"


def _declared(name: str, value: Any) -> str:
    """A member of a Protocol: a property by its name, a method with the names of its parameters."""
    while hasattr(value, "__wrapped__"):
        value = value.__wrapped__
    if not isinstance(value, FunctionType):
        return name
    code = value.__code__
    last = code.co_argcount + code.co_kwonlyargcount
    rest = [f"*{code.co_varnames[last]}"] if code.co_flags & CO_VARARGS else []
    keywords = [f"{keyword}=" for keyword in code.co_varnames[code.co_argcount : last]]
    return f"{name}({', '.join([*code.co_varnames[1 : code.co_argcount], *rest, *keywords])})"


def target_hook(target: RpcTarget, host: Host) -> Hook:
    """A new hook over a target.

    Parameters:
        target: the target.
        host: runs its methods.

    Returns:
        The hook, owned by the caller; `target.dispose` runs once it and all its duplicates have been disposed.
    """
    return target._export(host)
