"""The changes that are known, and what each does.

Rule: one entry for each kind of change, with an id that does not change any more. The effects are those of the plain
case; where something in the schema makes it better or worse, `unless` says so. Tests run every entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from capnweb_gen.evolution.effects import (
    BREAKS,
    BREAKS_IF_USED,
    CHECKED,
    CHECKED_IF_USED,
    SAFE,
    WARNS,
    Effects,
)


@dataclass(frozen=True)
class Rule:
    """One kind of change.

    Attributes:
        id: what it is called, by people and in pyproject.toml.
        change: what has changed.
        effects: what that does.
        why: one line.
        hint: what to do instead.
        unless: what makes the effects others than these; empty if nothing does.
    """

    id: str
    change: str
    effects: Effects
    why: str
    hint: str
    unless: str = ""


_AT_ONCE = "keep the old one beside it until nobody uses it any more"

RULES: Final = (
    Rule(
        "member-added",
        "a method or property was added",
        Effects(SAFE, BREAKS_IF_USED),
        "an old server does not have it, and refuses whoever asks for it",
        "update servers first",
        "in an interface that clients implement: breaks old clients",
    ),
    Rule(
        "member-removed",
        "a method or property was removed, or has another name on the wire",
        Effects(BREAKS, SAFE, code=True),
        "an old client still asks for it by that name",
        f"{_AT_ONCE}, marked @deprecated",
        "in an interface that clients implement: breaks new clients",
    ),
    Rule(
        "member-renamed",
        "a member has another name in Python, and the same on the wire",
        Effects(code=True),
        "only the name on the wire travels",
        "rename it where it is called and implemented",
    ),
    Rule(
        "member-kind-changed",
        "a method became a property, or a property a method",
        Effects(BREAKS, BREAKS, code=True),
        "a property is read and a method is called, and neither does for the other",
        "add a member with another name, " + _AT_ONCE.replace("the old one", "this one"),
    ),
    Rule(
        "required-parameter-added",
        "a parameter without a default was added",
        Effects(BREAKS, CHECKED, code=True),
        "an old client does not send it; an old server refuses one argument too many, if it checks",
        "give it a default",
    ),
    Rule(
        "optional-parameter-added",
        "a parameter with a default was added at the end, or keyword-only",
        Effects(SAFE, CHECKED_IF_USED),
        "an old server refuses what it does not know, or ignores it if it checks nothing",
        "update servers first",
    ),
    Rule(
        "parameter-moved",
        "a parameter was inserted before others, or they changed places",
        Effects(BREAKS, BREAKS, code=True),
        "arguments travel by position",
        "add parameters at the end, or keyword-only",
    ),
    Rule(
        "parameter-removed",
        "a parameter was removed",
        Effects(CHECKED, BREAKS, code=True),
        "an old client still sends it; an old server still needs it",
        "keep it with a default, and ignore it",
        "it had a default: safe for new clients",
    ),
    Rule(
        "parameter-required",
        "a parameter lost its default",
        Effects(BREAKS, SAFE, code=True),
        "an old client may leave it out",
        "keep the default",
    ),
    Rule(
        "parameter-optional",
        "a parameter got a default",
        Effects(SAFE, BREAKS_IF_USED),
        "what is left out does not travel, and an old server needs it",
        "update servers first",
    ),
    Rule(
        "parameter-passing-changed",
        "a positional parameter became keyword-only, or the other way round",
        Effects(BREAKS, BREAKS, code=True),
        "keyword arguments travel in an object behind the positional ones",
        "add a parameter with another name and a default",
    ),
    Rule(
        "keyword-renamed",
        "a keyword-only parameter has another name on the wire",
        Effects(BREAKS, BREAKS),
        "keyword arguments travel by name",
        "add a parameter with a default, and keep this one with a default as well",
    ),
    Rule(
        "parameter-renamed",
        "a positional parameter has another name",
        Effects(code=True),
        "positional arguments travel without their names; only callers who name it notice",
        "make it positional-only if its name says nothing",
    ),
    Rule(
        "default-changed",
        "a default is another",
        Effects(WARNS, WARNS),
        "what is left out does not travel: the default of the server that answers applies, old or new",
        "add a parameter if old callers must get what they got",
    ),
    Rule(
        "parameter-widened",
        "a server takes more values than before",
        Effects(SAFE, CHECKED_IF_USED),
        "an old server refuses a value that it does not know, if it checks",
        "update servers first",
    ),
    Rule(
        "parameter-narrowed",
        "a server takes fewer values than before",
        Effects(CHECKED, SAFE, code=True),
        "an old client may send what is refused now",
        "take the old values as well, and answer what is right for them",
        "Open[...] was taken away: warns",
    ),
    Rule(
        "result-widened",
        "a server gives values that it did not give before",
        Effects(CHECKED, SAFE, code=True),
        "an old client refuses a value that it does not know, if it checks",
        "declare the type as Open[...] one release before it gets more values",
        "it was Open[...]: safe; it became Open[...]: safe, and code has to be edited",
    ),
    Rule(
        "result-narrowed",
        "a server no longer gives some of the values that it gave before",
        Effects(SAFE, CHECKED),
        "an old server still gives them, and a new client refuses them, if it checks",
        "keep the type of the result wide until no old server answers",
        "Open[...] was taken away: warns",
    ),
    Rule(
        "result-field-added",
        "a field was added to what servers send",
        Effects(SAFE, BREAKS, code=False),
        "an old client ignores it; a new one misses it in what an old server sends",
        "give it a default",
        'it has a default: safe for both; the model of the old client has extra="forbid": breaks where checked',
    ),
    Rule(
        "result-field-removed",
        "a field was removed from what servers send, or may be missing now",
        Effects(BREAKS, SAFE, code=True),
        "an old client misses it",
        "keep sending it",
        "the old model has a default for it: safe; a model got a default, and is no TypedDict: warns",
    ),
    Rule(
        "argument-field-required",
        "a field without a default was added to what clients send, or lost its default",
        Effects(BREAKS, SAFE, code=True),
        "an old client does not send it",
        "give it a default",
        'the model of the old server has extra="forbid": a new client breaks where checked',
    ),
    Rule(
        "argument-field-added",
        "a field with a default was added to what clients send",
        Effects(SAFE, WARNS),
        "an old server ignores it",
        "update servers first",
        'the model of the old server has extra="forbid": breaks where checked',
    ),
    Rule(
        "argument-field-removed",
        "a field was removed from what clients send",
        Effects(SAFE, BREAKS, code=True),
        "a new server ignores it; an old one misses it",
        "keep it with a default, and ignore it",
        'the old model has a default for it: safe for new clients; the new one has extra="forbid": breaks old clients '
        "where checked",
    ),
    Rule(
        "field-renamed",
        "a field has another name on the wire",
        Effects(BREAKS, BREAKS),
        "each side looks for it under the name that it knows",
        "add a field with a default, and keep this one with a default as well",
    ),
    Rule(
        "representation-changed",
        "a value travels in another form",
        Effects(BREAKS, BREAKS, code=True),
        "each side takes the other's form for something else, or refuses it",
        "add a field, a parameter or a member of the new type",
    ),
    Rule(
        "container-changed",
        "a type is another in Python, and travels in the same form",
        Effects(code=True),
        "list and set, model and dataclass are the same on the wire",
        "edit where it is used",
    ),
    Rule(
        "integer-size-changed",
        "an integer may now be beyond 2**53, or no longer",
        Effects(WARNS, WARNS),
        "beyond 2**53 it travels as a bigint, which JavaScript does not mix with numbers",
        "keep integers that JavaScript reads within 2**53",
    ),
    Rule(
        "capability-changed",
        "a value became a capability or a stream, or a capability another",
        Effects(BREAKS, BREAKS, code=True),
        "what has arrived does not have what is asked of it",
        "add a member with another name",
    ),
    Rule(
        "capability-extended",
        "in place of a capability one of an interface that inherits it is given",
        Effects(SAFE, BREAKS_IF_USED),
        "it has all that it had; what an old server gives lacks the rest",
        "update servers first",
        "as an argument: breaks old clients",
    ),
    Rule(
        "capability-reduced",
        "in place of a capability one of an interface that it inherits is given",
        Effects(BREAKS, SAFE, code=True),
        "an old client asks for what is not there any more",
        "give the same capability until no old client is left",
        "as an argument: safe for old clients, breaks new ones",
    ),
    Rule(
        "callback-changed",
        "a function that is passed takes or gives something else",
        Effects(BREAKS, BREAKS, code=True),
        "the one who calls it is at the other end: servers call what clients pass",
        "add a parameter with a default that takes the new function",
        "as of the rule for the same change of a method, with old and new clients swapped",
    ),
    Rule(
        "exception-added",
        "a method declares a further exception",
        Effects(WARNS, SAFE),
        "old clients get it as an RpcError",
        "derive it from one that they know",
    ),
    Rule(
        "exception-removed",
        "a method no longer declares an exception, or it has another name on the wire",
        Effects(WARNS, WARNS, code=True),
        "one side gets as an RpcError what the other raises",
        "keep it declared until no old server raises it",
    ),
    Rule(
        "exception-field-changed",
        "an attribute of an exception was removed, added, or has another type",
        Effects(BREAKS, SAFE, code=True),
        "who misses an attribute gets an RpcError in place of the exception",
        "keep the attribute",
        "it was added without a default: breaks new clients instead",
    ),
    Rule(
        "declaration-renamed",
        "a module, model, exception or interface has another name, and the same members",
        Effects(code=True),
        "names of types do not travel, but for those of exceptions",
        "import it by its new name",
    ),
    Rule(
        "not-on-the-wire",
        "a description, a deprecation, a cost, `async` or what Python calls something has changed",
        Effects(),
        "none of it travels",
        "nothing has to be done",
    ),
)
"""All of them, in the order of the documentation."""

BY_ID: Final = {rule.id: rule for rule in RULES}
