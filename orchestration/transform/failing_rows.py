"""Which rows fail a test, by their keys alone: no other column of theirs is told to anybody."""

import re

import duckdb

from orchestration.errors import HIDDEN

MAX_ROWS = 5

# text that may be a name, an address or a mail is no key that is told, nor one that is put together
# with colons, of which a person's id may be a part
KEY_VALUE = re.compile(r"[A-Za-z0-9_.+-]{1,64}")

KEY_NAMES = frozenset({"currency", "month_start", "cohort_month", "table_name", "lifetime_number"})
KEY_ENDINGS = ("_id", "_date")

# the id of a person outlives an erasure in a mailbox
OF_PERSONS = ("subscriber_id", "profile_id")


def failing_keys(connection: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    """Keys of some of the rows that the SQL of a test returns, such as `invoice_id in_7`.

    None where a row has no key, or where what it reads is no longer there. `connection` is only
    read from.
    """
    # a line of its own for what follows: the last of the SQL may be a comment
    query = f"({sql.strip().rstrip(';')}\n)"
    if not sql.strip():
        return []
    try:
        described = connection.execute(f"describe select * from {query}").fetchall()
        keys = [name for name, *_ in described if is_key(name)]
        if not keys:
            return []
        columns = ", ".join('"' + name.replace('"', '""') + '"' for name in keys)
        rows = connection.execute(
            f"select distinct {columns} from {query} order by all limit {MAX_ROWS}"
        ).fetchall()
    except duckdb.Error:
        # the tables with raw ids are dropped at the end of a build
        return []
    return [
        ", ".join(f"{name} {_shown(value)}" for name, value in zip(keys, row, strict=True))
        for row in rows
    ]


def is_key(column: str) -> bool:
    """Whether a column holds a key that names nobody, by its name."""
    return column in KEY_NAMES or (column.endswith(KEY_ENDINGS) and not column.endswith(OF_PERSONS))


def _shown(value: object) -> str:
    text = "null" if value is None else str(value)
    return text if KEY_VALUE.fullmatch(text) else HIDDEN
