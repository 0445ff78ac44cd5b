"""How files of a raw table are read."""

from dataclasses import dataclass

# a folder's name such as plan_id=7 would take the place of the column
NO_PARTITIONS = "hive_partitioning = false"


@dataclass(frozen=True)
class Reading:
    """Files of a table that are read the same way: a `from` item and an expression per column.

    `is_plain` where they are Parquet of the contract's own types, which any engine reads alike.
    """

    relation: str
    expressions: tuple[str, ...]
    is_plain: bool = False
