"""The knowledge horizon that a build would have, before it is built."""

from collections.abc import Callable
from datetime import datetime

import duckdb
from jinja2 import Environment, StrictUndefined

from orchestration.database import bookkeeping
from orchestration.database.sql_text import quoted_name
from orchestration.errors import Fault
from orchestration.transform.manifest import Manifest
from orchestration.transform.parameters import AS_OF, LATEST_AS_OF, VarValue


def horizon_to_be(
    connection: duckdb.DuckDBPyConnection, manifest: Manifest, as_of: VarValue = None
) -> datetime:
    """The horizon that a build of the raw tables of a database would have, UTC without a zone.

    It is asked of the model's own SQL. The default one can move back though rows only come: the
    first play of a service, a late one, counts before a later sign-up does.
    """
    ((horizon,),) = connection.execute(_query(manifest, as_of, quoted_name)).fetchall()
    found: datetime = horizon
    return found


def check_horizon(
    connection: duckdb.DuckDBPyConnection, manifest: Manifest, as_of: VarValue = None
) -> tuple[Fault, ...]:
    """The tables whose rows would put the default horizon where nobody may put it by name.

    A feed may write a time that it doesn't know as one of the year 9999.
    """
    tables: dict[str, str] = {}

    def source(*names: str) -> str:
        tables[quoted_name(*names)] = names[-1]
        return quoted_name(*names)

    latest = LATEST_AS_OF.replace(tzinfo=None)
    query = _query(manifest, as_of, source)
    ((is_too_late,),) = connection.execute(
        f"select as_of >= ? from ({query}) as clock", [latest]
    ).fetchall()
    if not is_too_late:
        return ()
    rows_ahead = {
        name: connection.execute(
            f"select count(*) from {relation} where recorded_at >= ?", [latest]
        ).fetchall()[0][0]
        for relation, name in tables.items()
    }
    return tuple(
        Fault(
            f"{rows:,} of its rows are recorded in {latest:%Y} or later, and every month until then"
            " would be built",
            "Take them out of the raw files, or name the horizon with --as-of until the source has"
            " mended them: what is recorded later does not exist then",
            table=name,
        )
        for name, rows in rows_ahead.items()
        if rows
    )


def _query(manifest: Manifest, as_of: VarValue, source: Callable[..., str]) -> str:
    variables = {AS_OF: as_of}
    (clock,) = (
        model
        for model in manifest.models()
        if manifest.relation(model["unique_id"]) == bookkeeping.CLOCK_RELATION
    )
    # SQL, of which nothing is markup
    environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701
    return environment.from_string(clock["raw_code"]).render(
        var=variables.__getitem__, source=source
    )
