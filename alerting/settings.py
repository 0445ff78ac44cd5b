"""Where alerts go and how often, from the environment: `TENURE_ALERT_SLACK_URL` and so on."""

import base64
from email.utils import getaddresses
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "TENURE_ALERT_"

# a secret of the standard form, in base64 after this prefix; any other text is taken as it is
SECRET_PREFIX = "whsec_"  # noqa: S105


def signing_key(secret: str) -> bytes:
    """The bytes that a webhook is signed with; raises ValueError for what is no base64."""
    if secret.startswith(SECRET_PREFIX):
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    return secret.encode()


# a century: what is longer is a slip of the hand
MOST_HOURS = 876_000


class AlertSettings(BaseSettings):
    """Places and times; a place that is not set gets nothing.

    A webhook's address is as secret as a password: whoever has it can post.
    """

    # an error that shows what was given would show a secret
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, hide_input_in_errors=True
    )

    slack_url: SecretStr | None = None
    webhook_url: SecretStr | None = None
    webhook_secret: SecretStr | None = None
    smtp_host: str | None = None
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_from: str | None = None
    smtp_to: str | None = None
    remind_after_hours: float = Field(default=24, gt=0, le=MOST_HOURS)
    late_after_hours: float = Field(default=26, gt=0, le=MOST_HOURS)
    runbook_url: str = "docs/runbook.md"

    @field_validator("slack_url", "webhook_url")
    @classmethod
    def _is_web_address(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not value.get_secret_value().startswith(("https://", "http://")):
            raise ValueError("it is no address that begins with https:// or http://")
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _is_a_key(cls, value: SecretStr | None) -> SecretStr | None:
        try:
            key = signing_key(value.get_secret_value()) if value else b"none"
        except ValueError:
            key = b""
        if not key:
            raise ValueError(f"after {SECRET_PREFIX} there is no base64")
        return value

    @field_validator("smtp_from", "smtp_to")
    @classmethod
    def _is_one_line(cls, value: str | None) -> str | None:
        if value and any(ord(character) < ord(" ") for character in value):
            raise ValueError("it has a line break or another control character in it")
        return value

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        if self.webhook_url and not self.webhook_secret:
            raise ValueError(
                f"{PREFIX}WEBHOOK_URL needs {PREFIX}WEBHOOK_SECRET, with which messages are signed"
            )
        if self.smtp_host and not (self.smtp_from and self.addresses):
            raise ValueError(
                f"{PREFIX}SMTP_HOST needs {PREFIX}SMTP_FROM and {PREFIX}SMTP_TO, addresses"
            )
        if self.smtp_user and self.smtp_security == "none":
            raise ValueError(
                f"{PREFIX}SMTP_SECURITY is none, and a password would be sent in the clear: make it"
                " starttls or tls"
            )
        return self

    @property
    def recipients(self) -> tuple[str, ...]:
        """The recipients of `smtp_to`, which commas part."""
        given = (address.strip() for address in (self.smtp_to or "").split(","))
        return tuple(address for address in given if address)

    @property
    def addresses(self) -> tuple[str, ...]:
        """The recipients without their names, each once, as a mail server is told them."""
        found = (address for _, address in getaddresses([", ".join(self.recipients)]))
        return tuple(dict.fromkeys(address for address in found if address))

    def reached_by(self, place: str) -> tuple[str, ...]:
        """Who may refuse a message one by one: the addresses of mail, else the place itself."""
        return (self.addresses if place == "e-mail" else ()) or (place,)

    @property
    def places(self) -> tuple[str, ...]:
        """The kinds of place that alerts go to: `slack`, `webhook`, `e-mail`."""
        configured = {
            "slack": self.slack_url,
            "webhook": self.webhook_url,
            "e-mail": self.smtp_host,
        }
        return tuple(place for place, value in configured.items() if value)


def faults_of(error: ValidationError) -> tuple[str, ...]:
    """What is wrong with the settings, a line each, without what was given."""
    return tuple(
        ": ".join(
            part
            for part in (
                ", ".join(f"{PREFIX}{str(name).upper()}" for name in fault["loc"]),
                fault["msg"].removeprefix("Value error, "),
            )
            if part
        )
        for fault in error.errors(include_url=False, include_input=False, include_context=False)
    )
