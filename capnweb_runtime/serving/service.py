"""`Service`, which `python -m capnweb_runtime serve` takes where a factory does not say enough. Rule: it has what the
program decides; what depends on where the program runs, such as addresses and certificates, is on the command line.

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
    """The parameters of `serve` that a `Service` may have. `serve` describes them; those left out have the defaults
    that they have there.
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
    """A factory of main objects together with parameters of `serve`, such as interceptors and limits. The command
    `python -m capnweb_runtime serve` takes one in place of a factory, and the setup function of a worker may return
    one. A program of your own serves it with `serve(service.main_factory, host, port, **service.options)`.

    Parameters:
        main_factory: makes the main object of each new session; see `serve`.
        options: the parameters of `serve` that `ServiceOptions` lists. The command's options `--alive` and `--ready`
            replace the paths in `health`; its checks stay.

    Attributes:
        main_factory: the function that was given.
        options: the parameters that were given, as a dictionary.

    Raises:
        TypeError: `main_factory` cannot make a main object; or an option is none that `ServiceOptions` lists.
            Addresses, paths, certificates and whom to let in are options of the command.
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
