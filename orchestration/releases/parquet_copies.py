"""The Parquet copies of a release, behind one link that readers follow."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from orchestration.database import bookkeeping
from orchestration.database.sql_text import quoted_name, quoted_text
from orchestration.database.warehouse import (
    PRIVATE_DIRECTORY,
    Warehouse,
)
from orchestration.releases.candidate import BUILD, CANDIDATE, attached
from orchestration.releases.kept import link_or_copy, parquet_dir, read_release


def made_as_parquet(warehouse: Warehouse) -> Mapping[tuple[str, str], Path]:
    """The folders of those tables of the build that are Parquet already, since Spark made them."""
    with attached(warehouse, build=(warehouse.build_file, "read_only")) as connection:
        return bookkeeping.read_folders(connection, catalog=BUILD)


def export_parquet(
    warehouse: Warehouse,
    database: Path,
    release_id: str,
    made: Mapping[tuple[str, str], Path] = MappingProxyType({}),
) -> None:
    """Writes the tables of a release as Parquet; `made` are folders that are so already."""
    target = parquet_dir(warehouse, release_id)
    unfinished = warehouse.releases_dir / f".{release_id}.parquet"
    shutil.rmtree(unfinished, ignore_errors=True)
    with attached(warehouse, candidate=(database, "read_only")) as connection:
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = ?",
            [CANDIDATE],
        ).fetchall()
        for schema, table in tables:
            path = unfinished / schema / f"{table}.parquet"
            path.parent.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
            if (schema, table) in made:
                _link_folder(made[schema, table], path)
                continue
            connection.execute(
                f"copy {quoted_name(CANDIDATE, schema, table)} to {quoted_text(str(path))}"
                " (format parquet, compression zstd)"
            )
    unfinished.rename(target)


def _link_folder(source: Path, target: Path) -> None:
    """Has the files of a folder, and of its partitions, under another name as well."""
    for file in sorted(source.rglob("*.parquet")):
        linked = target / file.relative_to(source)
        linked.parent.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        link_or_copy(file, linked)


def switch_parquet(warehouse: Warehouse, release_id: str) -> None:
    """Puts the Parquet copies of a release before readers, and takes away those of all others."""
    link = warehouse.root / f".parquet-{release_id}"
    link.unlink(missing_ok=True)
    target = parquet_dir(warehouse, release_id)
    link.symlink_to(target.relative_to(warehouse.root))
    link.replace(warehouse.parquet_link)
    for other in warehouse.releases_dir.glob("[!.]*.parquet"):
        if other != target:
            shutil.rmtree(other)


def restore_parquet(warehouse: Warehouse) -> None:
    """Has the Parquet copies be those of the release that stands."""
    release_id = read_release(warehouse.release_file).release_id
    if not parquet_dir(warehouse, release_id).exists():
        export_parquet(warehouse, warehouse.release_file, release_id)
    if not _links_to(warehouse.parquet_link, parquet_dir(warehouse, release_id)):
        switch_parquet(warehouse, release_id)


def _links_to(link: Path, target: Path) -> bool:
    return link.is_symlink() and link.resolve() == target.resolve()
