"""A few models and what they stand on, built from a raw folder without the rest of the way.

For tests that read one mart of a whole service: a full run builds, audits and releases all of them.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.definitions.pipeline import dbt_vars, lay_views
from tests.definitions.reference import Settings
from tests.one_parse import invoke_dbt, what_failed


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
    arguments = [
        *("build", "--select", *selected),
        *("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"),
        *("--vars", json.dumps(dbt_vars(settings))),
    ]
    result = invoke_dbt(arguments, folder, target=folder / "target")
    assert result.success, what_failed(result)
