"""What a finished dbt build means: pure judgements, which the Dagster assets only pass on."""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath

from orchestration.database.bookkeeping import CheckResult, Status
from orchestration.database.warehouse import (
    REBUILT,
    disk_full_message,
    says_damaged,
    says_disk_full,
)
from orchestration.errors import AuditError, BuildError, Fault, InputError, TenureError, counted
from orchestration.transform.data_tests import Broken, Rule, rules_of
from orchestration.transform.manifest import Manifest, NodeProperties, test_fault
from orchestration.transform.project import ERRORS, NodeFinished
from orchestration.transform.spark import told_by_spark

MAX_TOLD = 20

DAMAGED_TOLD = (
    f"the build's database is damaged: {REBUILT}. Nothing was released and the last release stands"
)

# how the engine ends when a text of a Parquet file is none
NOT_UTF8 = "Invalid string encoding"

# how the engine ends when it may not take more, and what is told of it
OUT_OF_MEMORY = "Out of Memory Error"
OUT_OF_MEMORY_TOLD = (
    "{} needs more memory than there is. Nothing was released and the last release stands. Run it"
    " where there is more; if the raw files are hardly more than last time, look for one with texts"
    " of great length, which a Parquet file of a few kilobytes can hold."
)

MessagesOf = Callable[[str], Sequence[str]]


def check_results(
    manifest: Manifest, node: NodeFinished, broken: Broken
) -> list[tuple[Rule, CheckResult]]:
    """Each thing that a data test holds that ran, with its row of `quality.check_results`.

    `broken` says of a test of many things which fail it; where it names none, all count as broken.
    """
    return [
        (rule, _check_result(manifest, node, rule, broken))
        for rule in rules_of(manifest.node(node.unique_id))
    ]


def _check_result(
    manifest: Manifest, node: NodeFinished, rule: Rule, broken: Broken
) -> CheckResult:
    test = manifest.node(node.unique_id)
    meta = test["config"].get("meta", {})
    tested = manifest.model_under_test(node.unique_id)
    table = manifest.node(tested) if tested else None
    is_warning = test["config"]["severity"].lower() == "warn"
    failed: Status = "warned" if is_warning and node.status == "warn" else "failed"
    # a test that fails may hold other things that hold
    is_kept = node.is_success or (bool(broken) and rule.mark not in broken)
    failures = broken.get(rule.mark or "", node.failures)
    message = f"Broken by {counted(failures, 'row')}" if broken else node.message
    return CheckResult(
        check_name=rule.name,
        kind="data test",
        suite=str(PurePosixPath(test["original_file_path"]).parent),
        table_name=_relation(table) if table else "",
        column_name=rule.column,
        severity="warning" if is_warning else "error",
        status="passed" if is_kept else failed,
        failures=0 if is_kept else failures,
        message="" if is_kept else message,
        why=test.get("description") or "",
        owner=str(meta.get("owner") or _owner(table)),
        what_to_do=str(meta.get("what_to_do", "")),
    )


def _owner(table: NodeProperties | None) -> str:
    return str(table["config"].get("meta", {}).get("owner", "")) if table else ""


def is_data_test(manifest: Manifest, unique_id: str) -> bool:
    """Whether a node is a data test, rather than a model, a seed or a hook."""
    test = manifest.content["nodes"].get(unique_id)
    return bool(test) and test["resource_type"] == "test"


def build_error(
    manifest: Manifest,
    finished: Iterable[NodeFinished],
    *,
    raw_folder: Path,
    raw_files: Sequence[Path],
    warehouse: Path,
    messages_of: MessagesOf,
) -> TenureError | None:
    """What the build failed of, if it did; `raw_files` are those that are still there.

    Wrong input comes before all else: it is the likeliest cause of what else is wrong. Then what
    broke, then what the tests refuse. `messages_of` gives the messages of a failing input test.
    """
    failed = [node for node in finished if not node.is_success]
    broken = [node for node in failed if node.status in ERRORS]
    refused = [node for node in failed if node.status == "fail"]
    input_tests = [node for node in refused if test_fault(manifest.node(node.unique_id)) == "input"]
    if input_tests:
        return InputError(_input_faults(manifest, input_tests, messages_of))
    for node in broken:
        name = _properties(manifest, node.unique_id).get("name", node.unique_id)
        if told := _told_by_machine(node.message, str(name), warehouse):
            return BuildError(told)
        if file := _raw_file_in(node.message, raw_files):
            is_encoding = NOT_UTF8 in node.message
            return InputError((_no_text(file) if is_encoding else _unreadable(file),))
        if file := _missing_file_in(node.message, raw_folder):
            return InputError((_gone(file),))
    if broken:
        return BuildError(_told("broke", manifest, broken, lambda _: ()))
    if refused:
        told = _told("failed", manifest, refused, messages_of)
        return AuditError(f"{told}\nNothing was released; the last release stands.")
    return None


def suspicions(
    manifest: Manifest, finished: Iterable[NodeFinished], messages_of: MessagesOf
) -> tuple[Fault, ...]:
    """What the tests of the input only warn of."""
    warned = [
        node
        for node in finished
        if node.status == "warn" and test_fault(manifest.node(node.unique_id)) == "input"
    ]
    return _input_faults(manifest, warned, messages_of)


def _told_by_machine(message: str, name: str, warehouse: Path) -> str | None:
    """What to tell where a node broke for want of room, or of a whole file or executor."""
    if says_disk_full(message):
        return disk_full_message(warehouse)
    if lost := told_by_spark(message):
        return lost
    if says_damaged(message):
        return DAMAGED_TOLD
    return OUT_OF_MEMORY_TOLD.format(name) if OUT_OF_MEMORY in message else None


def _input_faults(
    manifest: Manifest, tests: list[NodeFinished], messages_of: MessagesOf
) -> tuple[Fault, ...]:
    faults: list[Fault] = []
    for node in tests:
        test = manifest.node(node.unique_id)
        # its messages may well say themselves what to do
        advice = test["config"].get("meta", {}).get("what_to_do") or ""
        messages = list(messages_of(node.unique_id))
        faults.extend(
            Fault(_sentence(message), _sentence(advice)) for message in messages[:MAX_TOLD]
        )
        if len(messages) > MAX_TOLD:
            faults.append(Fault(f"and {len(messages) - MAX_TOLD} more of these", _sentence(advice)))
    return tuple(faults)


def _told(verb: str, manifest: Manifest, nodes: list[NodeFinished], messages_of: MessagesOf) -> str:
    lines = [f"{len(nodes)} of the build's steps {verb}:"]
    for node in nodes[:MAX_TOLD]:
        properties = _properties(manifest, node.unique_id)
        lines.append(f"  {properties.get('name', node.unique_id)}: {_in_short(node.message)}")
        description = properties.get("description")
        if description and properties.get("resource_type") == "test":
            lines.append(f"    {_in_short(description)}")
        lines.extend(f"    {message}" for message in messages_of(node.unique_id)[:MAX_TOLD])
    if len(nodes) > MAX_TOLD:
        lines.append(f"  and {len(nodes) - MAX_TOLD} more")
    return "\n".join(lines)


def _properties(manifest: Manifest, unique_id: str) -> NodeProperties:
    try:
        return manifest.node(unique_id)
    except KeyError:
        # a hook at the end of the build is no node of the graph
        return {}


def _raw_file_in(message: str, raw_files: Iterable[Path]) -> Path | None:
    named = [file for file in raw_files if str(file) in message]
    return max(named, key=lambda file: len(str(file)), default=None)


def _missing_file_in(message: str, raw_folder: Path) -> Path | None:
    named = re.search(rf"{re.escape(str(raw_folder))}/[^\"\n]+?\.(parquet|csv)\b", message)
    return Path(named.group()) if named else None


def _gone(file: Path) -> Fault:
    return Fault(
        "it was there when the run began and was taken away during it",
        "Put it back, or run again without it",
        file=file,
        table=file.parent.name,
    )


def _unreadable(file: Path) -> Fault:
    return Fault(
        "it can't be read to its end: it is damaged, or was changed during the run",
        "Write or copy it again, whole, and run again",
        file=file,
        table=file.parent.name,
    )


def _no_text(file: Path) -> Fault:
    return Fault(
        "it holds text that is not UTF-8",
        "Write its texts in UTF-8 and run again",
        file=file,
        table=file.parent.name,
    )


def _relation(properties: NodeProperties) -> str:
    return f"{properties['schema']}.{properties.get('alias') or properties['name']}"


def _in_short(text: str) -> str:
    return " ".join(text.split())


def _sentence(text: str) -> str:
    return _in_short(text).removesuffix(".")
