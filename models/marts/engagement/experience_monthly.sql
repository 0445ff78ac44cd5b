with

plays as (

    select * from {{ ref('int_viewing__plays') }}

),

months as (

    select * from {{ ref('int_calendar__months') }}

),

subscriber_months as (

    select
        subscriber_id,
        month_start,
        device_type,
        count(*) as plays
    from plays
    group by subscriber_id, month_start, device_type

),

-- an account is judged by all its devices, and counts on each of them
heavy_months as (

    select
        *,
        sum(plays) over (partition by subscriber_id, month_start) as plays_on_all_devices
    from subscriber_months
    qualify plays_on_all_devices > {{ var('heavy_account_plays') }}

),

heavy_accounts as (

    select
        month_start,
        device_type,
        count(*) as heavy_accounts,
        sum(plays) as heavy_account_plays
    from heavy_months
    group by month_start, device_type

),

device_months as (

    select
        month_start,
        device_type,
        count(*) as plays,
        count(*) filter (where is_startup_failure) as startup_failures,
        count(*) filter (where has_error) as error_plays,
        count(startup_ms) as timed_starts,
        cast(sum(startup_ms) as double) / nullif(count(startup_ms), 0) as mean_startup_ms,
        {{ percentile('startup_ms', 0.5) }} as median_startup_ms,
        {{ percentile('startup_ms', 0.95) }} as p95_startup_ms,
        cast(sum(watched_seconds) as double) as watched_seconds,
        -- a player that doesn't report its buffer says nothing about it: not a ratio of 0
        cast(sum(watched_seconds) filter (where rebuffer_ms is not null) as double)
            as buffer_watched_seconds,
        cast(sum(rebuffer_ms) as double) / 1000 as rebuffer_seconds,
        count(*) filter (where is_overlong) as overlong_plays
    from plays
    group by month_start, device_type

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
        coalesce(heavy_accounts.heavy_accounts, 0) as heavy_accounts,
        cast(coalesce(heavy_accounts.heavy_account_plays, 0) as bigint) as heavy_account_plays,
        months.is_complete
    from device_months
    inner join months
        on device_months.month_start = months.month_start
    left join heavy_accounts
        on
            device_months.month_start = heavy_accounts.month_start
            and device_months.device_type = heavy_accounts.device_type

)

select * from experience
