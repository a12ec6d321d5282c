"""Options of back ends, read from the signature of the back end's function.

Rule: an option is a keyword-only parameter with a default: a `bool`, a `str` or a `Literal` of strings. A value that is
given for one is checked before any schema is read.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, get_args, get_origin

from capnweb_gen import signatures

OptionValue = bool | str

RESERVED = frozenset({"backend", "out", "output", "schemas"})
"""Keys that stand beside the options in the configuration, so that no option can have these names."""


@dataclass(frozen=True)
class Option:
    """An option. `choices` are the strings that it takes; empty for a switch, and if it takes any string."""

    name: str
    default: OptionValue
    choices: tuple[str, ...] = ()

    @property
    def is_switch(self) -> bool:
        """Whether it is either on or off."""
        return isinstance(self.default, bool)

    @property
    def takes(self) -> str:
        """What it takes, in words."""
        if self.is_switch:
            return "true or false"
        return " or ".join(f'"{choice}"' for choice in self.choices) or "a string"

    def admits(self, value: object) -> bool:
        """Whether a value is one that the option takes."""
        if self.is_switch:
            return isinstance(value, bool)
        return isinstance(value, str) and (not self.choices or value in self.choices)


def declared(function: Callable[..., object]) -> dict[str, Option]:
    """The options of a back end, in the order of its signature.

    Raises:
        ValueError: a parameter is keyword-only, and no option all the same.
    """
    if not _by_keyword(signatures.signature(function)):
        return {}
    try:
        signature = inspect.signature(function, eval_str=True)
    except Exception as error:
        raise ValueError(f"its annotations cannot be read: {error}") from error
    return {parameter.name: _option(parameter) for parameter in _by_keyword(signature)}


def _by_keyword(signature: inspect.Signature) -> list[inspect.Parameter]:
    return [parameter for parameter in signature.parameters.values() if parameter.kind is parameter.KEYWORD_ONLY]


def _option(parameter: inspect.Parameter) -> Option:
    name, default, declared = parameter.name, parameter.default, parameter.annotation
    if name in RESERVED:
        raise ValueError(f"{name} means something else beside it; give it another name")
    arguments: tuple[object, ...] = get_args(declared) if get_origin(declared) is Literal else ()
    choices = tuple(choice for choice in arguments if isinstance(choice, str))
    kind = bool if declared is bool else str if declared is str or choices else None
    if kind is None or len(choices) < len(arguments):
        raise ValueError(f"{name} is no bool, str or Literal of strings")
    option = Option(name, default, choices)
    if not isinstance(default, kind) or not option.admits(default):
        raise ValueError(f"{name} needs a default, which is {'true or false' if kind is bool else option.takes}")
    return option


def checked(given: Mapping[str, object], options: Mapping[str, Option], owner: str) -> dict[str, OptionValue]:
    """Values that somebody gave for options, by name, once they are known to be right.

    Args:
        given: names and values.
        options: the options there are.
        owner: whose options they are, in words.

    Raises:
        ValueError: there is no such option, or the value is none of those that the option takes.
    """
    found: dict[str, OptionValue] = {}
    for name, value in given.items():
        option = options.get(name)
        if option is None:
            there = f"it has {', '.join(options)}" if options else "it has none"
            meant = get_close_matches(name, {*options, *RESERVED} - {name}, 1)
            raise ValueError(f"{owner} has no option {name}; " + (f"did you mean {meant[0]}?" if meant else there))
        if not isinstance(value, bool | str) or not option.admits(value):
            raise ValueError(f"the option {name} of {owner} takes {option.takes}, not {_shown(value)}")
        found[name] = value
    return found


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
