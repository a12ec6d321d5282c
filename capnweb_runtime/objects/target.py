"""What users write: targets, the local objects that peers call. Rule: a peer reaches what the interface's table
names, and nothing else.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Awaitable, Mapping
from typing import Any, ClassVar

from capnweb_runtime.core.hook import Hook, Host
from capnweb_runtime.core.interface import Interface, Method, Property
from capnweb_runtime.core.refs import Exportable
from capnweb_runtime.core.target_hooks import Shares, TargetHook


class RpcTarget(Exportable, ABC):
    """Base of the generated server skeletons; an instance is passed by reference.

    A class may implement several interfaces: the tables of all its bases are joined. `dispose` runs once the peer has
    given up its last reference to what was passed.
    """

    _rpc_members: ClassVar[Mapping[str, tuple[str, Method | Property]]] = {}

    def __init_subclass__(cls, spec: type[Interface] | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        members: dict[str, tuple[str, Method | Property]] = {}
        for base in reversed(cls.__mro__[1:]):
            members.update(getattr(base, "_rpc_members", {}))
        if spec is not None:
            members.update(spec.rpc_members)
        cls._rpc_members = members

    def dispose(self) -> Awaitable[None] | None:
        """Called when the last reference to this target, as it was passed, is gone. Override it to free what the
        target holds, with `def` or with `async def`, which then runs as a task. What it raises is reported as what a
        method raises is.
        """

    def _export(self, host: Host) -> Hook:
        return TargetHook(self, self._rpc_members, host, Shares(self.dispose))


def target_hook(target: RpcTarget, host: Host) -> Hook:
    """A new hook over a target.

    Parameters:
        target: the target.
        host: runs its methods.

    Returns:
        The hook, owned by the caller; `target.dispose` runs once it and all its duplicates have been disposed.
    """
    return target._export(host)
