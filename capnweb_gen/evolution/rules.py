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


_SERVERS_FIRST = "update the servers first"
_IMPLEMENTERS_FIRST = "update the side that implements the interface first: mostly the servers"

RULES: Final = (
    Rule(
        "member-added",
        "a method or property was added",
        Effects(SAFE, BREAKS_IF_USED),
        "an old object does not have the member, and refuses whoever asks for it",
        _IMPLEMENTERS_FIRST,
        "in an interface that clients implement: breaks old clients",
    ),
    Rule(
        "member-removed",
        "a method or property was removed, or got another name on the wire",
        Effects(BREAKS, SAFE, code=True),
        "an old caller still asks for the member by its old name",
        "keep the member until nobody uses it any more, and mark it @deprecated",
        "in an interface that clients implement: breaks new clients",
    ),
    Rule(
        "member-renamed",
        "a member got another name in Python, and kept its name on the wire",
        Effects(code=True),
        "only the name on the wire is sent",
        "use the new name where the member is called and implemented",
    ),
    Rule(
        "member-kind-changed",
        "a method became a property, or a property became a method",
        Effects(BREAKS, BREAKS, code=True),
        "a property is read and a method is called, and neither takes the place of the other",
        "add a member with another name, and keep this one until nobody uses it any more",
    ),
    Rule(
        "required-parameter-added",
        "a parameter without a default was added",
        Effects(BREAKS, CHECKED, code=True),
        "an old caller does not send the argument; an old method that checks its arguments refuses one too many",
        "give the parameter a default",
    ),
    Rule(
        "optional-parameter-added",
        "a parameter with a default was added, at the end or as keyword-only",
        Effects(SAFE, CHECKED_IF_USED),
        "an old method that checks its arguments refuses one that it does not know; one that checks nothing ignores it",
        _IMPLEMENTERS_FIRST,
    ),
    Rule(
        "parameter-moved",
        "a parameter was inserted before others, or parameters changed places",
        Effects(BREAKS, BREAKS, code=True),
        "positional arguments are told apart by their place alone",
        "add parameters at the end, or as keyword-only",
    ),
    Rule(
        "parameter-removed",
        "a parameter was removed",
        Effects(CHECKED, BREAKS, code=True),
        "an old caller still sends the argument, and is refused where arguments are checked; an old method still "
        "needs it",
        "keep the parameter with a default, and ignore it",
        "the parameter had a default: safe for new clients",
    ),
    Rule(
        "parameter-required",
        "a parameter lost its default",
        Effects(BREAKS, SAFE, code=True),
        "an old caller may leave the argument out",
        "keep the default",
    ),
    Rule(
        "parameter-optional",
        "a parameter got a default",
        Effects(SAFE, BREAKS_IF_USED),
        "a new caller may leave the argument out, which an old method needs",
        _IMPLEMENTERS_FIRST,
    ),
    Rule(
        "parameter-passing-changed",
        "a positional parameter became keyword-only, or the other way round",
        Effects(BREAKS, BREAKS, code=True),
        "keyword arguments are sent in an object behind the positional arguments",
        "add a parameter with another name and a default",
    ),
    Rule(
        "keyword-renamed",
        "a keyword-only parameter got another name on the wire",
        Effects(BREAKS, BREAKS),
        "keyword arguments are told apart by their names",
        "add a parameter with the new name and a default, and give the old parameter a default as well",
    ),
    Rule(
        "parameter-renamed",
        "a positional parameter got another name",
        Effects(code=True),
        "positional arguments are sent without names; only code that passes the argument by name has to be edited",
        "make the parameter positional-only if its name says nothing",
    ),
    Rule(
        "default-changed",
        "the default of a parameter changed",
        Effects(WARNS, WARNS),
        "an argument that is left out is not sent: the method that answers uses its own default, the old or the new "
        "one",
        "add a parameter if old callers have to get what they got before",
    ),
    Rule(
        "parameter-widened",
        "a server takes more values than before",
        Effects(SAFE, CHECKED_IF_USED),
        "an old server that checks arguments refuses a value that it does not know",
        _SERVERS_FIRST,
    ),
    Rule(
        "parameter-narrowed",
        "a server takes fewer values than before",
        Effects(CHECKED, SAFE, code=True),
        "an old client may send a value that is refused now",
        "take the old values as well, and answer what is right for them",
        "Open[...] was removed: warns",
    ),
    Rule(
        "result-widened",
        "a server may send values that it did not send before",
        Effects(CHECKED, SAFE, code=True),
        "an old client that checks results refuses a value that it does not know",
        "declare the type as Open[...] one release before servers send more values",
        "the type was Open[...]: safe; the type became Open[...]: safe, and code has to be edited",
    ),
    Rule(
        "result-narrowed",
        "a server no longer sends some of the values that it sent before",
        Effects(SAFE, CHECKED),
        "an old server still sends these values, and a new client that checks results refuses them",
        "keep the type of the result wide until no old server answers any more",
        "Open[...] was removed: warns",
    ),
    Rule(
        "result-field-added",
        "a field was added to what servers send",
        Effects(SAFE, BREAKS, code=False),
        "an old client ignores the field; a new client misses it in what an old server sends",
        "give the field a default",
        'the field has a default: safe for both; the model of the old client has extra="forbid": breaks where checked',
    ),
    Rule(
        "result-field-removed",
        "a field was removed from what servers send, or may be missing now",
        Effects(BREAKS, SAFE, code=True),
        "an old client misses the field",
        "keep sending the field",
        "the old model has a default for the field: safe; the field got a default, and its model is no TypedDict: "
        "warns",
    ),
    Rule(
        "argument-field-required",
        "a field without a default was added to what clients send, or a field lost its default",
        Effects(BREAKS, SAFE, code=True),
        "an old client does not send the field",
        "give the field a default",
        'the model of the old server has extra="forbid": a new client breaks where checked',
    ),
    Rule(
        "argument-field-added",
        "a field with a default was added to what clients send",
        Effects(SAFE, WARNS),
        "an old server ignores the field",
        _SERVERS_FIRST,
        'the model of the old server has extra="forbid": breaks where checked',
    ),
    Rule(
        "argument-field-removed",
        "a field was removed from what clients send",
        Effects(SAFE, BREAKS, code=True),
        "a new server ignores the field; an old server misses it",
        "keep the field with a default, and ignore it",
        'the old model has a default for the field: safe for new clients; the new model has extra="forbid": breaks old '
        "clients where checked",
    ),
    Rule(
        "field-renamed",
        "a field got another name on the wire",
        Effects(BREAKS, BREAKS),
        "each side looks for the field under the name that it knows",
        "add a field with the new name and a default, and give the old field a default as well",
    ),
    Rule(
        "representation-changed",
        "a value has another form on the wire",
        Effects(BREAKS, BREAKS, code=True),
        "each side refuses the form that the other side sends, or takes it for another value",
        "add a field, a parameter or a member of the new type",
    ),
    Rule(
        "container-changed",
        "a type is another one in Python, and its values have the same form on the wire",
        Effects(code=True),
        "list and set, model and dataclass are the same on the wire",
        "edit the code that uses the type",
    ),
    Rule(
        "integer-size-changed",
        "an integer may now be beyond 2**53, or no longer",
        Effects(WARNS, WARNS),
        "an integer beyond 2**53 is sent as a bigint, which JavaScript does not mix with numbers",
        "keep integers that JavaScript reads within 2**53",
    ),
    Rule(
        "capability-changed",
        "a value became a capability or a stream, or a capability became another one",
        Effects(BREAKS, BREAKS, code=True),
        "what arrives does not have what the side that receives it uses",
        "add a member with another name",
    ),
    Rule(
        "capability-extended",
        "a capability was replaced by one of an interface that has the same members and more",
        Effects(SAFE, BREAKS_IF_USED),
        "an old capability lacks the further members, which the new side that receives it may use",
        "update the side that passes the capability first: mostly the servers",
        "as an argument: breaks old clients",
    ),
    Rule(
        "capability-reduced",
        "a capability was replaced by one of an interface that has some of its members",
        Effects(BREAKS, SAFE, code=True),
        "the old side that receives the capability may use members that are no longer there",
        "pass the same capability until the other side has been updated everywhere",
        "as an argument: safe for old clients, breaks new ones",
    ),
    Rule(
        "callback-changed",
        "a function that is passed takes or returns something else",
        Effects(BREAKS, BREAKS, code=True),
        "the function is called by the other side: servers call what clients pass",
        "add a parameter with a default that takes the new function",
        "the effects are those of the same change of a method, with old and new clients swapped",
    ),
    Rule(
        "exception-added",
        "a method declares a further exception",
        Effects(WARNS, SAFE),
        "an old caller gets the exception as an RpcError",
        "raise a class derived from an exception that old callers know, and do not declare it: it arrives as that "
        "exception",
    ),
    Rule(
        "exception-removed",
        "a method no longer declares an exception, or the exception got another name on the wire",
        Effects(WARNS, WARNS, code=True),
        "what one side raises arrives at the other side as an RpcError",
        "keep the exception declared until nobody raises it any more",
    ),
    Rule(
        "exception-field-changed",
        "an attribute of an exception was removed or added, or got another type",
        Effects(BREAKS, SAFE, code=True),
        "whoever misses an attribute gets an RpcError in place of the exception",
        "keep the attribute",
        "the attribute was added without a default: breaks new clients instead",
    ),
    Rule(
        "declaration-renamed",
        "a module, model, exception or interface got another name, and kept its members",
        Effects(code=True),
        "names of types are not sent, except those of exceptions",
        "use the new name in your code",
    ),
    Rule(
        "not-on-the-wire",
        "a description, a deprecation, a cost, `async`, or a name in Python changed",
        Effects(),
        "nothing of this is sent",
        "nothing has to be done",
    ),
)
"""All of them, in the order of the documentation."""

BY_ID: Final = {rule.id: rule for rule in RULES}
