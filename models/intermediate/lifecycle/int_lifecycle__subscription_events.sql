with

subscribers as (

    select * from {{ ref('stg_subscribers__subscribers') }}

),

trials as (

    select * from {{ ref('int_lifecycle__trials') }}

),

cancel_requests as (

    select * from {{ ref('int_lifecycle__cancel_requests') }}

),

movements as (

    select * from {{ ref('int_subscriptions__movements') }}
    where category in (
        'new', 'reactivation', 'expansion', 'contraction', 'pause', 'resume', 'churn'
    )

),

lifetime_ends as (

    select * from {{ ref('int_subscriptions__lifetime_ends') }}

),

movement_events as (

    select
        movements.subscriber_id,
        movements.moved_at,
        case movements.category
            when 'new' then 'subscribed'
            when 'reactivation' then 'reactivated'
            when 'expansion' then 'expanded'
            when 'contraction' then 'contracted'
            when 'pause' then 'paused'
            when 'resume' then 'resumed'
            when 'churn' then 'churned'
        end as event_type,
        case
            when movements.category = 'churn' then lifetime_ends.end_type
            else movements.plan_tier
        end as detail,
        movements.mrr_change_amount
    from movements
    left join lifetime_ends
        on
            movements.subscriber_id = lifetime_ends.subscriber_id
            and movements.lifetime_number = lifetime_ends.lifetime_number

),

-- a subscriber moves once an instant and category, so that both make an id
subscription_events as (

    select
        'signed_up:' || subscriber_id as event_id,
        subscriber_id,
        signed_up_at as occurred_at,
        'signed_up' as event_type,
        acquisition_channel as detail,
        cast(null as decimal(18, 4)) as mrr_change_amount
    from subscribers
    union all
    select
        'referred_somebody:' || referred.subscriber_id as event_id,
        referrers.subscriber_id,
        referred.signed_up_at as occurred_at,
        'referred_somebody' as event_type,
        referred.subscriber_id as detail,
        cast(null as decimal(18, 4)) as mrr_change_amount
    from subscribers as referred
    inner join subscribers as referrers
        on referred.referred_by_subscriber_id = referrers.subscriber_id
    union all
    select
        'trial_started:' || subscription_id || ':' || cast(started_at as string) as event_id,
        subscriber_id,
        started_at as occurred_at,
        'trial_started' as event_type,
        plan_id as detail,
        cast(null as decimal(18, 4)) as mrr_change_amount
    from trials
    union all
    select
        'cancel_requested:' || subscription_id || ':' || cast(cancel_requested_at as string)
            as event_id,
        subscriber_id,
        cancel_requested_at as occurred_at,
        'cancel_requested' as event_type,
        cancel_feedback as detail,
        cast(null as decimal(18, 4)) as mrr_change_amount
    from cancel_requests
    union all
    select
        event_type || ':' || subscriber_id || ':' || cast(moved_at as string) as event_id,
        subscriber_id,
        moved_at as occurred_at,
        event_type,
        detail,
        mrr_change_amount
    from movement_events

)

select * from subscription_events
