"""What `python -m capnweb_runtime serve` is given where a factory does not say enough. Rule: what a program decides is
said here, and what depends on where it runs, such as addresses and certificates, on the command line.

service = Service(lambda peer: Shop(), plans=True, interceptors=[Telemetry()])
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, TypedDict, Unpack

from capnweb_runtime.serving.factory import check_factory

if TYPE_CHECKING:
    from capnweb_runtime.core.hook import Disclosure
    from capnweb_runtime.debugging.settings import Debug
    from capnweb_runtime.driving.interceptors import Interceptor
    from capnweb_runtime.health import Health
    from capnweb_runtime.limits import Limits, ServerLimits
    from capnweb_runtime.observe import Observer
    from capnweb_runtime.serving.admission import MainFactory

__all__ = ["Service", "ServiceOptions"]


class ServiceOptions(TypedDict, total=False):
    """Parameters of `serve`, by their names there, which has what they mean. Those that are left out are as `serve` has
    them.
    """

    limits: Limits
    server_limits: ServerLimits
    observer: Observer | None
    interceptors: Sequence[Interceptor]
    errors: Disclosure
    plans: bool
    threads: int | None
    call_timeout: float | None
    cancel_lost: bool
    request_timeout: float
    keepalive: float | None
    close_timeout: float
    debug: Debug
    health: Health | None


_KNOWN: Final = frozenset(ServiceOptions.__annotations__)


class Service:
    """What makes main objects, and how their sessions are served: what `python -m capnweb_runtime serve` may be given
    in place of a factory, and what an application of several workers may return. In a program of its own it is
    `serve(service.main_factory, host, port, **service.options)`.

    Parameters:
        main_factory: makes the main object of a new session, as for `serve`.
        options: what else `serve` is to be given. `--alive` and `--ready` take the place of the paths in `health`,
            whose checks are asked in any case.

    Attributes:
        main_factory: the same.
        options: the same, as a dictionary.

    Raises:
        TypeError: main_factory cannot make a main object, or there is no such option: addresses, paths, certificates
            and whom to let in stand on the command line.
    """

    def __init__(self, main_factory: MainFactory, **options: Unpack[ServiceOptions]) -> None:
        check_factory(main_factory)
        for name in options:
            if name not in _KNOWN:
                close = difflib.get_close_matches(name, _KNOWN, n=1)
                meant = f"did you mean {close[0]!r}?" if close else "where a server is stands on the command line"
                raise TypeError(f"Service() takes no {name!r}: {meant}")
        self.main_factory = main_factory
        self.options = options
