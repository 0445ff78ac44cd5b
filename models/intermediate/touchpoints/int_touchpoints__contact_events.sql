with

support_tickets as (

    select * from {{ ref('stg_touchpoints__support_tickets') }}

),

survey_responses as (

    select * from {{ ref('stg_touchpoints__survey_responses') }}

),

campaign_touches as (

    select * from {{ ref('stg_touchpoints__campaign_touches') }}

),

contact_events as (

    select
        'ticket_opened:' || ticket_id as event_id,
        subscriber_id,
        opened_at as occurred_at,
        'ticket_opened' as event_type,
        topic as detail
    from support_tickets
    union all
    select
        'ticket_resolved:' || ticket_id as event_id,
        subscriber_id,
        resolved_at as occurred_at,
        'ticket_resolved' as event_type,
        topic as detail
    from support_tickets
    where resolved_at is not null
    union all
    select
        'survey_answered:' || response_id as event_id,
        subscriber_id,
        responded_at as occurred_at,
        'survey_answered' as event_type,
        kind as detail
    from survey_responses
    union all
    select
        'campaign_touched:' || touch_id as event_id,
        subscriber_id,
        sent_at as occurred_at,
        'campaign_touched' as event_type,
        purpose as detail
    from campaign_touches
    union all
    select
        'campaign_opened:' || touch_id as event_id,
        subscriber_id,
        opened_at as occurred_at,
        'campaign_opened' as event_type,
        purpose as detail
    from campaign_touches
    where opened_at is not null
    union all
    select
        'campaign_clicked:' || touch_id as event_id,
        subscriber_id,
        clicked_at as occurred_at,
        'campaign_clicked' as event_type,
        purpose as detail
    from campaign_touches
    where clicked_at is not null

),

-- a ticket that will be resolved tomorrow is open today
contact_events_so_far as (

    select * from contact_events
    where occurred_at < {{ as_of() }}

)

select * from contact_events_so_far
