"""What a finished build means, and in which order its faults count."""

from pathlib import Path

import pytest

from orchestration.errors import AuditError, BuildError, InputError, TenureError
from orchestration.transform.manifest import Manifest
from orchestration.transform.project import NodeFinished
from orchestration.transform.verdicts import build_error, check_results


def data_test(name: str, **meta: str) -> dict[str, object]:
    return {
        "name": name,
        "resource_type": "test",
        "description": f"Why {name} matters.",
        "config": {"severity": "ERROR", "meta": meta},
        "attached_node": "model.tenure.totals",
        "column_name": "total",
        "original_file_path": "models/marts/totals.yml",
    }


MANIFEST = Manifest(
    {
        "nodes": {
            "model.tenure.totals": {
                "name": "totals",
                "alias": "totals",
                "schema": "marts",
                "resource_type": "model",
                "config": {"meta": {"owner": "finance"}},
            },
            "test.tenure.input": data_test("input", fault="input"),
            "test.tenure.sums": data_test("sums"),
        },
        "sources": {},
    }
)

INPUT = NodeFinished("test.tenure.input", "fail", 2, "Got 2 results", 0.1)
REFUSED = NodeFinished("test.tenure.sums", "fail", 1, "Got 1 result", 0.1)
WARNED = NodeFinished("test.tenure.sums", "warn", 1, "Got 1 result", 0.1)
BROKEN = NodeFinished("model.tenure.totals", "error", 0, "Binder Error: no such column", 0.1)
SKIPPED = NodeFinished("model.tenure.totals", "skipped", 0, "", 0.0)
FULL = NodeFinished("model.tenure.totals", "error", 0, "IO Error: No space left on device", 0.1)
DAMAGED = NodeFinished(
    "model.tenure.totals", "error", 0, 'Invalid: "/data/raw/plans/it\'s.parquet" at 7', 0.1
)
NO_TEXT = NodeFinished(
    "model.tenure.totals",
    "error",
    0,
    "Invalid Input Error: Invalid string encoding found in Parquet file"
    ' "/data/raw/plans/s.parquet": value (not shown)',
    0.1,
)
GONE = NodeFinished(
    "model.tenure.totals",
    "error",
    0,
    'IO Error: No files found that match the pattern "/data/raw/plans/gone.parquet" LINE 19: ^',
    0.1,
)
LARGE = NodeFinished(
    "model.tenure.totals", "error", 0, "Out of Memory Error: failed to pin block (18 GiB used)", 0.1
)
TORN = NodeFinished(
    "model.tenure.totals",
    "error",
    0,
    "IO Error: Corrupt database file: computed checksum 1 does not match stored checksum 2",
    0.1,
)
HOOK = NodeFinished("operation.tenure.on-run-end", "error", 0, "it broke", 0.1)


def verdict(*finished: NodeFinished) -> TenureError | None:
    return build_error(
        MANIFEST,
        finished,
        raw_folder=Path("/data/raw"),
        raw_files=[Path("/data/raw/plans/s.parquet"), Path("/data/raw/plans/it's.parquet")],
        warehouse=Path("/data/warehouse"),
        messages_of=lambda unique_id: [f"told by {unique_id}"],
    )


def test_a_raw_file_that_was_taken_away_during_the_run_is_named() -> None:
    error = verdict(BROKEN, GONE)
    assert isinstance(error, InputError)
    (fault,) = error.faults
    assert (fault.file, fault.table) == (Path("/data/raw/plans/gone.parquet"), "plans")
    assert "taken away" in fault.what


def test_all_well() -> None:
    assert verdict() is None
    assert verdict(NodeFinished("test.tenure.sums", "pass", 0, "", 0.1), WARNED) is None


@pytest.mark.parametrize(
    ("finished", "kind", "told"),
    [
        ((BROKEN, REFUSED, INPUT), InputError, "told by test.tenure.input"),
        ((REFUSED, BROKEN), BuildError, "totals: Binder Error: no such column"),
        ((REFUSED, SKIPPED), AuditError, "told by test.tenure.sums"),
        ((REFUSED,), AuditError, "Why sums matters."),
        ((BROKEN, FULL), BuildError, "the disk that holds /data/warehouse is full"),
        ((BROKEN, TORN), BuildError, "`tenure run --full-refresh` makes it anew"),
        ((BROKEN, LARGE), BuildError, "totals needs more memory than there is"),
        ((HOOK,), BuildError, "operation.tenure.on-run-end: it broke"),
    ],
)
def test_what_counts_most(
    finished: tuple[NodeFinished, ...], kind: type[TenureError], told: str
) -> None:
    error = verdict(*finished)
    assert type(error) is kind
    assert told in str(error)


def test_a_raw_file_that_breaks_the_build_is_wrong_input() -> None:
    error = verdict(DAMAGED)
    assert isinstance(error, InputError)
    assert "file /data/raw/plans/it's.parquet, table plans: it can't be read" in str(error)


def test_a_raw_file_whose_text_is_none_is_wrong_input() -> None:
    error = verdict(NO_TEXT)
    assert isinstance(error, InputError)
    (fault,) = error.faults
    assert (fault.file, fault.table) == (Path("/data/raw/plans/s.parquet"), "plans")
    assert "not UTF-8" in fault.what


def test_more_messages_than_a_person_reads() -> None:
    error = build_error(
        MANIFEST,
        [INPUT],
        raw_folder=Path("/data/raw"),
        raw_files=[Path("/data/raw/plans/s.parquet"), Path("/data/raw/plans/it's.parquet")],
        warehouse=Path("/data/warehouse"),
        messages_of=lambda _: [f"fault {number}" for number in range(1000)],
    )
    assert isinstance(error, InputError)
    assert len(error.faults) < 30
    assert "and 980 more" in str(error)


def test_a_row_of_check_results() -> None:
    ((rule, result),) = check_results(MANIFEST, REFUSED, {})
    assert (rule.name, rule.kind) == ("sums", None)
    assert (result.check_name, result.kind, result.suite) == ("sums", "data test", "models/marts")
    assert (result.table_name, result.column_name) == ("marts.totals", "total")
    assert (result.severity, result.status, result.failures) == ("error", "failed", 1)
    assert (result.owner, result.why) == ("finance", "Why sums matters.")
