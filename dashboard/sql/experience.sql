select
    month_start,
    device_type,
    plays,
    startup_failures,
    startup_failure_rate,
    error_plays,
    error_rate,
    timed_starts,
    median_startup_ms,
    p95_startup_ms,
    rebuffer_seconds,
    buffer_watched_seconds,
    rebuffer_ratio
from marts.experience_monthly
where month_start >= getvariable('first_month')
order by month_start, device_type
