"""The fits between two parts of a build, and the command that fits a table of counts."""

import json
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from typer.testing import CliRunner

from orchestration.assets import fits
from orchestration.assets.fits import build_fit_assets, run_fit
from orchestration.assets.models import build_parts
from orchestration.cli import app
from orchestration.commands.survival_report import read_survivors
from orchestration.database.warehouse import Warehouse
from orchestration.errors import BuildError, InputError
from orchestration.transform.manifest import Manifest
from orchestration.transform.project import DbtProject
from orchestration.triggers import JOB
from tests.orchestration.test_definitions import definitions

__all__ = ["definitions"]

REGULAR = (1000, 631, 468, 382, 326)


def _strata(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create schema intermediate; create schema bookkeeping")
    connection.execute("create table bookkeeping.completed_steps (step varchar primary key)")
    connection.execute(
        "create table intermediate.int_clv__strata as"
        " select 'regular' as stratum_id, 8::bigint as last_period union all select 'none', 3"
    )
    connection.execute(
        "create table intermediate.int_clv__lifetime_counts as select * from (values"
        " ('regular', 1, 369, 0), ('regular', 2, 163, 0), ('regular', 3, 86, 0),"
        " ('regular', 4, 56, 326)) as counts(stratum_id, period, churned, censored)"
    )


def _read(place: Warehouse, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(place.build_file), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_the_build_has_two_parts_with_the_fits_in_between(
    definitions: dg.Definitions, manifest: Manifest
) -> None:
    parts = build_parts(manifest)
    assert [part.name for part in parts] == ["dbt_build", "dbt_build_on_fits"]
    job = definitions.resolve_job_def(JOB)
    steps = {node.name for node in job.nodes}
    assert {"dbt_build", "fit_survival", "dbt_build_on_fits", "audit"} <= steps
    graph = definitions.resolve_asset_graph()
    fitted = dg.AssetKey(["fitted", "survival_fits"])
    mart = dg.AssetKey(["marts", "clv_parameters"])
    assert fitted in dg.AssetSelection.assets(mart).upstream().resolve(graph)
    counts = dg.AssetKey(["intermediate", "int_clv__lifetime_counts"])
    assert counts in graph.get(fitted).parent_keys


def test_a_test_of_both_parts_is_a_check_of_the_later_one(manifest: Manifest) -> None:
    later = manifest.nodes_on_fits
    for unique_id, node in manifest.content["nodes"].items():
        if node["resource_type"] != "test" or unique_id not in later or node.get("attached_node"):
            continue
        assert manifest.model_under_test(unique_id) in later


def test_what_is_fitted_has_the_types_that_the_source_declares(
    manifest: Manifest, warehouse: Warehouse
) -> None:
    with duckdb.connect(str(warehouse.build_file)) as connection:
        _strata(connection)
    assert run_fit(warehouse, manifest, "survival") == {"survival_fits": 2, "survival_curves": 9}
    rows = _read(
        warehouse, "select stratum_id, round(alpha, 4), reason from fitted.survival_fits order by 1"
    )
    assert rows == [
        ("none", None, "nobody has come up to a first renewal yet"),
        ("regular", 0.7637, None),
    ]
    types = dict(
        _read(
            warehouse,
            "select column_name, data_type from information_schema.columns"
            " where table_name = 'survival_fits'",
        )
    )
    assert types["due_lifetimes"] == "BIGINT"
    assert types["shape"] == "DOUBLE"
    assert _read(warehouse, "from bookkeeping.completed_steps") == [("survival",)]
    first = _read(warehouse, "from fitted.survival_curves order by all")
    run_fit(warehouse, manifest, "survival")
    assert _read(warehouse, "from fitted.survival_curves order by all") == first


def test_a_fit_that_breaks_leaves_the_former_tables(
    manifest: Manifest, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with duckdb.connect(str(warehouse.build_file)) as connection:
        _strata(connection)
    run_fit(warehouse, manifest, "survival")
    half = {"survival_curves": [], "survival_fits": [{"stratum_id": "regular"}]}
    monkeypatch.setattr(fits, "FITS", {"survival": lambda _given: half})
    with pytest.raises(duckdb.BinderException):
        run_fit(warehouse, manifest, "survival")
    assert _read(warehouse, "select count(*) from fitted.survival_curves") == [(9,)]


def test_a_fit_without_its_models_says_what_to_do(manifest: Manifest, warehouse: Warehouse) -> None:
    with pytest.raises(BuildError, match=r"int_clv__.* run the whole job"):
        run_fit(warehouse, manifest, "survival")


def test_a_fit_that_nobody_wrote_is_refused(
    manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fits, "FITS", {})
    built = dg.AssetsDefinition(specs=[])
    with pytest.raises(ValueError, match="names the fit 'risk'"):
        build_fit_assets(manifest, built)


def test_a_project_without_fits_is_built_in_one_part(small_project: Path, tmp_path: Path) -> None:
    from orchestration.transform.parameters import check_parameters

    place = Warehouse(tmp_path / "small")
    place.prepare()
    project = DbtProject(small_project)
    parsed = project.parse(place, check_parameters(project.root).parameters)
    (part,) = build_parts(parsed.manifest)
    assert part.notes == "build"
    assert not part.exclude


@pytest.fixture
def write_counts(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "counts.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def _csv(survivors: tuple[int, ...]) -> str:
    rows = "".join(f"{period},{left}\n" for period, left in enumerate(survivors))
    return f"period,survivors\n{rows}"


def test_a_table_of_counts_is_fitted_from_the_command_line(
    write_counts: Callable[[str], Path],
) -> None:
    path = write_counts(_csv(REGULAR))
    result = CliRunner().invoke(app, ["fit-survival", str(path), "--json", "--periods", "8"])
    assert result.exit_code == 0
    found = json.loads(result.output)
    simple = found["models"]["shifted_beta_geometric"]
    general = found["models"]["beta_discrete_weibull"]
    assert [simple["alpha"], simple["beta"], simple["shape"]] == pytest.approx(
        [0.7637, 1.2958, 1.0], abs=1e-4
    )
    assert simple["log_likelihood"] == pytest.approx(-1401.559, abs=0.001)
    assert general["shape"] == pytest.approx(1.1964, abs=1e-4)
    assert found["likelihood_ratio_test"]["p_value"] == pytest.approx(0.55, abs=0.005)
    assert found["chosen_model"] == "shifted_beta_geometric"
    assert [point["period"] for point in found["projected_survival"]] == list(range(9))
    assert found["discounted_expected_lifetime"] == pytest.approx(3.6211, abs=1e-4)


def test_the_command_tells_a_person_the_same(write_counts: Callable[[str], Path]) -> None:
    result = CliRunner().invoke(app, ["fit-survival", str(write_counts(_csv(REGULAR)))])
    assert result.exit_code == 0
    assert "Kept: shifted beta geometric" in result.output
    assert "3.6211 periods" in result.output


def test_counts_with_nothing_to_fit_are_no_error(write_counts: Callable[[str], Path]) -> None:
    path = write_counts(_csv((40, 40, 40)))
    shown = CliRunner().invoke(app, ["fit-survival", str(path)])
    assert shown.exit_code == 0
    assert "Nothing can be fitted: nobody has churned" in shown.output
    found = json.loads(CliRunner().invoke(app, ["fit-survival", str(path), "--json"]).output)
    assert found["reason"] == "nobody has churned"
    assert found["chosen_model"] is None
    assert found["projected_survival"] == []
    assert found["discounted_expected_lifetime"] is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "lacks period, survivors; it has nothing"),
        ("month,customers\n0,10\n", "lacks period, survivors; it has month, customers"),
        ("period;survivors\n0;10\n", "lacks period, survivors"),
        ("period,survivors\n0,ten\n", "line 2 has 'ten', no whole number"),
        ("period,survivors\n0,10.5\n", "no whole number"),
        ("period,survivors\n0,-1\n", "line 2 has -1, which is no count"),
        ("period,survivors\n0,10,3\n", "has 3 values in line 2, not 2"),
        ("period,survivors\n0,10\n2,5\n", "its periods are 0, 2, not 0, 1, 2"),
        ("period,survivors\n1,10\n2,5\n", "its periods are 1, 2, not 0, 1, 2"),
        ("period,survivors\n0,10\n0,10\n", "its periods are 0, 0"),
        ("period,survivors\n0,10\n1,12\n", "12 survivors in period 1 after 10"),
        ("period,survivors\n0,10\n", "no period after 0"),
        ("period,survivors\n", "no period after 0"),
    ],
)
def test_a_wrong_table_is_told_in_words(
    text: str, told: str, write_counts: Callable[[str], Path]
) -> None:
    with pytest.raises(InputError, match="Write a CSV file") as error:
        read_survivors(write_counts(text))
    assert told in str(error.value)
    assert error.value.exit_status == 2


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't be read"):
        read_survivors(tmp_path / "nothing.csv")
    binary = tmp_path / "counts.csv"
    binary.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InputError, match="no CSV text"):
        read_survivors(binary)


def test_rows_may_come_in_any_order_with_other_columns(
    write_counts: Callable[[str], Path],
) -> None:
    path = write_counts("\ufeffsurvivors, period,note\n5,2,\n10,0,begin\n\n8,1,\n")
    assert read_survivors(path) == (10, 8, 5)


@pytest.mark.parametrize("rate", ["0", "-0.1", "nan", "inf", "0.00000001"])
def test_a_rate_that_does_not_discount_is_refused(
    rate: str, write_counts: Callable[[str], Path]
) -> None:
    result = CliRunner().invoke(
        app, ["fit-survival", str(write_counts(_csv(REGULAR))), "--discount-rate", rate]
    )
    assert isinstance(result.exception, InputError)
