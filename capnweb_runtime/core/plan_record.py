"""Records plans: what a function does with placeholders becomes instructions. Rule: each function is called once, and
what it does stands in the block that is its own.
"""

from __future__ import annotations

from typing import Final

from capnweb_runtime.core.hook import Codec, Hook, Path, Payload, Wire
from capnweb_runtime.core.payload import encode_payload
from capnweb_runtime.core.plan_form import HEADER
from capnweb_runtime.core.plan_sending import send_plan
from capnweb_runtime.core.raises import join
from capnweb_runtime.core.remap import Recorder, Variable

_OTHER_BLOCK: Final = (
    "a value that was recorded in one function of a plan is not known in another: return it from the function that "
    "records it, and use what when(), repeat() or keep() gives"
)


class PlanRecorder(Recorder):
    """Records a block of a plan: the plan itself, or what a function in it does.

    Parameters:
        parent: the recorder of the block around it; None for the plan itself.
    """

    in_plan = True
    function = "a function of a plan"

    def __init__(self, parent: PlanRecorder | None = None) -> None:
        super().__init__(parent)
        self.idempotent = False
        if parent is None:
            self.instructions.append([*HEADER])

    def index_of(self, hook: Hook) -> int:
        """See `Recorder.index_of`. Raises TypeError for a value of a block that this one does not stand in."""
        if isinstance(hook, Variable):
            around: Recorder | None = self
            while around is not None and around is not hook.recorder:
                around = around.parent
            if around is None:
                raise TypeError(_OTHER_BLOCK)
        return super().index_of(hook)

    def finish(self, subject: Hook, path: Path, result: Payload, expect: Codec | None) -> Hook:
        """See `Recorder.finish`: of the plan itself."""
        self.instructions.append(encode_payload(result, self))
        captures, self.captures = self.captures, []
        return send_plan(subject, path, captures, self.instructions, expect)

    def wire(self, value: object) -> Wire:
        """The expression of a value, with the promises in it by their indices."""
        return encode_payload(Payload(value), self)

    def add(self, instruction: Wire) -> Variable:
        """Records an instruction and returns the variable of its value."""
        self.instructions.append(instruction)
        return Variable(self, len(self.instructions))

    def close_block(self, result: object) -> Wire:
        """Ends this block, of which that is the result, and returns it as it stands in an instruction of the one around
        it.
        """
        parent = self.parent
        assert parent is not None
        self.instructions.append(self.wire(result))
        parent.raises = join(self.raises, parent.raises)
        captures: list[Wire] = []
        for hook in self.captures:
            captures.append(["import", parent.index_of(hook)])
        self.give_up()
        return [captures, self.instructions]

    def give_up(self) -> None:
        """Gives back what has been captured."""
        captures, self.captures = self.captures, []
        for hook in captures:
            hook.dispose()
