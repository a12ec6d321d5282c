"""Names that a schema uses, and where they come from.

Rule: a name is imported as it is used. Where something in the schema is called so too, it is written with its module.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Collection, Iterator

from capnweb_gen.backends.python import layout

_BUILTINS = frozenset(vars(builtins))
_OWN = frozenset({"capnweb_runtime"})


class Names:
    """The imports of one module.

    Args:
        declared: the names that the module declares itself.
    """

    def __init__(self, declared: Collection[str]) -> None:
        self._declared = frozenset(declared)
        self._members: frozenset[str] = frozenset()
        self._from: dict[str, set[str]] = {}
        self._whole: dict[str, set[str]] = {}

    def inside(self, members: Collection[str]) -> None:
        """Told what a class calls its members, before what is in it is written."""
        self._members = frozenset(members)

    def use(self, module: str, name: str) -> str:
        """How something from another module is written."""
        if module == "builtins" and name in _BUILTINS and name not in self._members | self._declared:
            return name
        if module == "builtins" or name in self._members | self._declared:
            return f"{self._module(module)}.{name}"
        self._from.setdefault(module, set()).add(name)
        return name

    def _module(self, module: str) -> str:
        """How a module is written: by another name if a class calls a member as it is called."""
        if module.partition(".")[0] not in self._members | self._declared:
            self._whole.setdefault(module, set()).add("")
            return module
        called = f"{module.replace('.', '_')}_module"
        self._whole.setdefault(module, set()).add(called)
        return called

    def blocks(self) -> Iterator[str]:
        """The imports in groups, as isort sorts them: the standard library, others, this project's."""
        modules = sorted({*self._from, *self._whole})
        standard = [module for module in modules if module.partition(".")[0] in sys.stdlib_module_names]
        known = {"pydantic", "typing_extensions"}
        others = [module for module in modules if module.partition(".")[0] in known]
        own = [module for module in modules if module not in standard and module not in others]
        runtime = [module for module in own if module.partition(".")[0] in _OWN]
        for group in (standard, others, runtime, [module for module in own if module not in runtime]):
            lines = [_whole(module, name) for module in group for name in sorted(self._whole.get(module, ()))]
            lines += [layout.imported(module, _sorted(self._from[module])) for module in group if module in self._from]
            if lines:
                yield "\n".join(lines)


def _whole(module: str, called: str) -> str:
    return f"import {module} as {called}" if called else f"import {module}"


def _sorted(names: Collection[str]) -> list[str]:
    """Constants, then classes, then functions."""
    return sorted(
        names, key=lambda name: (0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2, name)
    )
