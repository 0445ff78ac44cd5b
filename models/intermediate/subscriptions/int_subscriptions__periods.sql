with

states as (

    select * from {{ ref('int_subscriptions__states') }}

),

state_levels as (

    select
        subscriber_id,
        valid_from,
        valid_to,
        case when own_currency_mrr > 0 then 1 else 0 end as paying,
        case when status = 'paused' then 1 else 0 end as paused,
        case when status in ('trialing', 'active', 'past_due') then 1 else 0 end as accessible
    from states

),

steps as (

    select
        subscriber_id,
        valid_from as stepped_at,
        paying as paying_step,
        paused as paused_step,
        accessible as access_step
    from state_levels
    union all
    select
        subscriber_id,
        valid_to as stepped_at,
        -paying as paying_step,
        -paused as paused_step,
        -accessible as access_step
    from state_levels
    where valid_to is not null

),

-- all steps of one instant come to the same
running_totals as (

    select
        subscriber_id,
        stepped_at,
        {%- for held in ['paying', 'paused', 'access'] %}
        sum({{ held }}_step) over (
            partition by subscriber_id
            order by stepped_at
            range between unbounded preceding and current row
        ) as {{ held }}_subscriptions,
        {%- endfor %}
        lead(stepped_at) over (partition by subscriber_id order by stepped_at) as next_stepped_at
    from steps

),

-- an interval in which the subscriber holds nothing, having handed all on, stays, without access
intervals as (

    select
        subscriber_id,
        stepped_at as started_at,
        next_stepped_at as ended_at,
        paying_subscriptions,
        paused_subscriptions,
        access_subscriptions
    from running_totals
    -- of the steps of one instant, one is followed by another instant
    where {{ open_end('next_stepped_at') }} > stepped_at

),

-- equal within an unbroken stretch of paying and pausing, and in the break before it
periods as (

    select
        subscriber_id,
        started_at,
        ended_at,
        cast(paying_subscriptions as integer) as paying_subscriptions,
        paying_subscriptions > 0 as is_paying,
        paused_subscriptions > 0 as has_paused,
        access_subscriptions > 0 as has_access,
        cast(
            sum(
                case when paying_subscriptions > 0 or paused_subscriptions > 0 then 0 else 1 end
            ) over (
                partition by subscriber_id
                order by started_at
                rows between unbounded preceding and current row
            ) as integer
        ) as break_number
    from intervals

)

select * from periods
