"""What dbt does as it opens the build's database: look for its folder, mind memory and raw files.

dbt tries again where the database can't be opened, since another process may hold it. That a folder
does not exist looks the same to it, node after node, for minutes.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbt.adapters.duckdb.plugins import BasePlugin

from orchestration.database.memory import give_freed_blocks_back

if TYPE_CHECKING:
    from dbt.adapters.duckdb.credentials import DuckDBCredentials
    from duckdb import DuckDBPyConnection


class Plugin(BasePlugin):
    """Refuses a database without a folder; gives freed memory back, keeps ends of Parquet files."""

    def update_connection_config(
        self,
        creds: "DuckDBCredentials",
        config: dict[str, Any],  # noqa: ARG002
    ) -> None:
        """Raises RuntimeError, which dbt tells as a failed connection and does not try again."""
        folder = Path(creds.path).absolute().parent
        if not folder.is_dir():
            raise RuntimeError(
                f"there is no folder {folder}: name one by TENURE_WAREHOUSE,"
                " or make it by `tenure run`"
            )
        give_freed_blocks_back()

    def configure_connection(self, conn: "DuckDBPyConnection") -> None:
        """Keeps what the ends of Parquet files say: each of thousands is asked by many queries."""
        conn.execute("set global parquet_metadata_cache = true")
