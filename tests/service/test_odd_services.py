"""All marts of services that are odd in one way: nothing breaks, and nothing is made up.

Every model, fit and data test runs, the primary keys and the reconciliations among them. What is
looked at besides is what no data test says: figures that are no numbers, and fits of nothing.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.assets.fits import FITS, run_fit
from orchestration.assets.models import ON_FITS
from orchestration.database.warehouse import Warehouse
from orchestration.releases import audit
from orchestration.transform.manifest import Manifest
from orchestration.transform.project import ParsedProject
from simulator import simulate
from tests.built_service import land, run_dbt, write_headers
from tests.recorded import Recording, copy_seeds, failing, record, replay
from tests.service.odd_services import ONLY_TRIALS_WITHOUT_RATES, SCENARIOS, derive

END = datetime(2026, 1, 1, tzinfo=UTC)
ONE_MONTH = "one month"
# in none of them did anybody come up to a renewal that somebody made and somebody did not
WITHOUT_FIT = {
    ONE_MONTH,
    "one subscriber",
    "nobody pays",
    "nobody churned",
    "gifts that nobody renewed",
}
# a few people of one country: too few churned for a fit to be applied
TOO_FEW = {"one country"}
# nor did anybody leave in these, which a model of the risk to leave could learn from
WITHOUT_CHURN = WITHOUT_FIT - {"gifts that nobody renewed"}
PARAMETERS = "alpha, beta, shape, log_likelihood, likelihood_ratio_p_value"
Odd = tuple[str, duckdb.DuckDBPyConnection]


def _simulate(out: Path, *, subscribers: int, months: int) -> Path:
    simulate(
        subscribers=subscribers,
        months=months,
        seed=3,
        out=out,
        plays_per_month=3.0,
        dirt=False,
        end=END,
    )
    return out


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The raw folder that the odd ones are derived from."""
    folder = tmp_path_factory.mktemp("ordinary")
    return _simulate(folder / "raw", subscribers=300, months=14)


@pytest.fixture(scope="module")
def recordings(
    parsed_project: ParsedProject, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Recording, Recording]:
    """A database with the seeds, and what dbt executes before the fits and after them."""
    folder = tmp_path_factory.mktemp("recorded")
    raw, place = folder / "raw", Warehouse(folder / "warehouse")
    write_headers(raw, parsed_project.project.contract().tables)
    place.prepare()
    land(parsed_project, raw, place, spark=None)
    run_dbt(parsed_project, place, select=["resource_type:seed"], exclude=[], tests="none")

    def recorded(select: Sequence[str] = (), exclude: Sequence[str] = ()) -> Recording:
        return record(
            place.root,
            target=folder / "target",
            variables="{}",
            select=select,
            exclude=exclude,
            has_tests=True,
        )

    return place.build_file, recorded(exclude=(ON_FITS,)), recorded(select=(ON_FITS,))


@pytest.fixture(scope="module", params=[*SCENARIOS, ONE_MONTH])
def odd(
    request: pytest.FixtureRequest,
    ordinary: Path,
    recordings: tuple[Path, Recording, Recording],
    parsed_project: ParsedProject,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, duckdb.DuckDBPyConnection]]:
    """An odd service's name, and what was built of it."""
    name: str = request.param
    folder = tmp_path_factory.mktemp("odd")
    project = parsed_project.project
    if name == ONE_MONTH:
        raw = _simulate(folder / "raw", subscribers=150, months=1)
    else:
        raw = derive(ordinary, folder / "raw", SCENARIOS[name], project.contract())
    place = Warehouse(folder / "warehouse")
    place.prepare()
    land(parsed_project, raw, place, spark=None)
    seeded, before_fits, after_fits = recordings
    with duckdb.connect(str(place.build_file)) as connection:
        copy_seeds(connection, seeded)
    _build(place, before_fits)
    for fit in FITS:
        run_fit(place, parsed_project.manifest, fit)
    _build(place, after_fits)
    # raises where an expectation that would stop the release is not met
    audit.note(place, audit.judge(place))
    with duckdb.connect(str(place.build_file), read_only=True) as connection:
        yield name, connection


def _build(place: Warehouse, recording: Recording) -> None:
    with duckdb.connect(str(place.build_file)) as connection:
        connection.execute("attach ':memory:' as forgotten")
        replay(connection, recording.statements)
        assert failing(connection, recording.tests) == []


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query).fetchall()


def test_every_figure_is_a_number_or_null(odd: Odd) -> None:
    _, connection = odd
    doubles = _rows(
        connection,
        "select table_schema, table_name, column_name from information_schema.columns"
        " where data_type in ('DOUBLE', 'FLOAT')"
        " and table_schema in ('intermediate', 'marts', 'quality', 'fitted')",
    )
    assert len(doubles) > 100
    wrong = [
        (table, column)
        for schema, table, column in doubles
        if _rows(
            connection,
            f'select 1 from {schema}.{table} where not isfinite("{column}") limit 1',
        )
    ]
    assert wrong == []


def test_a_stratum_has_parameters_only_where_some_renewed_and_some_did_not(odd: Odd) -> None:
    name, connection = odd
    fitted = _rows(
        connection,
        "select stratum_id, due_lifetimes, churned_lifetimes, fitted_stratum_id"
        " from marts.clv_parameters where alpha is not null",
    )
    assert bool(fitted) == (name not in WITHOUT_FIT | TOO_FEW)
    assert [row for row in fitted if row[0] == row[3] and not 0 < row[2] < row[1]] == []


def test_nothing_stands_on_a_fit_that_is_not_there(odd: Odd) -> None:
    _, connection = odd
    assert _rows(
        connection,
        "select count(*) from marts.clv_parameters where fitted_stratum_id is null"
        f" and coalesce({PARAMETERS}) is not null",
    ) == [(0,)]
    # who has left has nothing to come; who has not, has a figure where there is a fit
    assert _rows(
        connection,
        "select count(*) from marts.clv_subscribers as value"
        " left join marts.clv_parameters as stratum using (stratum_id)"
        " where (value.stratum_id is not null and stratum.fitted_stratum_id is null)"
        " <> (value.expected_remaining_value_amount is null)",
    ) == [(0,)]


def test_nobody_is_at_a_risk_that_nothing_was_learned_of(odd: Odd) -> None:
    name, connection = odd
    if name in WITHOUT_CHURN:
        assert _rows(connection, "select * from fitted.risk_coefficients") == []
        assert _rows(connection, "select * from marts.churn_risk_scorecard") == []
    learned = _rows(connection, "select 1 from fitted.risk_coefficients limit 1")
    if not learned:
        assert _rows(
            connection, "select count(end_probability), count(reason_1) from marts.churn_risk"
        ) == [(0, 0)]


def test_empty_are_the_marts_that_a_check_says_to_be(odd: Odd, manifest: Manifest) -> None:
    name, connection = odd
    said = manifest.marts_empty_without(SCENARIOS[name].without if name in SCENARIOS else ())
    empty = {
        mart
        for (mart,) in _rows(
            connection,
            "select table_name from information_schema.tables where table_schema = 'marts'",
        )
        if not _rows(connection, f"select 1 from marts.{mart} limit 1")
    }
    # what else is empty has nothing to tell, though its tables are there
    assert empty.issuperset(said)
    if name == "required tables alone":
        # a hundred people have to have left before a model of the risk to leave is judged
        assert empty - {"churn_risk_scorecard"} == set(said)


def test_rates_are_required_though_nothing_in_another_currency_is_to_be_valued(
    ordinary: Path,
    recordings: tuple[Path, Recording, Recording],
    parsed_project: ParsedProject,
    tmp_path: Path,
) -> None:
    contract = parsed_project.project.contract()
    raw = derive(ordinary, tmp_path / "raw", ONLY_TRIALS_WITHOUT_RATES, contract)
    place = Warehouse(tmp_path / "warehouse")
    place.prepare()
    land(parsed_project, raw, place, spark=None)
    seeded, before_fits, _ = recordings
    with duckdb.connect(str(place.build_file)) as connection:
        copy_seeds(connection, seeded)
        connection.execute("attach ':memory:' as forgotten")
        replay(connection, before_fits.statements)
        told = failing(connection, before_fits.tests)
    assert [name for name, _ in told] == ["assert_every_valued_month_has_a_rate"]
