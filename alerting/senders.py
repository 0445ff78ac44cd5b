"""How a message gets to a place: Slack-compatible webhooks, signed webhooks, and e-mail.

No error's own text is ever told: it may hold the address of a webhook, which is a secret.
"""

import base64
import hashlib
import hmac
import json
import logging
import smtplib
import ssl
import time
from collections.abc import Callable, Collection, Mapping
from email.message import EmailMessage
from email.utils import format_datetime
from http import HTTPStatus

import httpx
from tenacity import (
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)

from alerting.messages import Message
from alerting.settings import AlertSettings, signing_key

ATTEMPTS = 4
# between attempts, which makes a few seconds in all
LONGEST_WAIT_SECONDS = 4.0
# of each step of an attempt: to connect, to get an answer
TIMEOUT_SECONDS = 10.0
# after the first attempt began: a server that is silent costs a run one timeout and not four
TRY_AGAIN_WITHIN_SECONDS = 8.0

TRY_AGAIN = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
# what a server says of the message that it got, and not of itself or of who may speak to it
OF_THE_MESSAGE = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)

# it logs every address that it calls
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)


class UndeliveredError(Exception):
    """A place did not take a message; says how it refused, without any address or secret.

    With `takes_others` it is this message that it refused, and it may well take another. `refused`
    are the addresses of a mail that do not have it, where it was they that were refused.
    """

    def __init__(
        self, why: str, *, takes_others: bool = False, refused: Collection[str] = ()
    ) -> None:
        self.takes_others = takes_others
        self.refused = refused
        super().__init__(why)


class _RefusedError(Exception):
    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"HTTP status {status}")


class _RecipientsRefusedError(Exception):
    """A mail server took a mail for some of those who were asked only, or for nobody.

    `without_it` are the addresses that do not have it, `has_reached` says whether others do.
    """

    def __init__(
        self,
        answers: Mapping[str, tuple[int, bytes]],
        *,
        asked: Collection[str],
        without_it: Collection[str],
        of: int,
    ) -> None:
        self.without_it = tuple(without_it)
        self.has_reached = len(without_it) < len(asked)
        self.codes = sorted({code for code, _ in answers.values()})
        codes = ", ".join(map(str, self.codes))
        super().__init__(f"{len(answers)} of {of} recipients refused, SMTP code {codes}")


class _NoClientError(Exception):
    """The environment names a proxy or certificates that nothing can be called with."""

    def __init__(self, error: Exception) -> None:
        named = (
            "certificates that SSL_CERT_FILE or SSL_CERT_DIR names"
            if isinstance(error, OSError)
            else "proxy that ALL_PROXY, HTTP_PROXY or HTTPS_PROXY names"
        )
        super().__init__(f"{type(error).__name__} of the {named}")


# what a server or the way to it does; all else is of the message or of a setting
FORESEEN = (httpx.HTTPError, smtplib.SMTPException, OSError, _RefusedError, _NoClientError)


def send(
    settings: AlertSettings,
    place: str,
    message: Message,
    taken_by: Collection[str] = (),
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Delivers the message, trying again with growing waits; mail to none of `taken_by`.

    Raises UndeliveredError, and nothing else whatever goes wrong: the other places are still to be
    told.
    """
    retrying = Retrying(
        stop=stop_after_attempt(ATTEMPTS) | stop_after_delay(TRY_AGAIN_WITHIN_SECONDS),
        wait=wait_random_exponential(multiplier=0.5, max=LONGEST_WAIT_SECONDS),
        retry=retry_if_exception(_may_pass),
        reraise=True,
        sleep=sleep,
    )
    deliver: Mapping[str, Callable[[], None]] = {
        "slack": lambda: _send_slack(settings, message),
        "webhook": lambda: _send_webhook(settings, message),
        "e-mail": lambda: _send_mail(settings, message, taken_by),
    }
    try:
        retrying(deliver[place])
    except UndeliveredError:
        raise
    except _RecipientsRefusedError as error:
        raise UndeliveredError(str(error), refused=error.without_it) from None
    except Exception as error:  # noqa: BLE001 - the libraries below raise what they like
        raise UndeliveredError(_told(error), takes_others=_takes_others(error)) from None


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature` of Standard Webhooks: v1, HMAC-SHA256, base64.

    Signed are id, Unix time and body with points between, so that a copy of an old message can't
    be passed off as a new one.
    """
    key = signing_key(secret)
    signed = b".".join([message_id.encode(), str(timestamp).encode(), body])
    return f"v1,{base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()}"


def _send_slack(settings: AlertSettings, message: Message) -> None:
    if settings.slack_url is None:
        raise _unset("SLACK_URL")
    # the three characters that Slack reads as markup
    text = message.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    _post(settings.slack_url.get_secret_value(), json.dumps({"text": text}).encode(), {})


def _send_webhook(settings: AlertSettings, message: Message) -> None:
    if settings.webhook_url is None or settings.webhook_secret is None:
        raise _unset("WEBHOOK_URL")
    body = json.dumps(message.payload, ensure_ascii=False).encode()
    timestamp = int(time.time())
    secret = settings.webhook_secret.get_secret_value()
    headers = {
        "webhook-id": message.message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secret, message.message_id, timestamp, body),
    }
    _post(settings.webhook_url.get_secret_value(), body, headers)


def _post(address: str, body: bytes, headers: dict[str, str]) -> None:
    with _client() as client:
        response = client.post(
            address, content=body, headers={"content-type": "application/json", **headers}
        )
    if not response.is_success:
        raise _RefusedError(response.status_code)


def _client() -> httpx.Client:
    try:
        return httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False)
    except Exception as error:  # noqa: BLE001 - and its words may hold the password of a proxy
        raise _NoClientError(error) from None


def _send_mail(settings: AlertSettings, message: Message, taken_by: Collection[str]) -> None:
    if settings.smtp_host is None or settings.smtp_from is None:
        raise _unset("SMTP_HOST")
    mail = EmailMessage()
    mail["Subject"] = " ".join(message.subject.split())
    mail["From"] = settings.smtp_from
    mail["To"] = ", ".join(settings.recipients)
    mail["Date"] = format_datetime(message.made_at)
    # the same at every attempt, so that a mail delivered twice is known for a copy
    mail["Message-ID"] = f"<{message.message_id}@tenure.invalid>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    asked = [address for address in settings.addresses if address not in taken_by]
    secure = settings.smtp_security
    context = ssl.create_default_context()
    host, port = settings.smtp_host, settings.smtp_port
    connection = (
        smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=context)
        if secure == "tls"
        else smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
    )
    with connection as server:
        if secure == "starttls":
            server.starttls(context=context)
        if settings.smtp_user and settings.smtp_password:
            server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
        try:
            refused = server.send_message(mail, to_addrs=asked)
        except smtplib.SMTPRecipientsRefused as error:
            raise _RecipientsRefusedError(
                error.recipients, asked=asked, without_it=asked, of=len(settings.addresses)
            ) from None
    if refused:
        raise _RecipientsRefusedError(
            refused, asked=asked, without_it=refused, of=len(settings.addresses)
        )


def _unset(name: str) -> UndeliveredError:
    return UndeliveredError(f"TENURE_ALERT_{name} is no longer set")


def _may_pass(error: BaseException) -> bool:
    """Whether the same attempt may well succeed a moment later."""
    if isinstance(error, _RefusedError):
        return error.status in TRY_AGAIN or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if isinstance(error, _RecipientsRefusedError):
        # not at once where somebody has it, who would get it with each attempt
        return not error.has_reached and any(code < 500 for code in error.codes)
    if isinstance(error, smtplib.SMTPResponseException):
        return not isinstance(error, smtplib.SMTPAuthenticationError) and error.smtp_code < 500
    if _is_of_certificate(error):
        return False
    return isinstance(error, (httpx.TransportError, smtplib.SMTPServerDisconnected, OSError))


def _is_of_certificate(error: BaseException | None) -> bool:
    """Whether it is, or was raised because of, a certificate that is not trusted."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _takes_others(error: Exception) -> bool:
    if isinstance(error, _RefusedError):
        return error.status in OF_THE_MESSAGE
    if isinstance(error, smtplib.SMTPDataError):
        return error.smtp_code >= 500
    # what can't be made a mail or JSON fails without a call: trying the others costs nothing
    return not isinstance(error, FORESEEN)


def _told(error: Exception) -> str:
    if isinstance(error, (_RefusedError, _NoClientError)):
        return str(error)
    # what speaks HTTP calls it a connection that failed, as where the server is down
    name = "SSLCertVerificationError" if _is_of_certificate(error) else type(error).__name__
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{name}, SMTP code {error.smtp_code}"
    return name if isinstance(error, FORESEEN) else f"{name}, see the settings TENURE_ALERT_…"
