"""From what is broken to what was delivered: kept on disk, tried again, told once."""

import errno
import json
import os
import stat
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alerting import senders
from alerting.desk import Desk
from alerting.incidents import Judged, Trouble
from alerting.messages import Message, compose
from alerting.outbox import DamagedError, Delivery, Outbox, State
from alerting.settings import AlertSettings
from tests.alerting.conftest import MailServer
from tests.alerting.samples import NOON, trouble
from tests.web_server import WebServer

DEAD = "http://127.0.0.1:1"


def send_at_once(
    settings: AlertSettings, place: str, message: Message, taken_by: Collection[str]
) -> None:
    senders.send(settings, place, message, taken_by, sleep=lambda _: None)


def look(
    folder: Path,
    *broken: Trouble,
    hours: float = 0,
    **given: Any,  # noqa: ANN401
) -> list[str]:
    """One look at what is broken, as at the end of a run."""
    desk = Desk(AlertSettings(**given), Outbox(folder))
    return desk.follow_up(
        broken,
        Judged(everything=True),
        now=NOON + timedelta(hours=hours),
        send=send_at_once,
    )


def by_mail(mail: MailServer, recipients: str) -> dict[str, Any]:
    return {
        "smtp_host": "localhost",
        "smtp_port": mail.port,
        "smtp_security": "none",
        "smtp_from": "a@example.com",
        "smtp_to": recipients,
    }


def subjects(web: WebServer) -> list[str]:
    return [json.loads(request.body)["text"].splitlines()[0] for request in web.requests]


def test_an_incident_is_told_once_reminded_of_and_ended(web: WebServer, tmp_path: Path) -> None:
    place: dict[str, Any] = {"slack_url": web.address, "remind_after_hours": 6}
    assert look(tmp_path, trouble(), **place) == ["alerts: 1 told by slack"]
    assert look(tmp_path, trouble(), hours=1, **place) == []
    assert look(tmp_path, trouble("other"), trouble(), hours=2, **place) != []
    look(tmp_path, trouble("other"), trouble(), hours=6, **place)
    look(tmp_path, hours=7, **place)
    assert look(tmp_path, hours=8, **place) == []
    assert subjects(web) == [
        f"[Tenure] 1 broken: {tmp_path}",
        f"[Tenure] 1 broken: {tmp_path}",
        f"[Tenure] 1 still broken: {tmp_path}",
        f"[Tenure] 2 recovered: {tmp_path}",
    ]


def test_many_troubles_of_one_run_are_one_message(web: WebServer, tmp_path: Path) -> None:
    troubles = [trouble(f"check_{number}") for number in range(12)]
    look(tmp_path, *troubles, slack_url=web.address)
    (request,) = web.requests
    text = json.loads(request.body)["text"]
    assert text.count("BROKEN: ") == 10
    assert text.endswith("and 2 more: tenure alerts status")


def test_what_a_dead_server_did_not_take_is_delivered_next_time(
    web: WebServer, tmp_path: Path
) -> None:
    (line,) = look(tmp_path, trouble(), slack_url=DEAD)
    assert line == (
        "alerts: could not be delivered by slack (ConnectError); 1 wait in"
        f" {tmp_path / 'alerts.json'}, and the next run tries again"
    )
    assert len(Outbox(tmp_path).read().queue) == 1
    # also where nothing is new
    assert look(tmp_path, trouble(), hours=1, slack_url=web.address) == ["alerts: 1 told by slack"]
    assert subjects(web) == [f"[Tenure] 1 broken: {tmp_path}"]
    assert Outbox(tmp_path).read().queue == ()


def test_one_place_that_is_dead_keeps_nothing_from_the_others(
    web: WebServer, mail: MailServer, tmp_path: Path
) -> None:
    places: dict[str, Any] = {
        "slack_url": DEAD,
        "webhook_url": web.address,
        "webhook_secret": "s",
        **by_mail(mail, "b@example.com"),
    }
    look(tmp_path, trouble(), **places)
    look(tmp_path, trouble(), trouble("b"), hours=1, **places)
    assert (len(web.requests), len(mail.mails)) == (2, 2)
    waiting = Outbox(tmp_path).read().queue
    assert [delivery.place for delivery in waiting] == ["slack", "slack"]


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        # a scheme of proxies for which a library is not installed
        ("ALL_PROXY", "socks5://ann:hush@127.0.0.1:1", "ImportError of the proxy"),
        ("HTTP_PROXY", "foo://ann:hush@x", "ValueError of the proxy"),
        ("HTTPS_PROXY", "http://ann:hush@x:port", "InvalidURL of the proxy"),
        ("SSL_CERT_FILE", "/hush/none.pem", "FileNotFoundError of the certificates"),
    ],
)
def test_a_place_that_can_not_even_be_called_keeps_nothing_from_the_others(
    mail: MailServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    why: str,
) -> None:
    monkeypatch.setenv(name, value)
    places = {"slack_url": "http://127.0.0.1:1", **by_mail(mail, "b@example.com")}
    first, second = look(tmp_path, trouble(), **places)
    assert first == "alerts: 1 told by e-mail"
    assert second.startswith(f"alerts: could not be delivered by slack ({why}")
    assert "hush" not in second
    look(tmp_path, trouble(), trouble("b"), hours=1, **places)
    assert len(mail.mails) == 2
    waiting = Outbox(tmp_path).read().queue
    assert [delivery.place for delivery in waiting] == ["slack", "slack"]


UNKNOWN = "550 no such user here"


def test_a_recipient_who_is_refused_is_tried_again_and_the_others_get_no_copy(
    mail: MailServer, tmp_path: Path
) -> None:
    place = by_mail(mail, "Ann <ann@example.com>, bob@example.com")
    mail.refused = {"bob@example.com": UNKNOWN}
    (line,) = look(tmp_path, trouble(), **place)
    assert line == (
        "alerts: could not be delivered by e-mail (1 of 2 recipients refused, SMTP code 550);"
        f" 1 wait in {tmp_path / 'alerts.json'}, and the next run tries again"
    )
    look(tmp_path, trouble(), hours=1, **place)
    assert mail.recipients == [["ann@example.com"]]
    mail.refused = {}
    assert look(tmp_path, trouble(), hours=2, **place) == ["alerts: 1 told by e-mail"]
    assert mail.recipients == [["ann@example.com"], ["bob@example.com"]]
    assert len({each["message-id"] for each in mail.mails}) == 1
    assert Outbox(tmp_path).read().queue == ()


def test_a_recipient_who_is_refused_keeps_no_later_message_from_the_others(
    mail: MailServer, tmp_path: Path
) -> None:
    place = by_mail(mail, "ann@example.com, bob@example.com")
    mail.refused = {"bob@example.com": UNKNOWN}
    look(tmp_path, trouble(), **place)
    look(tmp_path, trouble(), trouble("b"), hours=1, **place)
    look(tmp_path, trouble(), trouble("b"), hours=2, **place)
    assert mail.recipients == [["ann@example.com"]] * 2
    assert len(Outbox(tmp_path).read().queue) == 2
    # a slip of the hand, mended: who was meant gets what waits
    look(tmp_path, trouble(), trouble("b"), hours=3, **by_mail(mail, "ann@example.com, rob@a.com"))
    assert mail.recipients[2:] == [["rob@a.com"]] * 2


def test_what_waits_for_nobody_but_a_recipient_who_was_taken_out_is_done(
    mail: MailServer, tmp_path: Path
) -> None:
    mail.refused = {"bob@example.com": UNKNOWN}
    look(tmp_path, trouble(), **by_mail(mail, "ann@example.com, bob@example.com"))
    look(tmp_path, trouble(), hours=1, **by_mail(mail, "ann@example.com"))
    assert mail.recipients == [["ann@example.com"]]
    assert Outbox(tmp_path).read().queue == ()


def test_who_refuses_is_asked_once_a_run(mail: MailServer, tmp_path: Path) -> None:
    place = by_mail(mail, "ann@example.com, bob@example.com")
    mail.refused = {"ann@example.com": UNKNOWN, "bob@example.com": UNKNOWN}
    for hour in range(3):
        troubles = [trouble(f"check_{number}") for number in range(hour + 1)]
        (line,) = look(tmp_path, *troubles, hours=hour, **place)
        assert f"(2 of 2 recipients refused, SMTP code 550); {hour + 1} wait" in line
        assert mail.sessions == hour + 1


def test_a_file_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    look(tmp_path, trouble(), slack_url=DEAD)
    outbox = Outbox(tmp_path)
    document = json.loads(outbox.path.read_text(encoding="utf-8"))
    del document["queue"][0]["taken_by"]
    outbox.path.write_text(json.dumps(document), encoding="utf-8")
    assert outbox.read().queue[0].taken_by == ()


def test_a_place_that_this_version_does_not_know_keeps_nothing_from_the_others(
    mail: MailServer, tmp_path: Path
) -> None:
    message = compose([], service="shop", now=NOON, runbook_url="")
    Outbox(tmp_path).write(State(queue=(Delivery("pigeon", message),)))
    first, second = look(tmp_path, trouble(), **by_mail(mail, "b@example.com"))
    assert first == "alerts: 1 told by e-mail"
    assert "by pigeon (KeyError" in second


def test_a_message_that_is_refused_keeps_no_later_one_from_its_place(
    web: WebServer, tmp_path: Path
) -> None:
    web.answers = [413]
    look(tmp_path, trouble(), slack_url=web.address)
    web.answers = [413]
    lines = look(tmp_path, trouble(), trouble("b"), hours=1, slack_url=web.address)
    assert lines == [
        "alerts: 1 told by slack",
        "alerts: could not be delivered by slack (HTTP status 413); 1 wait in"
        f" {tmp_path / 'alerts.json'}, and the next run tries again",
    ]
    (waiting,) = Outbox(tmp_path).read().queue
    assert waiting.last_error == "HTTP status 413"
    assert len(web.requests) == 3


def test_a_place_that_is_closed_is_asked_once_a_run(web: WebServer, tmp_path: Path) -> None:
    web.answers = [404, 404]
    look(tmp_path, trouble(), slack_url=web.address)
    look(tmp_path, trouble(), trouble("b"), hours=1, slack_url=web.address)
    assert len(web.requests) == 2
    assert len(Outbox(tmp_path).read().queue) == 2


def test_a_kill_after_the_delivery_sends_the_same_message_again(
    web: WebServer, tmp_path: Path
) -> None:
    given: dict[str, Any] = {"webhook_url": web.address, "webhook_secret": "s"}

    def die(
        settings: AlertSettings, place: str, message: Message, taken_by: Collection[str]
    ) -> None:
        send_at_once(settings, place, message, taken_by)
        raise KeyboardInterrupt

    desk = Desk(AlertSettings(**given), Outbox(tmp_path))
    with pytest.raises(KeyboardInterrupt):
        desk.follow_up([trouble()], Judged(everything=True), now=NOON, send=die)
    look(tmp_path, trouble(), hours=1, **given)
    assert len({request.headers["webhook-id"] for request in web.requests}) == 1
    assert len(web.requests) == 2


def test_the_file_is_its_owners_alone_and_replaced_whole(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        look(tmp_path, trouble(), slack_url=DEAD)
    finally:
        os.umask(before)
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert DEAD not in Outbox(tmp_path).path.read_text(encoding="utf-8")
    outbox = Outbox(tmp_path)
    # what a kill in the middle of writing leaves
    (tmp_path / ".alerts.json.new").write_text("{half", encoding="utf-8")
    assert len(outbox.read().queue) == 1
    outbox.write(State())
    assert outbox.read() == State()
    assert not (tmp_path / ".alerts.json.new").exists()


def test_what_is_kept_comes_back_as_it_was(tmp_path: Path) -> None:
    look(tmp_path, trouble(since=NOON), slack_url=DEAD)
    outbox = Outbox(tmp_path)
    state = outbox.read()
    assert state.incidents[0].trouble == trouble(since=NOON)
    outbox.write(state)
    assert outbox.read() == state


@pytest.mark.parametrize("text", ["{", "[]", '{"incidents": [{}], "queue": []}'])
def test_a_damaged_file_is_set_aside(web: WebServer, tmp_path: Path, text: str) -> None:
    outbox = Outbox(tmp_path)
    outbox.path.write_text(text, encoding="utf-8")
    with pytest.raises(DamagedError):
        outbox.read()
    first, second = look(tmp_path, trouble(), slack_url=web.address)
    assert "alerts.damaged" in first
    assert second == "alerts: 1 told by slack"
    assert (tmp_path / "alerts.damaged").read_text(encoding="utf-8") == text


FullDisk = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> FullDisk:
    """Fills the disk under the outbox for as long as it is held."""

    @contextmanager
    def fill() -> Iterator[None]:
        def refuse(_outbox: Outbox, _state: State) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as full:
            full.setattr(Outbox, "write", refuse)
            yield

    return fill


def test_a_full_disk_keeps_nothing_from_being_told(
    web: WebServer, tmp_path: Path, full_disk: FullDisk
) -> None:
    with full_disk():
        lines = look(tmp_path, trouble(), slack_url=web.address)
    assert lines == [
        f"alerts: {tmp_path / 'alerts.json'} can't be written (OSError)",
        "alerts: 1 told by slack",
    ]
    assert len(web.requests) == 1


def test_what_a_full_disk_did_not_keep_is_not_said_to_wait(
    web: WebServer, tmp_path: Path, full_disk: FullDisk
) -> None:
    look(tmp_path, trouble("kept"), slack_url=DEAD)
    with full_disk():
        lines = look(tmp_path, trouble("kept"), trouble("lost"), hours=1, slack_url=DEAD)
    assert lines == [
        f"alerts: {tmp_path / 'alerts.json'} can't be written (OSError)",
        "alerts: could not be delivered by slack (ConnectError); 1 wait in"
        f" {tmp_path / 'alerts.json'}, and the next run tries again; 1 could not be kept, and the"
        " next run tells anew what it still finds",
    ]
    look(tmp_path, trouble("kept"), trouble("lost"), hours=2, slack_url=web.address)
    texts = [json.loads(request.body)["text"] for request in web.requests]
    assert ["BROKEN: kept" in texts[0], "BROKEN: lost" in texts[1]] == [True, True]


def test_a_disk_that_is_full_after_the_messages_were_kept_loses_none(
    tmp_path: Path, full_disk: FullDisk
) -> None:
    def fail_on_a_full_disk(*_: object) -> None:
        filled.enter_context(full_disk())
        raise senders.UndeliveredError("down")

    desk = Desk(AlertSettings(slack_url=DEAD), Outbox(tmp_path))  # type: ignore[arg-type]
    with ExitStack() as filled:
        first, second = desk.follow_up(
            [trouble()], Judged(everything=True), now=NOON, send=fail_on_a_full_disk
        )
    assert first.endswith("can't be written (OSError)")
    assert second.endswith(f"1 wait in {desk.outbox.path}, and the next run tries again")
    assert len(desk.outbox.read().queue) == 1


def test_a_folder_that_can_not_be_used_keeps_nothing_from_being_told(
    web: WebServer, tmp_path: Path
) -> None:
    place = tmp_path / "warehouse"
    place.write_text("a file", encoding="utf-8")
    lines = look(place, trouble(), slack_url=web.address)
    assert any(line.startswith(f"alerts: {place} can't be locked") for line in lines)
    assert "alerts: 1 told by slack" in lines
    assert len(web.requests) == 1
    assert place.read_text(encoding="utf-8") == "a file"


def test_a_test_message_says_how_each_place_took_it(web: WebServer, tmp_path: Path) -> None:
    settings = AlertSettings(slack_url=DEAD, webhook_url=web.address, webhook_secret="s")  # type: ignore[arg-type]  # noqa: S106
    outcomes = Desk(settings, Outbox(tmp_path)).test(now=NOON, send=send_at_once)
    assert outcomes == {"slack": "ConnectError", "webhook": ""}
    assert json.loads(web.requests[0].body)["type"] == "tenure.test"
    assert list(tmp_path.iterdir()) == []


def test_a_test_message_that_a_recipient_refuses_is_not_delivered(
    mail: MailServer, tmp_path: Path
) -> None:
    mail.refused = {"bob@example.com": UNKNOWN}
    settings = AlertSettings(**by_mail(mail, "ann@example.com, bob@example.com"))
    outcomes = Desk(settings, Outbox(tmp_path)).test(now=NOON, send=send_at_once)
    assert outcomes == {"e-mail": "1 of 2 recipients refused, SMTP code 550"}
