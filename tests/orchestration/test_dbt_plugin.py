"""dbt is told at once that its database can't be where it is said to be."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from orchestration.dbt_plugin import Plugin


def test_a_folder_that_does_not_exist_is_told_before_the_database_is_tried(tmp_path: Path) -> None:
    plugin = Plugin("dbt_plugin", {})
    plugin.update_connection_config(SimpleNamespace(path=str(tmp_path / "build.duckdb")), {})
    nowhere = tmp_path / "nowhere"
    # dbt tells a RuntimeError as a connection that failed, and tries again after none
    with pytest.raises(RuntimeError, match=f"no folder {nowhere}: name one by TENURE_WAREHOUSE"):
        plugin.update_connection_config(SimpleNamespace(path=str(nowhere / "build.duckdb")), {})
