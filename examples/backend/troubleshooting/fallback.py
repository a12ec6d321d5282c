"""A fallback that is never tried, and one that says why it was.

Rule: what a fallback is for is written down as exceptions, and a call that hangs is one of them: without a deadline
there is nothing to catch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from capnweb_runtime import RpcError, SessionError, deadline
from examples.backend.troubleshooting.generated.translating import TranslatorStub, TranslatorTarget
from examples.backend.troubleshooting.schemas.translating import Translation

FAILURES = (SessionError, RpcError, TimeoutError)
"""For what another model is tried: no connection, a failure that the schema does not declare, and no answer in time."""


class Model(TranslatorTarget):
    """A model that fails in a way of its own: "overloaded" raises, "stuck" does not answer, "well" works.

    Attributes:
        begun: set once it has been asked.
        goes_on: if this is set, what is stuck answers.
    """

    def __init__(self, name: str, mood: str) -> None:
        self._name = name
        self._mood = mood
        self.begun, self.goes_on = asyncio.Event(), asyncio.Event()

    async def translate(self, text: str) -> Translation:
        self.begun.set()
        if self._mood == "overloaded":
            raise RuntimeError("too many requests")
        if self._mood == "stuck":
            await self.goes_on.wait()
        return Translation(text=text.upper(), model=self._name)


async def wishful(models: Sequence[TranslatorStub], text: str) -> Translation:
    """What most people write first: it catches what the model raises in its own process, where it is a RuntimeError.

    What arrives here is an RpcError, so that nothing is caught; and a model that is stuck raises nothing at all.
    """
    for model in models[:-1]:
        try:
            return await model.translate(text)
        except RuntimeError:
            continue
    return await models[-1].translate(text)


@dataclass
class Chain:
    """Models, in the order in which they are tried.

    Parameters:
        models: them, by name.
        patience: seconds that each has.

    Attributes:
        told: why a model was not the one, one line for each.
    """

    models: dict[str, TranslatorStub]
    patience: float
    told: list[str] = field(default_factory=list[str])

    async def translate(self, text: str) -> Translation:
        """The translation of the first model that gives one.

        Raises:
            ExceptionGroup: none does; with what each has failed with.
        """
        failures: list[Exception] = []
        for name, model in self.models.items():
            try:
                with deadline(self.patience):
                    return await model.translate(text)
            except FAILURES as error:
                self.told.append(f"{name}: {type(error).__name__}")
                failures.append(error)
        raise ExceptionGroup("no model has translated it", failures)
