"""dbt's events, without those that nobody here listens to."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# of the events for whoever debugs dbt, what tells the end of a node
HEARD = frozenset({"NodeFinished"})


@contextmanager
def only_heard_events() -> Iterator[None]:
    """Has dbt make messages only of events that are heard.

    Of each node it tells two dozen things at level `debug`, and makes a message of each, whether or
    not a log takes it: a twentieth of the build of a small service.
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
        yield
    finally:
        event_manager_client.ctx_set_event_manager(before)
