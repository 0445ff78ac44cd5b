"""Real servers on this machine: one that takes webhooks, one that takes mail."""

import os
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message as Mail
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MailHandler
from aiosmtpd.smtp import AuthResult, LoginPassword

from alerting.settings import PREFIX
from tests.web_server import WebServer, web_server


@dataclass
class MailServer:
    """Keeps what it gets; answers messages with `answers` in their order, and then takes them.

    Who is named in `refused` gets no mail: the server answers with what stands there.
    """

    mails: list[Mail] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    # of each mail that it took
    recipients: list[list[str]] = field(default_factory=list)
    sessions: int = 0
    port: int = 0


@pytest.fixture(autouse=True)
def no_names_are_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers and mail ask for the machine's full name, which takes seconds without a network."""
    monkeypatch.setattr(socket, "getfqdn", lambda _name="": "localhost")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps the settings of whoever runs the tests out of them."""
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


@pytest.fixture
def web() -> Iterator[WebServer]:
    with web_server() as server:
        yield server


@pytest.fixture
def mail() -> Iterator[MailServer]:
    """A server without encryption, which asks for no password."""
    yield from _mail_server()


@pytest.fixture
def secure_mail(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MailServer]:
    """A server that takes mail after STARTTLS and a login only; its certificate is trusted."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    trusted = tmp_path_factory.mktemp("tls") / "authority.pem"
    authority.cert_pem.write_to_path(str(trusted))
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    yield from _mail_server(tls_context=context, require_starttls=True, auth_required=True)


def _mail_server(**options: Any) -> Iterator[MailServer]:  # noqa: ANN401
    kept = MailServer()

    class Keep(MailHandler):
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802, ANN401
            if kept.answers:
                return kept.answers.pop(0)
            kept.recipients.append(envelope.rcpt_tos)
            return str(await super().handle_DATA(server, session, envelope))

        async def handle_MAIL(  # noqa: N802
            self,
            server: Any,  # noqa: ANN401
            session: Any,  # noqa: ANN401
            envelope: Any,  # noqa: ANN401
            address: str,
            mail_options: list[str],
        ) -> str:
            kept.sessions += 1
            envelope.mail_from = address
            envelope.mail_options.extend(mail_options)
            return "250 OK"

        async def handle_RCPT(  # noqa: N802
            self,
            server: Any,  # noqa: ANN401
            session: Any,  # noqa: ANN401
            envelope: Any,  # noqa: ANN401
            address: str,
            rcpt_options: list[str],
        ) -> str:
            if address in kept.refused:
                return kept.refused[address]
            envelope.rcpt_tos.append(address)
            return "250 OK"

        def handle_message(self, message: Mail) -> None:
            kept.mails.append(message)

    def log_in(
        _server: object, _session: object, _envelope: object, _how: str, given: object
    ) -> AuthResult:
        assert isinstance(given, LoginPassword)
        kept.logins.append((given.login.decode(), given.password.decode()))
        # not handled: the server is to give the answer
        return AuthResult(success=given.password == b"open sesame", handled=False)

    with socket.create_server(("127.0.0.1", 0)) as free:
        kept.port = free.getsockname()[1]
    controller = Controller(
        Keep(), hostname="127.0.0.1", port=kept.port, authenticator=log_in, **options
    )
    controller.start()
    yield kept
    controller.stop()
