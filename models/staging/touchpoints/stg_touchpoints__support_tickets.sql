with

accepted as (

    select
        ticket_id,
        subscriber_id,
        opened_at,
        resolved_at,
        topic,
        csat_score,
        recorded_at
    from {{ ref('base_touchpoints__support_tickets') }}
    where version_rank = 1 and broken_rule is null

)

select * from accepted
