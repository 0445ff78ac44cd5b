with

subscribers as (

    select * from {{ ref('stg_subscribers__subscribers') }}

),

lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}

),

lifetime_ends as (

    select * from {{ ref('int_subscriptions__lifetime_ends') }}

),

cancellations as (

    select * from {{ ref('int_churn__cancellations') }}

),

tiers as (

    select * from {{ ref('serial_churner_tiers') }}

),

-- a card that fails is no habit of leaving
leavings as (

    select
        lifetimes.subscriber_id,
        count(*) as cancellations
    from lifetimes
    inner join lifetime_ends
        on
            lifetimes.subscriber_id = lifetime_ends.subscriber_id
            and lifetimes.lifetime_number = lifetime_ends.lifetime_number
    where
        lifetime_ends.end_type = 'voluntary'
        and lifetimes.ended_at >= {{ as_of() }} - interval 24 month
    group by lifetimes.subscriber_id

),

returns as (

    select
        subscriber_id,
        max(lifetime_number) as lifetime_number,
        count(*) filter (where is_resubscription) as resubscriptions,
        max(case when is_resubscription then lifetime_number end) as last_resubscription_number
    from cancellations
    group by subscriber_id

),

referrals as (

    select
        subscribers.referred_by_subscriber_id as subscriber_id,
        count(*) as referred_subscribers,
        count(returns.subscriber_id) as referred_payers
    from subscribers
    left join returns
        on subscribers.subscriber_id = returns.subscriber_id
    where subscribers.referred_by_subscriber_id is not null
    group by subscribers.referred_by_subscriber_id

),

loyalty as (

    select
        subscribers.subscriber_id,
        coalesce(leavings.cancellations, 0) as cancellations_in_24_months,
        coalesce(returns.resubscriptions, 0) as resubscriptions_within_12_months,
        coalesce(returns.last_resubscription_number = returns.lifetime_number, false)
            as is_12_month_resubscriber,
        coalesce(referrals.referred_subscribers, 0) as referred_subscribers,
        coalesce(referrals.referred_payers, 0) as referred_payers
    from subscribers
    left join leavings
        on subscribers.subscriber_id = leavings.subscriber_id
    left join returns
        on subscribers.subscriber_id = returns.subscriber_id
    left join referrals
        on subscribers.subscriber_id = referrals.subscriber_id

),

loyalty_with_tier as (

    select
        loyalty.*,
        tiers.serial_churner_tier
    from loyalty
    inner join tiers
        on loyalty.cancellations_in_24_months >= tiers.min_cancellations
    qualify
        row_number() over (
            partition by loyalty.subscriber_id
            order by tiers.min_cancellations desc
        ) = 1

)

select * from loyalty_with_tier
