{{ config(
    materialized='incremental',
    incremental_strategy='append',
    meta={'portions': 'int_viewing__build_portions'},
    pre_hook="{{ forget_touched('month_start', of_subscribers=false) }}",
) }}

{#- named where it is read: one name, read twice, would have every play kept in between -#}
{%- set plays_to_count -%}
{{ ref('int_viewing__plays') }} as plays
{%- if is_increment() %}
    inner join {{ ref('int_viewing__touched_months') }} as touched_months
        on plays.month_start = touched_months.month_start
{%- endif %}
{%- endset -%}
{%- set are_of_portion -%}
{{ is_of_portion('plays.month_start') }}
        and {{ may_be_of_portion('plays.started_at', 'plays.ended_at') }}
{%- endset -%}

with

-- an account is judged by all its devices, and counts on each of them
heavy_months as (

    select
        subscriber_id,
        month_start
    from {{ ref('int_viewing__subscriber_months') }}
    where plays > {{ var('heavy_account_plays') }}

),

-- hardly anybody is: only their plays are counted by subscriber
heavy_device_months as (

    select
        plays.subscriber_id,
        plays.month_start,
        plays.device_type,
        count(*) as plays
    from {{ plays_to_count }}
    inner join heavy_months
        on
            plays.subscriber_id = heavy_months.subscriber_id
            and plays.month_start = heavy_months.month_start
    where
        {{ are_of_portion }}
    group by plays.subscriber_id, plays.month_start, plays.device_type

),

heavy_accounts as (

    select
        month_start,
        device_type,
        count(*) as heavy_accounts,
        sum(plays) as heavy_account_plays
    from heavy_device_months
    group by month_start, device_type

),

-- of hundreds of millions of plays a few thousand different times to start
timed_plays as (

    select
        plays.month_start,
        plays.device_type,
        plays.startup_ms,
        count(*) as plays,
        count(*) filter (where is_startup_failure) as startup_failures,
        count(*) filter (where has_error) as error_plays,
        sum(watched_seconds) as watched_seconds,
        -- a player that doesn't report its buffer says nothing about it: not a ratio of 0
        sum(watched_seconds) filter (where rebuffer_ms is not null) as buffer_watched_seconds,
        sum(rebuffer_ms) as rebuffer_ms,
        count(*) filter (where is_overlong) as overlong_plays
    from {{ plays_to_count }}
    where
        {{ are_of_portion }}
    group by plays.month_start, plays.device_type, plays.startup_ms

),

-- the plays of a month and device in the order of their times: the index of the first of each time
ordered_plays as (

    select
        *,
        cast(
            sum(case when startup_ms is not null then plays else 0 end) over (
                partition by month_start, device_type
                order by startup_ms asc nulls last
            ) as bigint
        ) - plays as first_index,
        cast(
            sum(case when startup_ms is not null then plays else 0 end) over (
                partition by month_start, device_type
            ) as bigint
        ) - 1 as last_index
    from timed_plays

),

device_months as (

    select
        month_start,
        device_type,
        cast(sum(plays) as bigint) as plays,
        cast(sum(startup_failures) as bigint) as startup_failures,
        cast(sum(error_plays) as bigint) as error_plays,
        cast(max(last_index) + 1 as bigint) as timed_starts,
        cast(sum(cast(startup_ms as decimal(19, 0)) * plays) as double)
        / nullif(max(last_index) + 1, 0) as mean_startup_ms,
        {{ percentile_of_counted('startup_ms', 0.5) }} as median_startup_ms,
        {{ percentile_of_counted('startup_ms', 0.95) }} as p95_startup_ms,
        cast(sum(watched_seconds) as double) as watched_seconds,
        cast(sum(buffer_watched_seconds) as double) as buffer_watched_seconds,
        cast(sum(rebuffer_ms) as double) / 1000 as rebuffer_seconds,
        cast(sum(overlong_plays) as bigint) as overlong_plays
    from ordered_plays
    group by month_start, device_type

),

device_months_with_heavy_accounts as (

    select
        device_months.*,
        coalesce(heavy_accounts.heavy_accounts, 0) as heavy_accounts,
        cast(coalesce(heavy_accounts.heavy_account_plays, 0) as bigint) as heavy_account_plays
    from device_months
    left join heavy_accounts
        on
            device_months.month_start = heavy_accounts.month_start
            and device_months.device_type = heavy_accounts.device_type

)

select * from device_months_with_heavy_accounts
