{{ config(materialized='view') }}

with

periods as (

    select * from {{ ref('int_subscriptions__periods') }}

),

-- a pause before the first payment belongs to no lifetime
stretches as (

    select
        subscriber_id,
        break_number,
        min(case when is_paying then started_at end) as started_at,
        case when count(*) = count(ended_at) then max(ended_at) end as stopped_at
    from periods
    where is_paying or has_paused
    group by subscriber_id, break_number
    having min(case when is_paying then started_at end) is not null

),

stretches_with_return as (

    select
        stretches.*,
        lead(started_at) over (partition by subscriber_id order by started_at) as returned_at,
        stopped_at + interval {{ var('churn_grace_hours') }} hour as bridge_ends_at
    from stretches

),

-- a stop whose grace is still running at the knowledge horizon has not happened yet
bridged_stretches as (

    select
        stretches_with_return.*,
        stopped_at is not null
        and coalesce(returned_at, {{ as_of() }}) <= bridge_ends_at as is_bridged
    from stretches_with_return

),

-- every stop that is not bridged ends a lifetime
numbered_stretches as (

    select
        subscriber_id,
        break_number,
        cast(
            1 + coalesce(
                sum(case when is_bridged then 0 else 1 end) over (
                    partition by subscriber_id
                    order by started_at
                    rows between unbounded preceding and 1 preceding
                ), 0
            ) as integer
        ) as lifetime_number,
        started_at,
        stopped_at,
        returned_at,
        is_bridged
    from bridged_stretches

)

select * from numbered_stretches
