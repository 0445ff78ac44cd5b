with

observations as (

    select * from {{ ref('int_risk__observations') }}

),

windows as (

    select * from {{ ref('int_risk__windows') }}

),

plays as (

    select * from {{ ref('int_viewing__plays') }}

),

-- seconds watched where stalling was measured: the others say nothing of how it played
playback_windows as (

    select
        observations.subscriber_id,
        observations.observation_date,
        count(*) as plays_28d,
        count(*) filter (where plays.is_startup_failure or plays.has_error) as failed_plays_28d,
        cast(coalesce(sum(plays.rebuffer_ms), 0) as bigint) as rebuffer_ms_28d,
        cast(
            coalesce(
                sum(plays.watched_seconds) filter (where plays.rebuffer_ms is not null), 0
            ) as bigint
        ) as measured_seconds_28d
    from observations
    inner join windows
        on observations.observation_date = windows.observation_date
    inner join plays
        on
            observations.subscriber_id = plays.subscriber_id
            and windows.window_starts_at <= plays.started_at
            and windows.cutoff_at > plays.started_at
    group by observations.subscriber_id, observations.observation_date

)

select * from playback_windows
