"""What a measurement says while it runs: a bar on a terminal, a line for each step in a pipe."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class Steps:
    """Counts steps through phases: `with Steps(console) as steps:`.

    Parameters:
        console: where to show them.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = time.monotonic()
        self._bars: Progress | None = None
        if console.is_terminal:
            self._bars = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.fields[step]}"),
                console=console,
            )
        self._phase: TaskID | None = None
        self._name = ""

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def phase(self, name: str, steps: int | None = None) -> None:
        """Begins a phase of so many steps; None if that is not known."""
        self._name = name
        if self._bars is not None:
            self._phase = self._bars.add_task(name, total=steps, step="")

    def say(self, text: str) -> None:
        """What is being done now, without being a step."""
        self._show(text, 0)

    def step(self, text: str) -> None:
        """What the next step is."""
        self._show(text, 1)

    def _show(self, text: str, advance: int) -> None:
        if self._bars is None:
            # Plain, so that what the text holds is not taken for markup, nor wrapped.
            self._console.print(f"{self.elapsed:6.0f} s  {self._name}: {text}", markup=False, soft_wrap=True)
        elif self._phase is not None:
            self._bars.update(self._phase, advance=advance, step=text)

    def close(self) -> None:
        """Leaves the bars as they are."""
        if self._bars is not None:
            self._bars.stop()

    def __enter__(self) -> Steps:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
