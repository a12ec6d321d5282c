"""What is left of what the calls of a session may cost, for the methods that it calls."""

from __future__ import annotations

from capnweb_runtime.core.costs import CostLeft
from capnweb_runtime.objects.stub import costs


def cost_left() -> CostLeft | None:
    """Tells what is left of the budget that `Limits.cost` gives the session whose call is being served, after this
    call. To be called in a method or property of a target, or in an interceptor. A method of your own may tell the
    peer::

        class Search(SearchTarget):
            def budget(self) -> int:
                left = cost_left()
                return left.left if left else 0

    Returns:
        The budget; None if no call is being served here, or if `Limits.cost` is not set.
    """
    window = costs.get()
    return None if window is None else window.left()
