"""Only what somebody hears of dbt becomes a message."""

from typing import Any

from dbt_common.events import event_manager_client
from dbt_common.events.base_types import EventLevel
from dbt_common.events.functions import fire_event
from dbt_common.events.types import Note

from orchestration.transform.dbt_events import only_heard_events


def test_what_is_for_debugging_is_no_message_and_the_rest_is() -> None:
    heard: list[Any] = []
    with only_heard_events():
        event_manager_client.add_callback_to_manager(heard.append)
        fire_event(Note(msg="of a debugger's"), level=EventLevel.DEBUG)
        fire_event(Note(msg="told"), level=EventLevel.INFO)
        fire_event(Note(msg="warned"), level=EventLevel.WARN)
    assert [message.info.msg for message in heard] == ["told", "warned"]


def test_afterwards_everything_is_heard_as_before() -> None:
    before = event_manager_client.get_event_manager()
    with only_heard_events():
        assert event_manager_client.get_event_manager() is not before
    assert event_manager_client.get_event_manager() is before


def test_an_event_that_nobody_hears_is_never_made_and_can_be_read_all_the_same() -> None:
    with only_heard_events():
        event = Note(msg="of a debugger's")
        fire_event(event, level=EventLevel.DEBUG)
        assert "pb_msg" not in vars(event)
        assert event.msg == "of a debugger's"
        assert event.to_dict() == {"msg": "of a debugger's"}
        event.msg = "another"
        assert event.msg == "another"
    assert Note(msg="made at once").msg == "made at once"
