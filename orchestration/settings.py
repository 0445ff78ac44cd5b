"""Settings from the environment: where things are, on what is built, and the secrets of commands.

What does not belong here: where alerts go, which `alerting/settings.py` reads, and how the engines
are set, which dbt reads itself by `profiles.yml` and the macros. `parameters.py` judges some of
that before a run, and `spark.py` looks for the Java that `JAVA_HOME` names.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_DIR = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Where things are, unless the command line says otherwise: `TENURE_RAW` and so on."""

    model_config = SettingsConfigDict(env_prefix="TENURE_", env_ignore_empty=True)

    raw: Path = Path("demo/raw")
    warehouse: Path = Path("demo/warehouse")
    project_dir: Path = PROJECT_DIR
    # the engine that builds, as a target of profiles.yml
    target: str = "embedded"
    # of the digests in receipts of erasure; without one, the warehouse gets one of its own
    hash_key: SecretStr | None = None
    # where this service's runbook is read, as alerts say it too
    alert_runbook_url: str = "docs/runbook.md"
    # the database that a release is published to, as a URL
    publish_to: SecretStr | None = None


@dataclass(frozen=True)
class RunRequest:
    """What a run is asked to do, as text and paths: nothing is judged yet."""

    settings: Settings
    as_of: str | None = None
    variables: str | None = None
    full_refresh: bool = False


def is_any_set(prefix: str) -> bool:
    """Whether the environment has a setting of this prefix."""
    return any(name.upper().startswith(prefix) and value for name, value in os.environ.items())


@contextmanager
def environment(**values: str) -> Iterator[None]:
    """Sets environment variables for what runs inside, such as dbt, and puts them back."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
