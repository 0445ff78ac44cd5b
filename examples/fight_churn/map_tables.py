"""Brings other people's tables to the raw contract: one SQL file a raw table, run by DuckDB.

Nothing here knows the tables: every file of the source folder is a relation named after it, and
every file of `sql/` is a raw table named after it. So this script serves other tables as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import duckdb
import typer
from rich.console import Console
from rich.table import Table

EXAMPLE = Path(__file__).resolve().parent
READERS = {".csv": "read_csv", ".parquet": "read_parquet"}


class MappingError(Exception):
    """What is wrong with the source or with a SQL file, and what to do about it."""


def source_files(source: Path) -> list[Path]:
    """Return the CSV and Parquet files of the folder; `MappingError` where there are none."""
    files = (
        sorted(file for file in source.iterdir() if file.suffix in READERS)
        if source.is_dir()
        else []
    )
    if not files:
        what = "holds no CSV and no Parquet file" if source.is_dir() else "is not there"
        raise MappingError(
            f"The source folder {source.resolve()} {what}. Name the folder that holds the files "
            "to be mapped with --source; `make example` looks for "
            "data/fightchurn_socialnet7 in the folder named by TENURE_SHARED, "
            "or else in ../shared."
        )
    return files


def map_tables(*, source: Path, sql: Path, out: Path) -> dict[str, int]:
    """Write each raw table as `out/<table>/<table>.parquet` and return its number of rows.

    The rows are written in order, so that the same source gives the same files. Raises
    `MappingError`, naming the file, where a source can't be read or a SQL file can't be run.
    """
    rows: dict[str, int] = {}
    with duckdb.connect() as connection:
        for file in source_files(source):
            path = _quoted(file)
            _run(
                connection,
                f'create view "{file.stem}" as from {READERS[file.suffix]}({path})',
                file,
            )
        for file in sorted(sql.glob("*.sql")):
            folder = out / file.stem
            folder.mkdir(parents=True, exist_ok=True)
            target = _quoted(folder / f"{file.stem}.parquet")
            select = file.read_text(encoding="utf-8")
            copy = f"copy (with mapped as (\n{select}\n) from mapped order by all) to {target}"
            rows[file.stem] = _run(connection, copy, file)
    return rows


def _quoted(path: Path) -> str:
    text = str(path).replace("'", "''")
    return f"'{text}'"


def _run(connection: duckdb.DuckDBPyConnection, statement: str, file: Path) -> int:
    """Run the statement that `file` stands for and return the one number it answers, or 0."""
    try:
        answer: Sequence[int] | None = connection.execute(statement).fetchone()
    except duckdb.Error as error:
        raise MappingError(f"{file}: {error}") from error
    return answer[0] if answer else 0


def main(
    *,
    source: Annotated[Path, typer.Option(help="Folder of the CSV and Parquet files to be mapped.")],
    out: Annotated[Path, typer.Option(help="Folder for the raw tables.")],
    sql: Annotated[
        Path, typer.Option(help="Folder of SQL files, one a raw table.", show_default=False)
    ] = EXAMPLE / "sql",
) -> None:
    """Map a folder of tables to the raw tables that `tenure run` takes."""
    try:
        rows = map_tables(source=source, sql=sql, out=out)
    except MappingError as error:
        Console(stderr=True).print(str(error), style="red", soft_wrap=True, markup=False)
        raise typer.Exit(code=2) from error
    table = Table("raw table", "rows", title=f"Raw tables in {out}", title_justify="left")
    table.columns[1].justify = "right"
    for name, number in rows.items():
        table.add_row(name, f"{number:,}")
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
