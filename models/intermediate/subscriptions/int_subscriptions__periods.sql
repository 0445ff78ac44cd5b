with

states as (

    select * from {{ ref('int_subscriptions__states') }}

),

state_boundaries as (

    select
        subscriber_id,
        valid_from as boundary_at
    from states
    union all
    select
        subscriber_id,
        valid_to as boundary_at
    from states
    where valid_to is not null

),

boundaries as (

    select
        subscriber_id,
        boundary_at
    from state_boundaries
    group by subscriber_id, boundary_at

),

intervals as (

    select
        subscriber_id,
        boundary_at as started_at,
        lead(boundary_at) over (partition by subscriber_id order by boundary_at) as ended_at
    from boundaries

),

-- an interval in which the subscriber holds nothing, having handed all on, stays, without access
periods as (

    select
        intervals.subscriber_id,
        intervals.started_at,
        intervals.ended_at,
        coalesce(max(case when states.own_currency_mrr > 0 then 1 else 0 end), 0) = 1 as is_paying,
        coalesce(max(case when states.status = 'paused' then 1 else 0 end), 0) = 1 as has_paused,
        coalesce(
            max(case when states.status in ('trialing', 'active', 'past_due') then 1 else 0 end), 0
        ) = 1 as has_access
    from intervals
    left join states
        on
            intervals.subscriber_id = states.subscriber_id
            and intervals.started_at >= states.valid_from
            and intervals.started_at < {{ open_end('states.valid_to') }}
    group by intervals.subscriber_id, intervals.started_at, intervals.ended_at

),

-- equal within an unbroken stretch of paying and pausing, and in the break before it
periods_with_breaks as (

    select
        periods.*,
        sum(case when is_paying or has_paused then 0 else 1 end) over (
            partition by subscriber_id
            order by started_at
            rows between unbounded preceding and current row
        ) as break_number
    from periods

)

select * from periods_with_breaks
