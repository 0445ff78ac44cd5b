"""dbt is told at once that its database can't be where it is said to be."""

from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from orchestration.transform.dbt_plugin import Plugin


def test_a_folder_that_does_not_exist_is_told_before_the_database_is_tried(tmp_path: Path) -> None:
    plugin = Plugin("dbt_plugin", {})
    plugin.update_connection_config(SimpleNamespace(path=str(tmp_path / "build.duckdb")), {})
    nowhere = tmp_path / "nowhere"
    # dbt tells a RuntimeError as a connection that failed, and tries again after none
    with pytest.raises(RuntimeError, match=f"no folder {nowhere}: name one by TENURE_WAREHOUSE"):
        plugin.update_connection_config(SimpleNamespace(path=str(nowhere / "build.duckdb")), {})


def test_what_the_ends_of_parquet_files_say_is_kept_for_every_node() -> None:
    with duckdb.connect() as connection:
        Plugin("dbt_plugin", {}).configure_connection(connection)
        # a node has a cursor of its own
        kept = connection.cursor().execute("select current_setting('parquet_metadata_cache')")
        assert kept.fetchall() == [(True,)]
