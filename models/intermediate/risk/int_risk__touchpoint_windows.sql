with

observations as (

    select * from {{ ref('int_risk__observations') }}

),

windows as (

    select * from {{ ref('int_risk__windows') }}

),

tickets as (

    select * from {{ ref('int_touchpoints__tickets') }}

),

responses as (

    select * from {{ ref('int_touchpoints__responses') }}

),

touches as (

    select
        subscriber_id,
        opened_at as touched_at,
        'ticket' as verdict
    from tickets
    union all
    select
        subscriber_id,
        responded_at as touched_at,
        verdict
    from responses

),

touchpoint_windows as (

    select
        observations.subscriber_id,
        observations.observation_date,
        cast(count(*) filter (where touches.verdict = 'ticket') as integer) as tickets_90d,
        cast(
            count(*) filter (where touches.verdict in ('detractor', 'unsatisfied')) as integer
        ) as complaints_90d
    from observations
    inner join windows
        on observations.observation_date = windows.observation_date
    inner join touches
        on
            observations.subscriber_id = touches.subscriber_id
            and windows.quarter_starts_at <= touches.touched_at
            and windows.cutoff_at > touches.touched_at
    group by observations.subscriber_id, observations.observation_date

)

select * from touchpoint_windows
