"""The audit as an asset, with its expectations as checks."""

from collections.abc import Iterator, Sequence

import dagster as dg

from orchestration.assets.refresh import POOL, Refresh, runbook_page, told_to_dagster
from orchestration.pages.runbook import page_of_expectation
from orchestration.releases import audit
from orchestration.transform.manifest import RELEASED_SCHEMAS

AUDIT_KEY = dg.AssetKey("audit")


def build_audit_asset(
    landed: dg.AssetsDefinition,
    built: Sequence[dg.AssetsDefinition],
    *,
    is_recorded: bool = True,
) -> dg.AssetsDefinition:
    """The audit: expectations on feeds and marts, each a check of the table that is at fault.

    Not `is_recorded`, it has no checks, and waits for one table of each part of the build, which
    ends as a whole: each that it waits for is told to Dagster, and looked up there again.
    """
    built_keys = [key for part in built for key in part.keys]
    judged = [
        [key for key in sorted(part.keys) if key.path[0] in RELEASED_SCHEMAS] for part in built
    ]
    tables = {tuple(key.path): key for key in (*landed.keys, *built_keys)}
    # what is at fault of several tables at once is a check of the audit itself
    planned = {
        check.name: dg.AssetCheckSpec(
            check.name, asset=tables.get(check.asset, AUDIT_KEY), description=check.why
        )
        for check in (audit.planned_checks() if is_recorded else ())
    }

    @dg.multi_asset(
        name="audit",
        specs=[
            dg.AssetSpec(
                AUDIT_KEY,
                deps=[key for keys in judged for key in (keys if is_recorded else keys[:1])],
                group_name="release",
                owners=["team:data"],
                description="Whether what was built is plausible enough for its readers.",
                kinds={"greatexpectations"},
            )
        ],
        check_specs=list(planned.values()),
        pool=POOL,
        # the tables that are judged are made elsewhere
        allow_arbitrary_check_specs=True,
    )
    def judge(refresh: Refresh) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        refresh.reporter.stage("auditing what was built")
        with told_to_dagster():
            outcomes = audit.judge(refresh.place)
        for outcome in outcomes if is_recorded else ():
            check = planned[audit.name_of(outcome.suite, outcome.expectation)]
            yield dg.AssetCheckResult(
                asset_key=check.asset_key,
                check_name=check.name,
                passed=outcome.success,
                severity=dg.AssetCheckSeverity.ERROR
                if outcome.severity == "critical"
                else dg.AssetCheckSeverity.WARN,
                metadata={
                    "observed": outcome.observed,
                    "owner": outcome.owner,
                    "what to do": outcome.what_to_do,
                    "runbook": runbook_page(
                        page_of_expectation(outcome.suite, outcome.expectation)
                    ),
                },
            )
        with told_to_dagster():
            audit.note(refresh.place, outcomes)
        yield dg.MaterializeResult(
            asset_key=AUDIT_KEY,
            metadata={
                "checks": len(outcomes),
                "page": dg.MetadataValue.path(refresh.place.checks_page),
                "runbook": runbook_page("runbook"),
            },
        )

    return judge
