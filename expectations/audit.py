"""The audit: every suite judged on what was built, before anything of it is released."""

import gc
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd

from expectations.feeds import feed_suites
from expectations.frames import feed_frames, release_frame, standing_frames
from expectations.outcomes import CheckOutcome
from expectations.release import release_suite
from expectations.suites import Expectation, Suite

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.core.batch_definition import BatchDefinition

MAX_OBSERVED = 5
"""How many places of a failure an outcome names; the rest is a number."""

_LOADING = threading.Lock()


class AuditError(RuntimeError):
    """An expectation could not be judged, which is a defect and no verdict."""


def judge(
    connection: duckdb.DuckDBPyConnection,
    *,
    as_of: datetime,
    accepted_before: Mapping[str, int] | None = None,
) -> list[CheckOutcome]:
    """The outcome of every expectation, feeds first, in the order of the suites.

    An expectation with nothing to judge (no rows yet, too few to tell chance from fault) holds. The
    connection is only read from.

    Args:
        connection: The database of the build, with the schemas `marts` and `quality`.
        as_of: The knowledge horizon that the marts were built with, with its time zone.
        accepted_before: The most rows by raw table that a kept release was made of.

    Raises:
        AuditError: An expectation could not be judged.
        duckdb.CatalogException: A mart or quality table is missing.
        ValueError: `as_of` has no time zone.
    """
    of_feeds = feed_frames(connection, as_of)
    for table_name, frame in standing_frames(connection, accepted_before or {}).items():
        of_feeds.setdefault(table_name, {})["standing"] = frame
    release = release_suite()
    of_release = {name: release_frame(connection, name) for name in release.frames}
    judged = [
        *((suite, of_feeds.get(suite.name.removeprefix("feed_"), {})) for suite in feed_suites()),
        (release, of_release),
    ]
    slot = frame_slot()
    return [outcome for suite, frames in judged for outcome in judge_suite(slot, suite, frames)]


def judge_suite(
    slot: "BatchDefinition[Any]", suite: Suite, frames: dict[str, pd.DataFrame]
) -> list[CheckOutcome]:
    """The outcome of each expectation of one suite, in its order.

    A frame that is missing has no rows. A figure that a frame of a feed does not have was not
    measured on the judged days, since nothing came; a query's own column that is missing raises.
    """
    outcomes: dict[str, CheckOutcome] = {}
    for frame_name in suite.frames:
        expectations = [each for each in suite.expectations if each.frame == frame_name]
        frame = frames.get(frame_name, pd.DataFrame())
        if frame.empty:
            for each in expectations:
                outcomes[each.name] = _outcome(suite, each, "nothing to judge")
            continue
        frame = _with_figures(frame, expectations)
        for each, result in _validate(slot, suite, frame_name, frame, expectations):
            outcomes[each.name] = _outcome(
                suite,
                each,
                _observed(str(each.kwargs["column"]), result.result),
                failures=int(result.result["unexpected_count"]),
            )
    return [outcomes[expectation.name] for expectation in suite.expectations]


def preload() -> threading.Thread:
    """A started thread that loads Great Expectations, for a time when something else is waited for.

    Loading takes seconds of one core. While a subprocess builds the models this one has nothing to
    do, so a call before it makes `judge` begin at once. Needs no join: `judge` waits for it.
    """
    thread = threading.Thread(target=_load, name="preload-great-expectations", daemon=True)
    thread.start()
    return thread


def _load() -> None:
    with _LOADING, _without_collector():
        import great_expectations  # noqa: F401


@contextmanager
def _without_collector() -> Iterator[None]:
    # loading makes hundreds of thousands of objects that stay: to look for garbage among them,
    # again and again, is an eighth of the time
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def frame_slot() -> "BatchDefinition[Any]":
    """The place in Great Expectations that takes one frame after the other to be judged.

    It belongs to a context of its own that writes nothing, sends nothing and draws no progress
    bars. One place for all frames, since each place made costs more than a suite judged.
    """
    _load()
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_pandas(name="frames")
    return source.add_dataframe_asset("frame").add_batch_definition_whole_dataframe("whole")


def _with_figures(frame: pd.DataFrame, expectations: list[Expectation]) -> pd.DataFrame:
    figures = {str(each.kwargs["column"]) for each in expectations}
    unmeasured = sorted(
        figure
        for figure in figures - set(frame.columns)
        if figure.startswith(("minimum_", "maximum_", "unlisted_", "mean_ratio_"))
    )
    return frame.assign(**dict.fromkeys(unmeasured, float("nan"))).astype(
        dict.fromkeys(sorted(figures & set(frame.columns)), "float64")
    )


def _validate(
    slot: "BatchDefinition[Any]",
    suite: Suite,
    frame_name: str,
    frame: pd.DataFrame,
    expectations: list[Expectation],
) -> Iterator[tuple[Expectation, "ExpectationValidationResult"]]:
    from great_expectations import ExpectationSuite

    name = f"{suite.name}.{frame_name}"
    batch = slot.get_batch(batch_parameters={"dataframe": frame})
    labels = [column for column in frame.columns if not pd.api.types.is_float_dtype(frame[column])]
    results = batch.validate(
        ExpectationSuite(
            name=name,
            expectations=[
                {
                    "type": each.type,
                    "kwargs": each.kwargs,
                    "severity": each.severity,
                    "meta": {
                        "name": each.name,
                        "why": each.why,
                        "owner": each.owner,
                        "what_to_do": each.what_to_do,
                    },
                }
                for each in expectations
            ],
        ),
        # frames are small and hold nothing but aggregates, so every figure may be told
        result_format={"result_format": "COMPLETE", "unexpected_index_column_names": labels},
    )
    by_name = {each.name: each for each in expectations}
    for result in results.results:
        configuration = result.expectation_config
        if configuration is None or "element_count" not in result.result:
            raise AuditError(f"{name}: an expectation could not be judged: {result.exception_info}")
        yield by_name[configuration.meta["name"]], result


def _observed(column: str, figures: dict[str, Any]) -> str:
    """Where an expectation is broken and by which figures, or how much was judged."""
    broken = figures.get("unexpected_index_list") or []
    if not broken:
        judged = figures["element_count"] - figures["missing_count"]
        return f"{judged} of {judged} as expected" if judged else "nothing to judge"
    places = [
        f"{' '.join(str(label) for name, label in place.items() if name != column)}: "
        f"{place[column]:.6g}"
        for place in broken[:MAX_OBSERVED]
    ]
    if len(broken) > MAX_OBSERVED:
        places.append(f"and {len(broken) - MAX_OBSERVED} more")
    return f"{column} at {'; '.join(places)}"


def _outcome(
    suite: Suite, expectation: Expectation, observed: str, *, failures: int = 0
) -> CheckOutcome:
    return CheckOutcome(
        suite=suite.name,
        expectation=expectation.name,
        table_name=expectation.table_name,
        column=expectation.column,
        severity=expectation.severity,
        failures=failures,
        observed=observed,
        why=expectation.why,
        owner=expectation.owner,
        what_to_do=expectation.what_to_do,
    )
