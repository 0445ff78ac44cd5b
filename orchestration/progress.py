"""Who is told how far a run is: a person at a terminal, a log, or Dagster's own."""

import logging
import time
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

# often enough to see that it lives, seldom enough to read in a log
SECONDS_BETWEEN_LINES = 5.0


class Reporter(Protocol):
    """Hears of stages, of how far the present one is, and of what is worth a line."""

    def stage(self, title: str) -> None:
        """A new stage has begun."""

    def advance(self, done: int, total: int, what: str) -> None:
        """The present stage has done so much; `what` is under way."""

    def note(self, text: str) -> None:
        """Something that a person should read."""


class TerminalReporter(AbstractContextManager["TerminalReporter"]):
    """A live line on a terminal; use it as a context manager."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[what]}", style="dim"),
            console=console,
            transient=False,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close_stage()
        self._progress.stop()

    def stage(self, title: str) -> None:
        """Closes the line of the stage before and begins one of its own."""
        self._close_stage()
        self._task = self._progress.add_task(title, total=None, what="")

    def advance(self, done: int, total: int, what: str) -> None:
        """Moves the bar."""
        if self._task is not None:
            self._progress.update(self._task, completed=done, total=total, what=what)

    def note(self, text: str) -> None:
        """Prints the text above the bar."""
        self._progress.console.print(text, markup=False, highlight=False)

    def _close_stage(self) -> None:
        if self._task is None:
            return
        task = self._progress.tasks[self._task]
        total = task.total or 1
        self._progress.update(self._task, completed=total, total=total, what="")
        self._progress.stop_task(self._task)


class LineReporter:
    """Plain lines with the time, for logs and files."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._title = ""
        self._told_at = 0.0

    def stage(self, title: str) -> None:
        """One line."""
        self._title, self._told_at = title, time.monotonic()
        self.note(title)

    def advance(self, done: int, total: int, what: str) -> None:
        """A line now and then."""
        if time.monotonic() - self._told_at >= SECONDS_BETWEEN_LINES:
            self._told_at = time.monotonic()
            self.note(f"{self._title}: {done} of {total} ({what})")

    def note(self, text: str) -> None:
        """One line."""
        now = datetime.now(UTC)
        # a log that has no room is no reason to end a run
        with suppress(OSError):
            self._console.print(
                f"{now:%H:%M:%S} {text}", markup=False, highlight=False, soft_wrap=True
            )


class LogReporter:
    """Into a log, such as that of a run in Dagster's pages."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def stage(self, title: str) -> None:
        """One entry."""
        self._logger.info(title)

    def advance(self, done: int, total: int, what: str) -> None:
        """Nothing: Dagster shows each asset as it is done."""

    def note(self, text: str) -> None:
        """One entry."""
        self._logger.info(text)
