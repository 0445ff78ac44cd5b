"""Who reads the marts, as the project names them, against what they really read."""

import re

from dashboard import cube
from dashboard.extract import QUERIES
from orchestration.transform.manifest import RELEASED_SCHEMAS, Manifest


def read_by(manifest: Manifest, exposure: str) -> set[str]:
    (found,) = [each for each in manifest.content["exposures"].values() if each["name"] == exposure]
    return {".".join(manifest.relation(unique_id)) for unique_id in found["depends_on"]["nodes"]}


def test_the_dashboard_is_named_as_the_reader_of_what_it_reads(manifest: Manifest) -> None:
    queries = [path.read_text(encoding="utf-8") for path in QUERIES.glob("*.sql")]
    read = {table for query in queries for table in re.findall(r"\b(?:marts|quality)\.\w+", query)}
    models = {f"{table.schema}.{table.name}" for table in manifest.released_tables()}
    # releases and checks are written by the release itself, and are no models
    assert read_by(manifest, "dashboard") == (read | {cube.CHURN, cube.BRIDGE}) & models


def test_bi_tools_are_named_as_readers_of_every_mart(manifest: Manifest) -> None:
    models = {f"{table.schema}.{table.name}" for table in manifest.released_tables()}
    assert read_by(manifest, "business_intelligence") == models


def test_every_released_model_writes_what_it_means_into_the_database(manifest: Manifest) -> None:
    released = [node for node in manifest.models() if node["schema"] in RELEASED_SCHEMAS]
    assert released
    for node in released:
        assert node["config"]["persist_docs"] == {"relation": True, "columns": True}, node["name"]
        assert node["description"]
        assert all(column["description"] for column in node["columns"].values()), node["name"]


def test_every_released_table_has_a_key_for_postgresql(manifest: Manifest) -> None:
    keys = manifest.tested_keys()
    for table in manifest.released_tables():
        if table.schema == "marts":
            assert keys[f"{table.schema}.{table.name}"], table.name
    assert keys["marts.churn_monthly"] == (
        "month_start",
        "plan_tier",
        "country_code",
        "acquisition_channel",
    )
