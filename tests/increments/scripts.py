"""What dbt executes for a full build and for an increment upon one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

# what stands on playback, and what says where its rows went
SELECTED = (
    "+viewing_daily",
    "+experience_monthly",
    "+title_performance",
    "+row_reconciliation",
    "+quarantined_rows",
    "+engagement_monthly",
    "+stg_profiles__playback_sessions",
    "+int_churn__window_genres",
    "+int_churn__window_playbacks",
    "+int_segmentation__profile_windows",
    "+int_segmentation__tastes",
    "+int_segmentation__viewing_windows",
    "+int_subscribers__totals",
)


@dataclass(frozen=True)
class Scripts:
    """A database with the seeds, the statements of a full build, and of an increment upon one."""

    seeded: Path
    full: tuple[str, ...]
    increment: tuple[str, ...]
