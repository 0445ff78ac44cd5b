"""The release and its page as assets: what readers get."""

import json
from datetime import UTC, datetime

import dagster as dg

from orchestration.assets.audit import AUDIT_KEY
from orchestration.assets.refresh import POOL, Refresh, told_to_dagster
from orchestration.pages import dashboard_page
from orchestration.releases import release
from orchestration.transform.manifest import Manifest

RELEASE_KEY = dg.AssetKey("release")
DASHBOARD_KEY = dg.AssetKey("dashboard")


def build_release_asset(manifest: Manifest, *, is_recorded: bool = True) -> dg.AssetsDefinition:
    """The release: the audited marts, put before their readers in one step."""

    @dg.asset(
        key=RELEASE_KEY,
        deps=[AUDIT_KEY],
        group_name="release",
        owners=["team:data"],
        kinds={"duckdb", "parquet"},
        pool=POOL,
    )
    def publish(context: dg.AssetExecutionContext, refresh: Refresh) -> dg.MaterializeResult[None]:
        """The marts that readers get, replaced whole."""
        refresh.reporter.stage("releasing")
        with told_to_dagster():
            released = release.publish(
                refresh.place,
                manifest,
                project_version=refresh.project.version(),
                released_at=datetime.now(UTC),
                note=lambda text: refresh.reporter.advance(0, 1, text),
            )
        for table, rows in released.row_counts.items() if is_recorded else ():
            # on the mart's own page, since nobody could count while it was built
            context.log_event(
                dg.AssetObservation(
                    dg.AssetKey(table.split(".")),
                    metadata={"dagster/row_count": rows, "release": released.release_id},
                )
            )
        return dg.MaterializeResult(
            metadata={
                "release_id": released.release_id,
                "as_of": released.as_of.isoformat(sep=" "),
                "file": dg.MetadataValue.path(refresh.place.release_file),
                "rows": sum(released.row_counts.values()),
                "row_counts": dg.MetadataValue.json(json.loads(json.dumps(released.row_counts))),
            }
        )

    return publish


def build_dashboard_asset() -> dg.AssetsDefinition:
    """The dashboard: one page of the release, for a browser."""

    @dg.asset(
        key=DASHBOARD_KEY,
        deps=[RELEASE_KEY],
        group_name="release",
        owners=["team:data"],
        kinds={"html"},
        pool=POOL,
    )
    def draw(refresh: Refresh) -> dg.MaterializeResult[None]:
        """The page on which a person looks at the release that stands."""
        refresh.reporter.stage("drawing the dashboard")
        with told_to_dagster():
            size = dashboard_page.write(refresh.place, refresh.project.root)
        return dg.MaterializeResult(
            metadata={
                "page": dg.MetadataValue.path(refresh.place.dashboard_page),
                "address": dg.MetadataValue.url(refresh.place.dashboard_page.as_uri()),
                "bytes": size,
            }
        )

    return draw
