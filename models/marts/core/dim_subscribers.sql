with

subscribers as (

    select * from {{ ref('stg_subscribers__subscribers') }}

),

current_states as (

    select * from {{ ref('int_subscribers__current_states') }}

),

last_lifetimes as (

    select * from {{ ref('int_subscribers__last_lifetimes') }}

),

current_levels as (

    select * from {{ ref('int_subscriptions__level_values') }}
    where ended_at is null

),

movements as (

    select * from {{ ref('int_subscriptions__movements') }}

),

revenue_months as (

    select * from {{ ref('int_revenue__subscriber_months') }}

),

sessions as (

    select * from {{ ref('stg_viewing__playback_sessions') }}

),

plans as (

    select * from {{ ref('stg_billing__plans') }}

),

mrr_levels as (

    select
        subscriber_id,
        sum(mrr_change_amount) as mrr_amount
    from movements
    group by subscriber_id

),

values_to_date as (

    select
        subscriber_id,
        sum(recognised_amount - refunded_amount) as net_revenue_amount,
        sum(collected_amount) as collected_amount
    from revenue_months
    group by subscriber_id

),

last_sessions as (

    select
        subscriber_id,
        max(ended_at) as last_seen_at
    from sessions
    group by subscriber_id

),

subscriber_plans as (

    select
        subscribers.subscriber_id,
        plans.plan_id,
        plans.plan_tier
    from subscribers
    left join current_levels
        on subscribers.subscriber_id = current_levels.subscriber_id
    left join current_states
        on subscribers.subscriber_id = current_states.subscriber_id
    left join last_lifetimes
        on subscribers.subscriber_id = last_lifetimes.subscriber_id
    inner join plans
        on
            coalesce(current_levels.plan_id, current_states.plan_id, last_lifetimes.last_plan_id)
            = plans.plan_id

),

subscribers_with_status as (

    select
        subscribers.subscriber_id,
        subscribers.signed_up_at,
        subscribers.country_code,
        subscribers.acquisition_channel,
        subscribers.referred_by_subscriber_id,
        subscribers.is_marketing_opt_in,
        subscribers.is_erased,
        case
            when
                current_levels.is_paying and current_states.is_past_due
                and not current_states.is_paid_on_time
                then 'past_due'
            when current_levels.is_paying then 'paying'
            when not current_levels.is_paying then 'paused'
            when current_states.is_trialing then 'trialing'
            when current_states.has_access then 'complimentary'
            when last_lifetimes.subscriber_id is not null then 'churned'
            else 'prospect'
        end as status,
        subscriber_plans.plan_id,
        subscriber_plans.plan_tier,
        last_lifetimes.lifetime_number,
        last_lifetimes.first_started_at,
        last_lifetimes.started_at as lifetime_started_at,
        last_lifetimes.ended_at as lifetime_ended_at,
        last_lifetimes.tenure_days,
        cast(coalesce(mrr_levels.mrr_amount, 0) as decimal(18, 4)) as mrr_amount,
        cast(coalesce(values_to_date.net_revenue_amount, 0) as decimal(18, 4))
            as net_revenue_to_date_amount,
        cast(coalesce(values_to_date.collected_amount, 0) as decimal(18, 4))
            as collected_to_date_amount,
        last_sessions.last_seen_at
    from subscribers
    left join current_levels
        on subscribers.subscriber_id = current_levels.subscriber_id
    left join current_states
        on subscribers.subscriber_id = current_states.subscriber_id
    left join last_lifetimes
        on subscribers.subscriber_id = last_lifetimes.subscriber_id
    left join subscriber_plans
        on subscribers.subscriber_id = subscriber_plans.subscriber_id
    left join mrr_levels
        on subscribers.subscriber_id = mrr_levels.subscriber_id
    left join values_to_date
        on subscribers.subscriber_id = values_to_date.subscriber_id
    left join last_sessions
        on subscribers.subscriber_id = last_sessions.subscriber_id

)

select * from subscribers_with_status
