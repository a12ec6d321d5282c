"""What a fake answers, and what it was asked. Rule: a call for which nothing is set fails with what was expected, and
is remembered, since whoever made it may have caught that.
"""

from __future__ import annotations

import reprlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any, Final, Generic, ParamSpec, TypeVar, cast, dataclass_transform

from capnweb_runtime.errors import RpcError

P = ParamSpec("P")
R = TypeVar("R")

_SHORT: Final = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxdict = 10


def shown(value: object) -> str:
    """A value for a message, cut if it is long."""
    return _SHORT.repr(value)


class UnexpectedCall(RpcError, AssertionError):
    """A fake was called with arguments for which the test has set nothing. The caller gets it as an RpcError whose text
    says what was set; `Fake.verify` fails because of it, too.
    """

    wire_name = "UnexpectedCall"


@dataclass_transform(frozen_default=True)
class Call:
    """Base of the generated classes of recorded calls: an attribute for each parameter of the method, with the
    method's default where it was not given. Two are equal if they are of the same method with equal arguments.
    """

    def __init_subclass__(cls) -> None:
        dataclass(frozen=True, repr=False)(cls)

    def __repr__(self) -> str:
        given = (f"{field.name}={shown(getattr(self, field.name))}" for field in fields(cast(Any, self)))
        return f"{type(self).__name__}({', '.join(given)})"


class Answer:
    """One thing that is set for some calls.

    Parameters:
        what: it, in words.
        give: makes it of the arguments of a call.
        times: how many calls it is for; None means one if another is set behind it, and otherwise every further one.
        holds: what is given, if that is known before.
    """

    def __init__(self, what: str, give: Callable[..., Any], times: int | None, holds: object = None) -> None:
        if times is not None and times < 1:
            raise ValueError(f"times has to be at least 1, and not {times}")
        self._what = what
        self.give = give
        self._times = times
        self.holds = holds
        self.used = 0

    def is_used_up(self, is_last: bool) -> bool:
        """Whether a further call needs another answer."""
        if self._times is None:
            return self.used > 0 and not is_last
        return self.used >= self._times

    @property
    def is_missed(self) -> bool:
        """Whether fewer calls have come than it was set for."""
        return self.used < (self._times or 1)

    def __str__(self) -> str:
        wanted = "" if self._times is None else f" of {self._times}"
        return f"{self._what} (given {self.used}{wanted} times)"


class Answers(Generic[P, R]):
    """Sets what calls of a method, or reads of a property, get. If it is set several times, each answer is given once,
    in that order, and the last one to every further call.

    Parameters:
        label: how messages write what sets it, such as "search" or "search.when(word='Sea')".
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._answers: list[Answer] = []

    def returns(self, value: R, *, times: int | None = None) -> None:
        """Makes calls return a value: the same object each time.

        Parameters:
            value: what the method may return; where it returns an object, a target, such as another fake.
            times: how many calls get it, 1 or more; `verify` fails if fewer have come. None means one or more.
        """
        self._set(Answer(f"returns {shown(value)}", lambda *_, **__: value, times, value))

    def raises(self, error: Exception | type[Exception], *, times: int | None = None) -> None:
        """Makes calls raise an exception. Whether the caller gets it as it is depends on `errors` of the session, as
        for any target.

        Parameters:
            error: the exception, or its class.
            times: how many calls get it; see `returns`.
        """

        def fail(*_: object, **__: object) -> Any:
            raise error if isinstance(error, type) else error.with_traceback(None)

        self._set(Answer(f"raises {shown(error)}", fail, times))

    def does(self, function: Callable[P, R | Awaitable[R]], *, times: int | None = None) -> None:
        """Makes calls run a function.

        Parameters:
            function: function, plain or async, with the parameters of the method.
            times: how many calls get it; see `returns`.
        """
        name = getattr(function, "__name__", shown(function))
        self._set(Answer(f"does {name}", function, times))

    def _set(self, answer: Answer) -> None:
        self._answers.append(answer)

    def _next(self) -> Answer | None:
        """The answer for a call that comes now."""
        last = len(self._answers) - 1
        unused = (answer for index, answer in enumerate(self._answers) if not answer.is_used_up(index == last))
        return next(unused, None)

    def _told(self) -> Iterator[str]:
        """What is set, a line each."""
        for answer in self._answers:
            yield f"{self._label}: {answer}"

    def _missed(self) -> Iterator[str]:
        """What was set for calls that have not come, a line each."""
        for answer in self._answers:
            if answer.is_missed:
                yield f"{self._label}: {answer}"

    def _held(self) -> Iterator[object]:
        for answer in self._answers:
            yield answer.holds
