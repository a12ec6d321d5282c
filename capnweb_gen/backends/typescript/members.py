"""Methods, properties and fields, and what is said of each.

Rule: what the schema says and TypeScript has no syntax for is said in the comment, with the tags that the package's
docstring lists.
"""

from __future__ import annotations

from collections.abc import Iterator

from capnweb_gen import ir
from capnweb_gen.backends.typescript import names, text
from capnweb_gen.backends.typescript.aliases import TAG
from capnweb_gen.backends.typescript.spelling import Spelling
from capnweb_gen.backends.typescript.views import StatementView

ANY_NUMBER = "Any number of them."


def documented(doc: str | None, *tags: str) -> list[str]:
    """The lines of a comment: a docstring, and tags after it."""
    said = text.doc(doc)
    return [*said, *([""] if said and tags else []), *tags]


def deprecated(deprecation: ir.Deprecation | None) -> list[str]:
    """The tag of what should not be used any more."""
    return [f"@deprecated {text.inline(deprecation.message)}".rstrip()] if deprecation else []


def renamed(name: str, wire: str) -> list[str]:
    """The tag that says a name in Python which nobody would expect."""
    return [f"{TAG} name {name}"] if name != names.expected(wire) else []


class Members:
    """Makes the members of one generated file."""

    def __init__(self, spelling: Spelling) -> None:
        self._spelling = spelling

    def field(self, field: ir.ModelField, is_tag: bool = False) -> StatementView:
        """A field of a model. One that is computed may be left out, since it is ignored where it arrives; a tag, which
        tells the models of a union apart, may not, even if it has a default.
        """
        tags = [*deprecated(field.deprecated), *renamed(field.name, field.wire)]
        tags += [f"{TAG} computed"] if field.computed else []
        tags += [f"{TAG} secret"] if field.secret else []
        tags += [f"{TAG} optional"] if is_tag and not field.required else []
        optional = "" if is_tag or (field.required and not field.computed) else "?"
        head = f"{'readonly ' if field.computed else ''}{names.member(field.wire)}{optional}:"
        spelled = self._spelling.held(field.type)
        return StatementView(
            text.comment(documented(field.doc, *tags), text.STEP),
            text.declared(head, spelled, ";", indent=text.STEP),
        )

    def member(self, member: ir.Method | ir.Property) -> StatementView:
        """A method or a property of an interface."""
        tags = [*_raised(member), *deprecated(member.deprecated), *renamed(member.name, member.wire)]
        if isinstance(member, ir.Property):
            tags += _flags(member)
            comment = text.comment(documented(member.doc, *tags), text.STEP)
            head = f"readonly {names.member(member.wire)}:"
            return StatementView(comment, text.declared(head, self._spelling.given(member.type), ";", indent=text.STEP))
        tags = [*_said_of_parameters(member), *tags]
        tags += _flags(member)
        result = self._spelling.promised(member.result)
        return StatementView(
            text.comment(documented(member.doc, *tags), text.STEP),
            text.call(names.member(member.wire), self._parameters(member), f": {result};", indent=text.STEP),
        )

    def call(self, callback: ir.Callback, own: ir.Reference) -> StatementView:
        """The signature of a callback."""
        method = callback.call
        tags = [*_said_of_parameters(method), *_raised(method), *deprecated(method.deprecated), *_flags(method)]
        result = self._spelling.answered(method.result, own)
        return StatementView(
            text.comment(documented(method.doc, *tags), text.STEP),
            text.call("", self._parameters(method, own), f": {result};", indent=text.STEP),
        )

    def _parameters(self, method: ir.Method, within: ir.Reference | None = None) -> list[str]:
        """Parameters as they are passed: the keyword-only ones as the properties of the last."""
        keywords = [parameter for parameter in method.parameters if parameter.passing == "keyword"]
        others = [parameter for parameter in method.parameters if parameter.passing != "keyword"]
        are_needed = any(parameter.default is None for parameter in keywords)
        spelled: list[str] = []
        for name, parameter in zip(parameter_names(method), others, strict=False):
            of_type = self._spelling.held(parameter.type, within)
            variadic = parameter.passing == "variadic"
            if variadic:
                of_type = f"({of_type})[]" if len(text.split(of_type, " ")) > 1 else f"{of_type}[]"
            if variadic and not keywords:
                spelled.append(f"...{name}: {of_type}")
            elif parameter.default is None and not variadic:
                spelled.append(f"{name}: {of_type}")
            elif are_needed:  # nothing that is needed may come after what may be left out
                spelled.append(f"{name}: {of_type} | undefined")
            else:
                spelled.append(f"{name}?: {of_type}")
        if keywords:
            options = self._options(keywords, within)
            spelled.append(f"{parameter_names(method)[-1]}{'' if are_needed else '?'}: {options}")
        return spelled

    def _options(self, keywords: list[ir.Parameter], within: ir.Reference | None) -> str:
        lines: list[str] = []
        commented = False
        for keyword in keywords:
            said = [*_said(keyword), *renamed(keyword.name, keyword.wire)]
            head = f"{names.member(keyword.wire)}{'?' if keyword.default else ''}"
            comment = text.comment([" ".join(said)] if said else [], text.STEP).rstrip("\n")
            commented = commented or bool(comment)
            lines += [comment] if comment else []
            lines.append(f"{text.STEP}{head}: {self._spelling.held(keyword.type, within)};")
        flat = " ".join(line.strip() for line in lines)
        if not commented and len(flat) <= text.WIDTH // 2:
            return f"{{ {flat.removesuffix(';')} }}"
        return "\n".join(["{", *lines, "}"])


def parameter_names(method: ir.Method) -> list[str]:
    """What the parameters of a method are called, `options` coming last if there are keyword-only ones."""
    called = [parameter.wire for parameter in method.parameters if parameter.passing != "keyword"]
    if len(called) == len(method.parameters):
        return names.parameters(called)
    (options, *rest) = names.parameters(["options", *called])
    return [*rest, options]


def _flags(member: ir.Method | ir.Property) -> list[str]:
    flags = [flag for flag in ("idempotent", "cancellable", "secret") if getattr(member, flag, False)]
    flags += [f"cost {member.cost}"] if member.cost != 1 else []
    flags += [f"items {member.items}"] if member.items is not None else []
    return [f"{TAG} {flag}" for flag in flags]


def _raised(member: ir.Method | ir.Property) -> list[str]:
    return [f"@throws {{@link {names.type_name(reference.name)}}}" for reference in member.raises]


def _said_of_parameters(method: ir.Method) -> Iterator[str]:
    others = [parameter for parameter in method.parameters if parameter.passing != "keyword"]
    has_options = len(others) < len(method.parameters)
    for name, parameter in zip(parameter_names(method), others, strict=False):
        said = [*_said(parameter)]
        said += [ANY_NUMBER] if parameter.passing == "variadic" and has_options else []
        if said:
            yield f"@param {name} - {' '.join(said)}"


def _said(parameter: ir.Parameter) -> list[str]:
    said = ["Secret."] if parameter.secret else []
    if parameter.default is not None and parameter.default.value is not None:
        said.append(f"Defaults to {text.default(parameter.default.value)}.")
    return said
