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

totals as (

    select * from {{ ref('int_subscribers__totals') }}

),

loyalty as (

    select * from {{ ref('int_subscribers__loyalty') }}

),

segments as (

    select * from {{ ref('int_segmentation__segments') }}
    where is_latest

),

plans as (

    select * from {{ ref('stg_billing__plans') }}

),

risks as (

    select * from {{ ref('int_risk__released_probabilities') }}

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
        totals.mrr_amount,
        totals.net_revenue_to_date_amount,
        totals.collected_to_date_amount,
        totals.last_seen_at,
        loyalty.cancellations_in_24_months,
        loyalty.serial_churner_tier,
        loyalty.resubscriptions_within_12_months,
        loyalty.is_12_month_resubscriber,
        loyalty.referred_subscribers,
        loyalty.referred_payers,
        segments.lifecycle_stage,
        segments.engagement_tier,
        segments.value_tier,
        risks.end_probability as churn_probability,
        risks.risk_decile
    from subscribers
    inner join totals
        on subscribers.subscriber_id = totals.subscriber_id
    inner join loyalty
        on subscribers.subscriber_id = loyalty.subscriber_id
    inner join segments
        on subscribers.subscriber_id = segments.subscriber_id
    left join current_levels
        on subscribers.subscriber_id = current_levels.subscriber_id
    left join current_states
        on subscribers.subscriber_id = current_states.subscriber_id
    left join last_lifetimes
        on subscribers.subscriber_id = last_lifetimes.subscriber_id
    left join subscriber_plans
        on subscribers.subscriber_id = subscriber_plans.subscriber_id
    left join risks
        on subscribers.subscriber_id = risks.subscriber_id

)

select * from subscribers_with_status
