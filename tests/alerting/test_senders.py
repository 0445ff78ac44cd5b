"""What servers get, what is tried again, and what is never said: against real servers."""

import base64
import hashlib
import hmac
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from alerting.incidents import Judged, follow_up
from alerting.messages import Message, compose
from alerting.senders import ATTEMPTS, UndeliveredError, send, signature
from alerting.settings import AlertSettings
from tests.alerting.conftest import MailServer
from tests.alerting.samples import NOON, trouble
from tests.web_server import WebServer, web_server

SECRET = "s3cret-of-the-test"  # noqa: S105


@pytest.fixture
def message() -> Message:
    _, alerts = follow_up(
        [],
        [trouble(what="a < b & c")],
        Judged(everything=True),
        now=NOON,
        remind_after=timedelta(days=1),
    )
    return compose(alerts, service="shop", now=NOON, runbook_url="https://wiki.example/runbook")


def deliver(place: str, message: Message, **given: Any) -> list[float]:  # noqa: ANN401
    """Sends without waiting; returns how long it would have waited."""
    waits: list[float] = []
    send(AlertSettings(**given), place, message, sleep=waits.append)
    return waits


def test_slack_gets_what_broke_since_when_with_which_keys_and_what_to_do(
    web: WebServer, message: Message
) -> None:
    assert deliver("slack", message, slack_url=f"{web.address}/hook") == []
    (request,) = web.requests
    assert request.path == "/hook"
    assert request.headers["content-type"] == "application/json"
    document = json.loads(request.body)
    assert list(document) == ["text"]
    assert document["text"].splitlines() == [
        "[Tenure] 1 broken: shop",
        "",
        "BROKEN: rows_reconcile (marts.churn_monthly)",
        "a &lt; b &amp; c",
        "Severity: warning, releases go on",
        "Since: 2026-03-01 12:00 UTC",
        "Marts touched: churn_monthly, mrr_bridge_monthly",
        "Failing rows, some: invoice_id in_7",
        "What to do: Send them again.",
        "Owner: billing",
        "Runbook: https://wiki.example/runbook#rows_reconcile",
    ]


def test_a_webhook_is_signed_with_its_time(web: WebServer, message: Message) -> None:
    before = int(time.time())
    deliver("webhook", message, webhook_url=web.address, webhook_secret=SECRET)
    (request,) = web.requests
    headers = request.headers
    timestamp = headers["webhook-timestamp"]
    assert before <= int(timestamp) <= time.time()
    signed = f"{headers['webhook-id']}.{timestamp}.".encode() + request.body
    digest = hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    document = json.loads(request.body)
    assert document["id"] == headers["webhook-id"]
    (alert,) = document["alerts"]
    assert alert["event"] == "new"
    assert alert["incident"] == "rows_reconcile@marts.churn_monthly"
    assert alert["since"] == "2026-03-01T12:00:00+00:00"
    assert alert["marts"] == ["churn_monthly", "mrr_bridge_monthly"]


def test_the_signature_is_that_of_the_published_example() -> None:
    # the worked example of the Standard Webhooks specification's own libraries
    assert (
        signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1614265330,
            b'{"test": 2432232314}',
        )
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_a_server_that_stumbles_is_tried_again_with_growing_limits(
    web: WebServer, message: Message
) -> None:
    web.answers = [500, 503, 429]
    waits = deliver("webhook", message, webhook_url=web.address, webhook_secret=SECRET)
    assert len(web.requests) == 4
    assert len({request.headers["webhook-id"] for request in web.requests}) == 1
    for wait, limit in zip(waits, (0.5, 1, 2), strict=True):
        assert 0 <= wait <= limit


def test_a_server_that_refuses_is_not_asked_again_at_once(web: WebServer, message: Message) -> None:
    web.answers = [403]
    with pytest.raises(UndeliveredError, match=r"^HTTP status 403$"):
        deliver("slack", message, slack_url=web.address)
    assert len(web.requests) == 1


def test_a_redirect_is_not_followed(web: WebServer, message: Message) -> None:
    web.answers = [302]
    with pytest.raises(UndeliveredError, match="302"):
        deliver("slack", message, slack_url=web.address)


def test_an_error_tells_no_address(
    web: WebServer, message: Message, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    web.answers = [500] * ATTEMPTS
    with pytest.raises(UndeliveredError) as refused:
        deliver("slack", message, slack_url=f"{web.address}/T000/secret-path")
    assert refused.value.__cause__ is None
    assert "secret-path" not in f"{refused.value}{caplog.text}"
    with pytest.raises(UndeliveredError, match=r"^ConnectError$"):
        deliver("slack", message, slack_url="http://127.0.0.1:1/secret-path")


def test_a_web_server_that_nobody_vouches_for_is_told_by_its_certificate(
    message: Message, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    waits: list[float] = []
    with web_server(context) as web:
        settings = AlertSettings(slack_url=web.address)  # type: ignore[arg-type]
        with pytest.raises(UndeliveredError, match=r"^SSLCertVerificationError$"):
            send(settings, "slack", message, sleep=waits.append)
        trusted = tmp_path / "authority.pem"
        authority.cert_pem.write_to_path(str(trusted))
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        send(settings, "slack", message)
    # which no second attempt would mend
    assert (waits, len(web.requests)) == ([], 1)


@contextmanager
def silent_server() -> Iterator[tuple[int, list[socket.socket]]]:
    """A port on which connections are taken and nothing is ever said, and the connections."""
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def take() -> None:
            with suppress(OSError):
                while True:
                    taken.append(listener.accept()[0])

        thread = threading.Thread(target=take)
        thread.start()
        yield listener.getsockname()[1], taken
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    for connection in taken:
        connection.close()


@pytest.mark.parametrize(
    ("place", "why"), [("slack", "ReadTimeout"), ("e-mail", "SMTPServerDisconnected")]
)
def test_a_server_that_takes_the_connection_and_is_silent_is_waited_for_once(
    message: Message, monkeypatch: pytest.MonkeyPatch, place: str, why: str
) -> None:
    monkeypatch.setattr("alerting.senders.TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr("alerting.senders.TRY_AGAIN_WITHIN_SECONDS", 0.2)
    with silent_server() as (port, taken):
        given = {**OPEN, "smtp_port": port, "slack_url": f"http://127.0.0.1:{port}"}
        with pytest.raises(UndeliveredError, match=f"^{why}$"):
            deliver(place, message, **given)
    assert len(taken) == 1


def test_what_nobody_foresaw_is_told_by_its_type_and_is_of_this_message_alone(
    web: WebServer, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object) -> str:
        raise ZeroDivisionError("hush")

    monkeypatch.setattr("alerting.senders.signature", break_down)
    with pytest.raises(UndeliveredError) as refused:
        deliver("webhook", message, webhook_url=web.address, webhook_secret=SECRET)
    assert str(refused.value) == "ZeroDivisionError, see the settings TENURE_ALERT_…"
    assert refused.value.takes_others


OPEN: dict[str, Any] = {
    "smtp_host": "localhost",
    "smtp_security": "none",
    "smtp_from": "tenure@example.com",
    "smtp_to": "ann@example.com, bob@example.com",
}


def test_mail_says_the_same(mail: MailServer, message: Message) -> None:
    deliver("e-mail", message, **OPEN, smtp_port=mail.port)
    (got,) = mail.mails
    assert got["subject"] == "[Tenure] 1 broken: shop"
    assert got["from"] == "tenure@example.com"
    assert got["to"] == "ann@example.com, bob@example.com"
    assert got["message-id"] == f"<{message.message_id}@tenure.invalid>"
    assert "Failing rows, some: invoice_id in_7" in str(got.get_payload())


@pytest.mark.parametrize(
    ("status", "takes_others"),
    [(400, True), (413, True), (422, True), (401, False), (404, False), (503, False)],
)
def test_a_server_may_refuse_a_message_and_take_others(
    web: WebServer, message: Message, status: int, *, takes_others: bool
) -> None:
    web.answers = [status] * ATTEMPTS
    with pytest.raises(UndeliveredError) as refused:
        deliver("slack", message, slack_url=web.address)
    assert refused.value.takes_others is takes_others


@pytest.mark.parametrize(
    ("answer", "takes_others"), [("554 not this one", True), ("451 not now", False)]
)
def test_a_mail_server_may_refuse_a_message_and_take_others(
    mail: MailServer, message: Message, answer: str, *, takes_others: bool
) -> None:
    mail.answers = [answer] * ATTEMPTS
    with pytest.raises(UndeliveredError, match=f"SMTP code {answer[:3]}") as refused:
        deliver("e-mail", message, **OPEN, smtp_port=mail.port)
    assert refused.value.takes_others is takes_others


@pytest.mark.parametrize(
    ("refused", "told", "attempts"),
    [
        ({"ann@example.com": "550 no"}, "1 of 2 recipients refused, SMTP code 550", 1),
        # at another attempt bob would get it twice
        ({"ann@example.com": "450 busy"}, "1 of 2 recipients refused, SMTP code 450", 1),
        (
            {"ann@example.com": "550 no", "bob@example.com": "550 no"},
            "2 of 2 recipients refused, SMTP code 550",
            1,
        ),
        (
            {"ann@example.com": "450 busy", "bob@example.com": "550 no"},
            "2 of 2 recipients refused, SMTP code 450, 550",
            ATTEMPTS,
        ),
    ],
)
def test_a_recipient_who_is_refused_is_counted_and_not_named(
    mail: MailServer, message: Message, refused: dict[str, str], told: str, attempts: int
) -> None:
    mail.refused = refused
    with pytest.raises(UndeliveredError) as undelivered:
        deliver("e-mail", message, **OPEN, smtp_port=mail.port)
    assert str(undelivered.value) == told
    assert set(undelivered.value.refused) == set(refused)
    assert mail.sessions == attempts


RIGHT = "open sesame"

LOGIN: dict[str, Any] = {
    "smtp_host": "localhost",
    "smtp_user": "tenure",
    "smtp_from": "tenure@example.com",
    "smtp_to": "ann@example.com",
}


def test_mail_is_encrypted_before_the_password_is_told(
    secure_mail: MailServer, message: Message
) -> None:
    deliver("e-mail", message, **LOGIN, smtp_port=secure_mail.port, smtp_password=RIGHT)
    assert len(secure_mail.mails) == 1
    assert secure_mail.logins == [("tenure", "open sesame")]


def test_a_wrong_password_is_told_without_it(secure_mail: MailServer, message: Message) -> None:
    with pytest.raises(UndeliveredError) as refused:
        deliver("e-mail", message, **LOGIN, smtp_port=secure_mail.port, smtp_password=RIGHT.upper())
    assert str(refused.value) == "SMTPAuthenticationError, SMTP code 535"
    # one attempt, in which it was said in both of the ways that the server knows
    assert len(secure_mail.logins) == 2


def test_a_server_that_nobody_vouches_for_gets_no_password(
    secure_mail: MailServer, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(UndeliveredError, match=r"^SSLCertVerificationError$"):
        deliver("e-mail", message, **LOGIN, smtp_port=secure_mail.port, smtp_password=RIGHT)
    assert (secure_mail.mails, secure_mail.logins) == ([], [])


def test_mail_without_encryption_is_refused_where_it_is_asked_for(
    mail: MailServer, message: Message
) -> None:
    with pytest.raises(UndeliveredError, match="SMTPNotSupportedError"):
        deliver("e-mail", message, **LOGIN, smtp_port=mail.port, smtp_password=RIGHT)
    assert mail.mails == []
