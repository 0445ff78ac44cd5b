"""What is kept on disk: the open incidents and the messages that are still to be delivered.

One file, replaced whole: incidents and messages can't disagree, however a run ends. A message is
taken out once it was delivered, so a kill between the two delivers it twice, never not at all; its
id is the same.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from alerting.incidents import Incident, Trouble
from alerting.messages import Message

FILE = "alerts.json"
FILE_MODE = 0o600
VERSION = 1


@dataclass(frozen=True)
class Delivery:
    """A message on its way to one place; `last_error` is empty before the first attempt.

    `taken_by` are the addresses of those who have it where another recipient was refused.
    """

    place: str
    message: Message
    last_error: str = ""
    taken_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class State:
    """All that is kept."""

    incidents: tuple[Incident, ...] = ()
    queue: tuple[Delivery, ...] = ()


class DamagedError(Exception):
    """The file is none that this program wrote."""


@dataclass(frozen=True)
class Outbox:
    """The file in the folder of a warehouse."""

    folder: Path

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / FILE

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keeps other processes from the file for a while; waits for them first."""
        with FileLock(self.folder / f".{FILE}.lock", mode=FILE_MODE):
            yield

    def read(self) -> State:
        """What is kept, nothing if there is no file; raises DamagedError."""
        try:
            document = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return State()
        except ValueError as error:
            raise DamagedError(f"{self.path} can't be read") from error
        try:
            return State(
                incidents=tuple(_incident(each) for each in document["incidents"]),
                queue=tuple(_delivery(each) for each in document["queue"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedError(f"{self.path} holds what it should not") from error

    def write(self, state: State) -> None:
        """Puts the state in the place of the one before, in one step."""
        document = {"version": VERSION, **asdict(state)}
        text = json.dumps(document, default=_as_text, ensure_ascii=False, indent=1)
        temporary = self.folder / f".{FILE}.new"
        # left by a kill, perhaps with other rights
        temporary.unlink(missing_ok=True)
        with open(temporary, "x", encoding="utf-8", opener=_open_privately) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path)

    def set_aside(self) -> Path:
        """Moves a damaged file out of the way and returns where it is."""
        aside = self.path.with_suffix(".damaged")
        self.path.replace(aside)
        return aside


def _open_privately(path: str, flags: int) -> int:
    return os.open(path, flags, FILE_MODE)


def _as_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def _incident(document: dict[str, Any]) -> Incident:
    trouble = dict(document["trouble"])
    since = trouble["since"]
    return Incident(
        trouble=Trouble(
            **{
                **trouble,
                "since": datetime.fromisoformat(since) if since else None,
                "marts": tuple(trouble["marts"]),
                "keys": tuple(trouble["keys"]),
            }
        ),
        opened_at=datetime.fromisoformat(document["opened_at"]),
        last_told_at=datetime.fromisoformat(document["last_told_at"]),
    )


def _delivery(document: dict[str, Any]) -> Delivery:
    message = document["message"]
    return Delivery(
        place=document["place"],
        message=Message(**{**message, "made_at": datetime.fromisoformat(message["made_at"])}),
        last_error=document["last_error"],
        # a file of an earlier version does not have it
        taken_by=tuple(document.get("taken_by", ())),
    )
