"""dbt's events, without those that nobody here listens to."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from orchestration.transform.dbt_shortcuts import replaced

# of the events for whoever debugs dbt, what tells the end of a node
HEARD = frozenset({"NodeFinished"})


@contextmanager
def only_heard_events() -> Iterator[None]:
    """Has dbt make messages only of events that are heard.

    Of each node it tells two dozen things at level `debug`, and makes two messages of each, one as
    it comes up and one as it is told, whether or not a log takes it: a tenth of the build of a
    small service.
    """
    from dbt_common.events import event_manager_client
    from dbt_common.events.base_types import BaseEvent, EventLevel
    from dbt_common.events.event_manager import EventManager

    class HeardEvents(EventManager):
        def fire_event(
            self,
            e: BaseEvent,
            level: EventLevel | None = None,
            node: Any = None,  # noqa: ANN401
            force_warn_or_error_handling: bool = False,  # noqa: FBT001, FBT002
        ) -> None:
            if (level or e.level_tag()) != EventLevel.DEBUG or type(e).__name__ in HEARD:
                super().fire_event(e, level, node, force_warn_or_error_handling)

    before = event_manager_client.get_event_manager()
    event_manager_client.ctx_set_event_manager(HeardEvents())
    try:
        with _made_when_read():
            yield
    finally:
        event_manager_client.ctx_set_event_manager(before)


@contextmanager
def _made_when_read() -> Iterator[None]:
    """Has an event become a message when somebody reads something of it, and not before."""
    from dbt_common.events.base_types import BaseEvent

    make: Any = BaseEvent.__init__
    read: Any = BaseEvent.__getattr__

    def keep(event: BaseEvent, *args: Any, **told: Any) -> None:  # noqa: ANN401
        vars(event)["told"] = (args, told)

    def make_and_read(event: BaseEvent, name: str) -> Any:  # noqa: ANN401
        if "pb_msg" not in vars(event):
            args, told = vars(event).pop("told")
            make(event, *args, **told)
        return vars(event)["pb_msg"] if name == "pb_msg" else read(event, name)

    with (
        replaced(BaseEvent, "__init__", keep),
        replaced(BaseEvent, "__getattr__", make_and_read),
    ):
        yield
