with

observations as (

    select * from {{ ref('int_risk__observations') }}

),

windows as (

    select * from {{ ref('int_risk__windows') }}

),

viewing_days as (

    select * from {{ ref('int_viewing__subscriber_days') }}

),

observed_days as (

    select
        observations.subscriber_id,
        observations.observation_date,
        viewing_days.viewing_date >= windows.window_start_date as is_of_last_28_days,
        viewing_days.seen_seconds as watched_seconds,
        viewing_days.plays,
        viewing_days.failed_plays,
        viewing_days.rebuffer_ms,
        viewing_days.measured_seconds
    from observations
    inner join windows
        on observations.observation_date = windows.observation_date
    inner join viewing_days
        on
            observations.subscriber_id = viewing_days.subscriber_id
            and windows.earlier_start_date <= viewing_days.viewing_date
            and windows.cutoff_date > viewing_days.viewing_date

),

-- seconds measured are those of plays of which it is known whether they stalled: the others say
-- nothing of how it played
viewing_windows as (

    select
        subscriber_id,
        observation_date,
        cast(count(*) filter (where is_of_last_28_days) as integer) as viewing_days_28d,
        {%- for total, type in {
            'watched_seconds': 'bigint',
            'plays': 'bigint',
            'failed_plays': 'bigint',
            'rebuffer_ms': 'double',
            'measured_seconds': 'double',
        }.items() %}
        cast(
            coalesce(sum({{ total }}) filter (where is_of_last_28_days), 0) as {{ type }}
        ) as {{ total }}_28d,
        {%- endfor %}
        cast(count(*) filter (where not is_of_last_28_days) as integer)
            as earlier_viewing_days_28d
    from observed_days
    group by subscriber_id, observation_date

)

select * from viewing_windows
