"""The whole way of an alert: from what is broken now to what was delivered and what waits."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from alerting.incidents import Judged, Trouble, follow_up
from alerting.messages import Message, compose, trial
from alerting.outbox import DamagedError, Delivery, Outbox, State
from alerting.settings import AlertSettings

if TYPE_CHECKING:
    from alerting.senders import UndeliveredError

# the settings, the place, the message, and who has it already
Send = Callable[[AlertSettings, str, Message, Collection[str]], None]


@dataclass(frozen=True)
class Desk:
    """Tells the places of the settings what becomes of one warehouse's incidents."""

    settings: AlertSettings
    outbox: Outbox

    @property
    def service(self) -> str:
        """What messages call the warehouse."""
        return str(self.outbox.folder)

    def follow_up(
        self, broken: Iterable[Trouble], judged: Judged, *, now: datetime, send: Send | None = None
    ) -> list[str]:
        """Notes what is broken now, tells what is to be told, and returns lines for the run's log.

        What was told before and could not be delivered is tried first. Where the disk is full or
        the folder closed, what is to be told is told all the same, and not kept.
        """
        lines: list[str] = []
        with self._held(lines):
            before = self._read(lines)
            incidents, alerts = follow_up(
                before.incidents,
                broken,
                judged,
                now=now,
                remind_after=timedelta(hours=self.settings.remind_after_hours),
            )
            queue = before.queue
            if alerts:
                message = compose(
                    alerts,
                    service=self.service,
                    now=now,
                    runbook_url=self.settings.runbook_url,
                )
                places = self.settings.places
                queue = (*queue, *(Delivery(place, message) for place in places))
            state, on_disk = State(tuple(incidents), queue), before
            if state != before:
                # before the first attempt: what is killed from now on is tried by the next run
                on_disk = self._kept(state, before, lines)
            self._deliver(state, send or _send, on_disk, lines)
        return lines

    def test(self, *, now: datetime, send: Send | None = None) -> dict[str, str]:
        """Sends a message that says so to each place; by place, what went wrong, or nothing."""
        from alerting.senders import UndeliveredError

        message = trial(service=self.service, now=now)
        outcomes: dict[str, str] = {}
        for place in self.settings.places:
            outcomes[place] = ""
            try:
                (send or _send)(self.settings, place, message, ())
            except UndeliveredError as error:
                outcomes[place] = str(error)
        return outcomes

    @contextmanager
    def _held(self, lines: list[str]) -> Iterator[None]:
        with ExitStack() as holding:
            try:
                holding.enter_context(self.outbox.held())
            except OSError as error:
                lines.append(f"alerts: {self.service} can't be locked ({type(error).__name__})")
            yield

    def _read(self, lines: list[str]) -> State:
        try:
            return self.outbox.read()
        except OSError as error:
            lines.append(f"alerts: {self.outbox.path} can't be read ({type(error).__name__})")
            return State()
        except DamagedError as error:
            aside = self.outbox.set_aside()
            lines.append(f"alerts: {error}; it is now {aside.name}, and incidents are told anew")
            return State()

    def _kept(self, state: State, on_disk: State, lines: list[str]) -> State:
        """Keeps the state, and returns what is on disk then: what was there, where it can't be."""
        try:
            self.outbox.write(state)
        except OSError as error:
            fault = f"alerts: {self.outbox.path} can't be written ({type(error).__name__})"
            if fault not in lines:
                lines.append(fault)
            return on_disk
        return state

    def _deliver(self, state: State, send: Send, on_disk: State, lines: list[str]) -> None:
        """Tries every delivery, in a place that fails nothing more, and says how it went.

        A place that refuses one message is told the others all the same.
        """
        if not state.queue:
            return
        # loading what speaks HTTP takes a moment that most runs need not spend
        from alerting.senders import UndeliveredError

        failed: dict[str, str] = {}
        closed: set[str] = set()
        waiting: list[Delivery] = []
        delivered: dict[str, int] = {}
        for position, delivery in enumerate(state.queue):
            place = delivery.place
            reached = self.settings.reached_by(place)
            left = [each for each in reached if each not in delivery.taken_by]
            # who lacked it may be set no more, and then it is done
            if left and closed.issuperset(left):
                waiting.append(delivery)
                continue
            try:
                if left:
                    send(self.settings, place, delivery.message, delivery.taken_by)
                    delivered[place] = delivered.get(place, 0) + 1
            except UndeliveredError as error:
                failed[place] = str(error)
                if not error.takes_others:
                    closed.update(error.refused or reached)
                waiting.append(_refused(delivery, left, error))
            rest = (*waiting, *state.queue[position + 1 :])
            on_disk = self._kept(replace(state, queue=rest), on_disk, lines)
        lines += [f"alerts: {count} told by {place}" for place, count in delivered.items()]
        lines += [
            self._undelivered(
                place, why, [each for each in waiting if each.place == place], on_disk
            )
            for place, why in failed.items()
        ]

    def _undelivered(
        self, place: str, why: str, waiting: Sequence[Delivery], on_disk: State
    ) -> str:
        kept = {(each.place, each.message.message_id) for each in on_disk.queue}
        waits = sum((place, each.message.message_id) in kept for each in waiting)
        lost = len(waiting) - waits
        told = [f"alerts: could not be delivered by {place} ({why})"]
        if waits:
            told.append(f"{waits} wait in {self.outbox.path}, and the next run tries again")
        if lost:
            # what is not noted as told is news once more to whoever finds it
            told.append(
                f"{lost} could not be kept, and the next run tells anew what it still finds"
            )
        return "; ".join(told)


def _refused(delivery: Delivery, asked: Iterable[str], error: "UndeliveredError") -> Delivery:
    """The delivery as it waits; where only some recipients refused it, for those alone.

    To send it to all again at every run would be copies without end for those who have it.
    """
    took = [each for each in asked if each not in error.refused] if error.refused else []
    return replace(delivery, last_error=str(error), taken_by=(*delivery.taken_by, *took))


def _send(settings: AlertSettings, place: str, message: Message, taken_by: Collection[str]) -> None:
    from alerting.senders import send

    send(settings, place, message, taken_by)
