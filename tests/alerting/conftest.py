"""Real servers on this machine: one that takes webhooks, one that takes mail."""

import os
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message as Mail
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MailHandler
from aiosmtpd.smtp import AuthResult, LoginPassword

from alerting.settings import PREFIX


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class WebServer:
    """Keeps what it gets; answers with `answers` in their order, and then with 200."""

    requests: list[Request] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    address: str = ""


@dataclass
class MailServer:
    mails: list[Mail] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
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
    kept = WebServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            kept.requests.append(Request(self.path, headers, body))
            self.send_response(kept.answers.pop(0) if kept.answers else 200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield kept
    server.shutdown()
    server.server_close()
    thread.join()


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
