"""Settings are read from the environment, and what is secret in them is never shown."""

import pytest
from pydantic import ValidationError

from alerting.settings import AlertSettings, faults_of


def test_without_settings_there_is_no_place() -> None:
    assert AlertSettings().places == ()


def test_places_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "SLACK_URL": "https://hooks.example/T1/hush-one",
        "WEBHOOK_URL": "https://example.com/hush-two",
        "WEBHOOK_SECRET": "hush-three",
        "SMTP_HOST": "mail.example.com",
        "SMTP_FROM": "a@example.com",
        "SMTP_TO": "b@example.com,c@example.com",
        "SMTP_USER": "a",
        "SMTP_PASSWORD": "hush-four",
        "REMIND_AFTER_HOURS": "6",
        "LATE_AFTER_HOURS": "30.5",
    }.items():
        monkeypatch.setenv(f"TENURE_ALERT_{name}", value)
    settings = AlertSettings()
    assert settings.places == ("slack", "webhook", "e-mail")
    assert settings.recipients == ("b@example.com", "c@example.com")
    assert (settings.remind_after_hours, settings.late_after_hours) == (6, 30.5)
    assert "hush" not in repr(settings) + str(settings) + settings.model_dump_json()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {"slack_url": "ftp://hush"},
            "TENURE_ALERT_SLACK_URL: it is no address that begins with https:// or http://",
        ),
        (
            {"webhook_url": "https://hush"},
            "TENURE_ALERT_WEBHOOK_URL needs TENURE_ALERT_WEBHOOK_SECRET, with which messages are"
            " signed",
        ),
        (
            {"webhook_secret": "whsec_hush!"},
            "TENURE_ALERT_WEBHOOK_SECRET: after whsec_ there is no base64",
        ),
        (
            {"smtp_host": "hush"},
            "TENURE_ALERT_SMTP_HOST needs TENURE_ALERT_SMTP_FROM and TENURE_ALERT_SMTP_TO,"
            " addresses",
        ),
        (
            {"smtp_from": "hush\nBcc: all"},
            "TENURE_ALERT_SMTP_FROM: it has a line break or another control character in it",
        ),
        (
            {"smtp_user": "hush", "smtp_security": "none"},
            "TENURE_ALERT_SMTP_SECURITY is none, and a password would be sent in the clear: make"
            " it starttls or tls",
        ),
    ],
)
def test_wrong_settings_are_told_without_what_was_given(given: dict[str, str], told: str) -> None:
    with pytest.raises(ValidationError) as wrong:
        AlertSettings(**given)  # type: ignore[arg-type]
    assert faults_of(wrong.value) == (told,)
    assert "hush" not in str(wrong.value)
