"""What sessions are asked for, by `serve` and by mounts alike. Rule: what cannot be meant is said before anybody may
connect.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from capnweb_runtime.core.hook import Disclosure
from capnweb_runtime.driving.connection import debug_mode
from capnweb_runtime.limits import DEFAULT_LIMITS, DEFAULT_SERVER_LIMITS, Limits, ServerLimits
from capnweb_runtime.observe import Observer
from capnweb_runtime.serving.admission import MainFactory, Rules
from capnweb_runtime.serving.factory import check_factory, declared_main
from capnweb_runtime.serving.hosts import Hosts
from capnweb_runtime.serving.peer import Transport
from capnweb_runtime.transports.keepalive import Silence

if TYPE_CHECKING:
    from capnweb_runtime.debugging.settings import Debug
    from capnweb_runtime.driving.attending import Terms
    from capnweb_runtime.driving.interceptors import Interceptor
    from capnweb_runtime.health import Health
    from capnweb_runtime.inspector.settings import Inspector
    from capnweb_runtime.serving.forwarded import Forwarded


def rules_of(
    main_factory: MainFactory,
    *,
    path: str | None = "/",
    transports: frozenset[Transport],
    silence: Silence,
    server_limits: ServerLimits = DEFAULT_SERVER_LIMITS,
    origins: Iterable[str] | None = None,
    hosts: Iterable[str] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    observer: Observer | None = None,
    request_timeout: float = 30.0,
    errors: Disclosure = "plain",
    threads: int | None = None,
    cancel_lost: bool = False,
    call_timeout: float | None = None,
    interceptors: Sequence[Interceptor] = (),
    debug: Debug = None,
    plans: bool = False,
    forwarded: Forwarded | None = None,
    reflection: bool = False,
    health: Health | None = None,
    inspector: Inspector | None = None,
) -> Rules:
    """Who may have a session, and what it is like.

    Parameters:
        main_factory: see `serve`, as for all that have the same name there.
        path: what is served.
        transports: what is served, of which each is known.
        silence: how long a client may be silent.
        server_limits: bounds of the server as a whole.
        forwarded: what believes proxies.

    Raises:
        TypeError: as `serve` does.
        ValueError: as `serve` does.
    """
    check_factory(main_factory)
    check_several("origins", origins)
    check_several("hosts", hosts)
    _check_options(path, errors, threads)
    _check_room(limits, server_limits)
    if reflection:
        _check_reflection(main_factory, transports)
    return Rules(
        main_factory=main_factory,
        path=path,
        origins=None if origins is None else frozenset(origins),
        hosts=None if hosts is None else Hosts(hosts),
        transports=transports,
        limits=limits,
        observer=observer,
        request_timeout=request_timeout,
        errors=errors,
        threads=threads,
        silence=silence,
        terms=_terms(cancel_lost, call_timeout, interceptors),
        debug=debug_mode(debug),
        plans=plans,
        forwarded=forwarded,
        reflection=reflection,
        health=health,
        inspector=inspector,
    )


def check_several(name: str, several: object) -> None:
    """Refuses one text where several are meant.

    Parameters:
        name: of the option.
        several: its value.
    """
    if isinstance(several, str):
        raise TypeError(f'{name} takes several, as in {name}=["{several}"]')


def _terms(cancel_lost: bool, call_timeout: float | None, interceptors: Sequence[Interceptor]) -> Terms | None:
    if not cancel_lost and call_timeout is None and not interceptors:
        return None
    # Of no use to a server without terms.
    from capnweb_runtime.driving.attending import Terms  # noqa: PLC0415

    return Terms(cancel_lost, call_timeout, tuple(interceptors))


def _check_options(path: str | None, errors: object, threads: int | None) -> None:
    """Refuses what cannot be meant, as `serve` says."""
    if path is not None and not path.startswith("/"):
        raise ValueError(f'path has to start with a slash, as in path="/{path}"; None serves every path')
    if errors not in ("declared", "plain", "all"):
        raise ValueError(f'errors has to be "declared", "plain" or "all", not {errors!r}')
    if threads is not None and threads < 1:
        raise ValueError(f"threads has to be at least 1, not {threads}; None runs plain methods on the event loop")


def _check_reflection(main_factory: MainFactory, transports: frozenset[Transport]) -> None:
    """Refuses to describe what cannot be, as far as that is known before there is a main object."""
    if not transports & {"websocket", "http"}:
        raise ValueError('reflection is an answer over HTTP: it needs "websocket" or "http" among the transports')
    made = declared_main(main_factory)
    if made is not None:
        # Of no use to a server that tells nobody what it serves.
        from capnweb_runtime.reflection import ir_text  # noqa: PLC0415

        ir_text(made)


def _check_room(limits: Limits, server_limits: ServerLimits) -> None:
    if limits.cost is not None:
        # Of no use to a server that counts no costs.
        from capnweb_runtime.core.costs import check_costs  # noqa: PLC0415

        check_costs(limits.cost, limits.cost_window)
    unfinished = server_limits.unfinished_bytes
    if unfinished is not None and unfinished < limits.message_size:
        raise ValueError(
            f"server_limits lets {unfinished:,} bytes be unfinished, in which a message of {limits.message_size:,}, as "
            "limits allow it, could never arrive: raise ServerLimits.unfinished_bytes, or lower Limits.message_size"
        )
