"""What functions and classes of users declare, without asking what their annotations mean. Rule: who needs only names
or kinds asks here and not `inspect`, which evaluates annotations since Python 3.14, and raises NameError of a type that
is imported for type checkers alone. The compiler has the same for itself.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable

if sys.version_info >= (3, 14):
    import annotationlib


def signature(function: Callable[..., object]) -> inspect.Signature:
    """The signature of a function, as `inspect.signature` gives it; a name in it that means nothing is a forward
    reference.

    Raises:
        TypeError, ValueError: as `inspect.signature` does.
    """
    if sys.version_info >= (3, 14):
        return inspect.signature(function, annotation_format=annotationlib.Format.FORWARDREF)
    else:  # or mypy would call it unreachable
        return inspect.signature(function)


def annotated(declared: type) -> list[str]:
    """The names that the body of a class annotates, in its order."""
    if sys.version_info >= (3, 14):
        return list(annotationlib.get_annotations(declared, format=annotationlib.Format.STRING))
    else:  # likewise
        return list(inspect.get_annotations(declared))
