"""A few models and what they stand on, built from a raw folder without the rest of the way.

For tests that read one mart of a whole service: a full run builds, audits and releases all of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.definitions.pipeline import dbt_vars, lay_views
from tests.definitions.reference import Settings

PROJECT = Path(__file__).resolve().parents[1]


def build_selected(raw: Path, folder: Path, settings: Settings, *models: str) -> Path:
    """Return `build.duckdb` in `folder`, with the models and all that is upstream of them.

    Raises AssertionError with what dbt said where a model fails. No data test runs.
    """
    lay_views(raw, folder)
    build_again(folder, settings, *(f"+{model}" for model in models))
    return folder / "build.duckdb"


def build_again(folder: Path, settings: Settings, *selected: str) -> None:
    """Build what dbt selects by such words, in a warehouse in which its raw tables are laid.

    Raises AssertionError with what dbt said where a model fails. No data test runs.
    """
    done = subprocess.run(
        [
            Path(sys.executable).parent / "dbt",
            *("build", "--select", *selected),
            *("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"),
            *("--target-path", folder / "target", "--log-path", folder / "logs"),
            *("--vars", json.dumps(dbt_vars(settings))),
        ],
        cwd=PROJECT,
        env={**os.environ, "TENURE_WAREHOUSE": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise AssertionError(done.stdout + done.stderr)
