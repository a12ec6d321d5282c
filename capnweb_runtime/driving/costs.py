"""What is left of what the calls of a session may cost, for the methods that it calls."""

from __future__ import annotations

from capnweb_runtime.core.costs import CostLeft
from capnweb_runtime.objects.stub import costs


def cost_left() -> CostLeft | None:
    """What the peer whose call is being served may still ask for, this call being paid for; to be asked in a method, a
    property or an interceptor. A method of your own tells the peer::

        class Search(SearchTarget):
            def budget(self) -> int:
                left = cost_left()
                return left.left if left else 0

    Returns:
        None where nothing is served, or `Limits.cost` is not set.
    """
    window = costs.get()
    return None if window is None else window.left()
