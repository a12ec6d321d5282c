"""Targets that check their calls: classes decorated for the npm package `capnweb-validate`.

Rule: the decorator wraps the methods of the very class that it stands on, and none of a class that inherits it. So the
decorated class is a complete target that hands every call on to another one.
"""

from __future__ import annotations

from capnweb_gen import graph, ir, naming
from capnweb_gen.backends.typescript import names
from capnweb_gen.backends.typescript.scope import Scope
from capnweb_gen.backends.typescript.views import CheckedView, ForwardingView


def checked(interface: ir.Interface, scope: Scope) -> CheckedView:
    """The class for an interface."""
    name = names.type_name(interface.name)
    scope.runtime("RpcTarget", value=True)
    scope.runtime("validateRpc", value=True, package="capnweb-validate")
    scope.runtime("validateStub", value=True, package="capnweb-validate")
    scope.runtime("ValidatedStub", package="capnweb-validate")
    members = graph.all_members(interface, scope.peers).values()
    return CheckedView(
        name=scope.free(f"Checked{interface.name}"),
        connect=scope.free(f"connectChecked{interface.name}"),
        interface=name,
        article=naming.with_article(interface.name),
        members=tuple(_forwarding(member, name) for member in members),
    )


def _forwarding(member: ir.Method | ir.Property, interface: str) -> ForwardingView:
    own = names.member(member.wire)
    access = f".{own}" if not own.startswith('"') else f"[{own}]"
    if isinstance(member, ir.Property):
        key = f"{interface}[{own if own.startswith(chr(34)) else chr(34) + own + chr(34)}]"
        return ForwardingView(f"get {own}(): {key}", f"return this.#target{access};")
    quoted = own if own.startswith('"') else f'"{own}"'
    kind = f"{interface}[{quoted}]"
    return ForwardingView(
        f"{own}(...args: Parameters<{kind}>): ReturnType<{kind}>", f"return this.#target{access}(...args);"
    )
