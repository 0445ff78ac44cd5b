with

device_months as (

    select * from {{ ref('int_viewing__device_months') }}

),

months as (

    select * from {{ ref('int_calendar__months') }}

),

experience as (

    select
        device_months.month_start,
        device_months.device_type,
        device_months.plays,
        device_months.startup_failures,
        case
            when months.is_complete
                then cast(device_months.startup_failures as double) / nullif(device_months.plays, 0)
        end as startup_failure_rate,
        device_months.error_plays,
        case
            when months.is_complete
                then cast(device_months.error_plays as double) / nullif(device_months.plays, 0)
        end as error_rate,
        device_months.timed_starts,
        device_months.mean_startup_ms,
        device_months.median_startup_ms,
        device_months.p95_startup_ms,
        device_months.watched_seconds / 3600 as watched_hours,
        device_months.rebuffer_seconds,
        device_months.buffer_watched_seconds,
        case
            when months.is_complete
                then
                    device_months.rebuffer_seconds
                    / nullif(device_months.buffer_watched_seconds, 0)
        end as rebuffer_ratio,
        device_months.overlong_plays,
        device_months.heavy_accounts,
        device_months.heavy_account_plays,
        months.is_complete
    from device_months
    inner join months
        on device_months.month_start = months.month_start

)

select * from experience
