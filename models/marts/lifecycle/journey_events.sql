with

subscription_events as (

    select * from {{ ref('int_lifecycle__subscription_events') }}

),

payment_events as (

    select * from {{ ref('int_lifecycle__payment_events') }}

),

contact_events as (

    select * from {{ ref('int_touchpoints__contact_events') }}

),

first_plays as (

    select * from {{ ref('int_viewing__first_plays') }}

),

journey_events as (

    select
        event_id,
        subscriber_id,
        occurred_at,
        event_type,
        detail,
        mrr_change_amount
    from subscription_events
    union all
    select
        event_id,
        subscriber_id,
        occurred_at,
        event_type,
        detail,
        cast(null as decimal(18, 4)) as mrr_change_amount
    from payment_events
    union all
    select
        event_id,
        subscriber_id,
        occurred_at,
        event_type,
        detail,
        cast(null as decimal(18, 4)) as mrr_change_amount
    from contact_events
    union all
    select
        'first_play:' || subscriber_id as event_id,
        subscriber_id,
        first_played_at as occurred_at,
        'first_play' as event_type,
        title_id as detail,
        cast(null as decimal(18, 4)) as mrr_change_amount
    from first_plays

)

select * from journey_events
