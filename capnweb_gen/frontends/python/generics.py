"""Generic models and interfaces with their type arguments: what each is called in generated code, and what stands for
a type parameter.

Rule: the name is made of the names of the generic and of its arguments, so that it is the same wherever the type is
written: `Page[Item]` is PageItem, `Page[list[int]]` is PageListInt.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, NewType, TypeVar, get_args, get_origin

import typing_extensions
from pydantic import BaseModel, JsonValue

from capnweb_gen.errors import UnsupportedTypeError
from capnweb_gen.frontends.python.aliases import tied
from capnweb_gen.frontends.python.annotations import subscript
from capnweb_gen.frontends.python.failures import said
from capnweb_gen.frontends.python.records import record_form
from capnweb_gen.frontends.python.type_names import describe
from capnweb_runtime.schema import OPEN, InterfaceModel, SturdyRef, Unknown

# `type X = ...` makes the one of typing, which older Pythons do not have.
ALIASES: tuple[type[typing_extensions.TypeAliasType], ...] = (
    typing_extensions.TypeAliasType,
    vars(typing).get("TypeAliasType", typing_extensions.TypeAliasType),
)

_CONTAINERS: dict[object, str] = {
    list: "List",
    dict: "Dict",
    set: "Set",
    frozenset: "Frozenset",
    tuple: "Tuple",
    typing.Union: "Union",
    types.UnionType: "Union",
}

DEEPEST = 50
"""How deep a type may be."""
ENDLESS = (
    "this type contains itself",
    "declare a model: models may contain themselves; for any JSON, write pydantic's JsonValue",
)
_JSON: object = JsonValue  # the one alias that contains itself and has a meaning of its own

Bindings = Mapping[Any, object]  # what stands for each type parameter


# ---- names


def generic_origin(model: object) -> type[object] | None:
    """The model that one is made of by giving type arguments, or None for any other.

    Args:
        model: a pydantic model, which is a class also with type arguments; or a plain record, which is none then.
    """
    if isinstance(model, type) and issubclass(model, BaseModel):
        return model.__pydantic_generic_metadata__["origin"]
    origin = get_origin(model)
    return origin if record_form(origin) is not None else None


def generic_arguments(model: object) -> tuple[object, ...]:
    """The type arguments that were given to make a model."""
    if isinstance(model, type) and issubclass(model, BaseModel):
        return tuple(model.__pydantic_generic_metadata__["args"])
    return get_args(model)


def without_aliases(argument: Any, value_of: Callable[[Any], object], depth: int = 0) -> Any:
    """A type argument with what aliases stand for, so that `Page[Names]` and `Page[list[str]]` are one model.

    Args:
        argument: the type argument.
        value_of: gives what is assigned to an alias, with no name in quotes.
        depth: how many types it stands in.

    Raises:
        UnsupportedTypeError: an alias contains itself, or a generic one lacks type arguments.
    """
    if depth > DEEPEST:
        raise UnsupportedTypeError(*ENDLESS)
    if argument is _JSON:
        return argument
    model = generic_origin(argument)
    origin: Any = model or get_origin(argument)
    for alias, given in ((argument, ()), (origin, get_args(argument))):
        if isinstance(alias, ALIASES):
            return without_aliases(substituted(value_of(alias), bound(alias, given)), value_of, depth + 1)
    if model is None and origin not in _CONTAINERS:
        return argument
    arguments = [without_aliases(inner, value_of, depth + 1) for inner in generic_arguments(argument)]
    if _CONTAINERS.get(origin) != "Union":
        return origin[tuple(arguments)]
    whole: Any = arguments[0]
    for other in arguments[1:]:
        whole = whole | other
    return whole


def instance_name(model: object) -> str | None:
    """The name of a model made by giving type arguments; None if an argument has none."""
    return _joined(_parts(model))


def interface_name(origin: type, arguments: tuple[object, ...]) -> str | None:
    """The name of a generic interface with type arguments; None if an argument has none."""
    return _joined([origin.__name__, *(part for argument in arguments for part in _parts(argument))])


def _joined(parts: typing.Iterable[str | None]) -> str | None:
    found = list(parts)
    return None if None in found else "".join(part for part in found if part)


def _parts(argument: object) -> Iterator[str | None]:
    origin = get_origin(argument)
    if origin is Annotated:
        inside, *marks = get_args(argument)
        if any(mark is OPEN for mark in marks):
            yield "Open"
            known = tuple(part for part in get_args(inside) if part is not Unknown)
            inside = typing.Union[known] if known else inside  # noqa: UP007  # of what is known at run time alone
        yield from _parts(inside)
    elif generic := generic_origin(argument):
        yield generic.__name__
        for inner in generic_arguments(argument):
            yield from _parts(inner)
    elif origin in _CONTAINERS:
        arguments = [inner for inner in get_args(argument) if inner is not ...]
        others = [inner for inner in arguments if inner is not type(None)]
        union = _CONTAINERS[origin] == "Union"
        yield "Optional" if union and len(others) == 1 else _CONTAINERS[origin]
        for inner in others if union else arguments:
            yield from _parts(inner)
    elif origin is SturdyRef or _is_interface(origin):
        yield origin.__name__
        for inner in get_args(argument):
            yield from _parts(inner)
    elif argument is None or argument is type(None):
        yield "None"
    elif argument is _JSON:
        yield "JsonValue"
    elif isinstance(argument, type | NewType):
        name = argument.__name__
        yield name[:1].upper() + name[1:]
    else:
        yield None


def _is_interface(origin: object) -> typing_extensions.TypeIs[type]:
    return inspect.isclass(origin) and (typing_extensions.is_protocol(origin) or issubclass(origin, InterfaceModel))


# ---- type parameters


def is_generic(value: object) -> bool:
    """Whether a class has type parameters that nobody has given."""
    return bool(_parameters(value))


def bound(generic: Any, arguments: tuple[object, ...]) -> dict[Any, object]:
    """What stands for each type parameter of a generic interface, model or alias that is given these arguments.

    Raises:
        UnsupportedTypeError: there are too few or too many, or one is not what its parameter demands.
    """
    found: dict[Any, object] = {}
    parameters = _parameters(generic)
    if len(arguments) > len(parameters):
        reason = f"{written(generic, arguments)} has {len(arguments)} type arguments, where {len(parameters)} are taken"
        raise UnsupportedTypeError(
            reason, f"leave out what is too much: {written(generic, ('...',) * len(parameters))}"
        )
    for index, parameter in enumerate(parameters):
        if not isinstance(parameter, TypeVar | typing_extensions.TypeVar):
            reason = f"{generic.__name__} has the type parameter {describe(parameter)}, which stands for no type"
            raise UnsupportedTypeError(reason, "use type variables only")
        argument = arguments[index] if index < len(arguments) else _default(parameter)
        if argument == _default(parameter):  # which typing may have put among the arguments, as it is
            argument = substituted(argument, found)
        if argument is typing_extensions.NoDefault:
            what = f"the {'interface' if _is_interface(generic) else 'type'} {generic.__name__} is generic"
            raise UnsupportedTypeError(what, f"name the type arguments: {written(generic, ('...',) * len(parameters))}")
        if not _allows(parameter, argument):
            constraints = " or ".join(map(describe, parameter.__constraints__))
            demand = f"is {constraints}" if constraints else f"has the bound {describe(parameter.__bound__)}"
            reason = f"{written(generic, arguments)} is not possible: {parameter.__name__} {demand}"
            raise UnsupportedTypeError(reason, f"give it {constraints or 'a type that derives from that'}")
        found[parameter] = argument
    return found


def with_defaults(model: Any, complete: Callable[[object], object]) -> Any:
    """A generic model in which type parameters that nobody has given stand for their defaults. If one has none, the
    model is left as it is.

    Args:
        model: a class, with or without type arguments.
        complete: makes a type of a default, which may be a name in quotes.

    Raises:
        UnsupportedTypeError: a default is not what its parameter demands.
    """
    origin = generic_origin(model)
    named = () if origin is None else generic_arguments(model)
    given = tuple(one if generic_origin(one) is None else with_defaults(one, complete) for one in named)
    generic: Any = origin or model
    parameters = _parameters(generic)
    left = parameters[len(given) :]
    # Where typing has put a default among the arguments, it may still name the parameters before it.
    whole = given == named and not any(map(_names_parameters, parameters, given))
    if (whole and not left) or any(_default(parameter) is typing_extensions.NoDefault for parameter in left):
        return model
    return subscript(generic, tuple(map(complete, bound(generic, given).values())))


def defaults(generic: Any) -> tuple[object, ...] | None:
    """The defaults of the type parameters of a generic class; None unless all have one."""
    found: dict[Any, object] = {}
    for parameter in _parameters(generic):
        found[parameter] = substituted(_default(parameter), found)
    return None if typing_extensions.NoDefault in found.values() else tuple(found.values())


def demanded(generic: Any) -> str:
    """What to write for a generic model that was given no type arguments: a hint."""
    parameters = [one for one in _parameters(generic) if _default(one) is typing_extensions.NoDefault]
    bounds = [describe(bound) for one in parameters if (bound := getattr(one, "__bound__", None)) is not None]
    if bounds:
        return f"give it a type that derives from {' or '.join(bounds)}: {written(generic, ('...',) * len(parameters))}"
    return f"give it a type, such as {written(generic, ('int',) * len(parameters))}"


def substituted(annotation: object, bindings: Bindings) -> Any:
    """A type with its type parameters replaced by what stands for them, as far as that is known."""
    if isinstance(annotation, TypeVar | typing_extensions.TypeVar):
        return bindings.get(annotation, annotation)
    # A generic model that is given its own type parameters is itself again; an interface by its mere name is refused.
    named = inspect.isclass(annotation) and not issubclass(annotation, BaseModel)
    parameters = _parameters(annotation)
    if named or not any(parameter in bindings for parameter in parameters):
        return annotation
    given = tuple(bindings.get(parameter, parameter) for parameter in parameters)
    try:
        return subscript(annotation, given)
    except Exception as error:  # a model that does not want to hold the type, say
        reason = f"{describe(annotation)} cannot be given {', '.join(map(describe, given))}: {said(error)}"
        hint = "give the interface another type, or change the model"
        raise UnsupportedTypeError(reason, hint) from error


def written(generic: Any, arguments: tuple[object, ...]) -> str:
    """A generic type with type arguments, as people write it."""
    return f"{generic.__name__}[{', '.join(map(describe, arguments))}]"


def _parameters(generic: object) -> tuple[Any, ...]:
    parameters: tuple[Any, ...] = getattr(generic, "__parameters__", ())
    if isinstance(generic, type) and issubclass(generic, BaseModel) and generic is not BaseModel:
        return generic.__pydantic_generic_metadata__["parameters"]  # the others say nothing of Box[T]
    return parameters


def _names_parameters(parameter: Any, argument: object) -> bool:
    """Whether an argument is the default of its parameter as it was declared, with other parameters in it."""
    return bool(_parameters(argument)) and argument == _default(parameter)


def _default(parameter: Any) -> object:
    """The default of a type parameter, of which names in quotes belong to the module that declares the parameter."""
    return tied(getattr(parameter, "__default__", typing_extensions.NoDefault), parameter.__module__)


def _allows(parameter: Any, argument: object) -> bool:
    """Whether a type parameter may stand for a type. What only a type checker could tell is allowed."""
    if isinstance(argument, TypeVar | typing_extensions.TypeVar):
        return True
    if get_origin(argument) in (typing.Union, types.UnionType) and not parameter.__constraints__:
        return all(_allows(parameter, member) for member in get_args(argument))
    if parameter.__constraints__:
        return argument in parameter.__constraints__
    demanded: object = get_origin(parameter.__bound__) or parameter.__bound__
    given: object = get_origin(argument) or argument
    if not inspect.isclass(demanded) or not inspect.isclass(given):
        return True
    try:
        return issubclass(given, demanded)
    except TypeError:  # a Protocol, which whatever has its members fulfils
        return True
