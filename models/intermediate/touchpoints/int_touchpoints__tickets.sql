with

support_tickets as (

    select * from {{ ref('stg_touchpoints__support_tickets') }}

),

-- a ticket that will be resolved tomorrow is open today
tickets_so_far as (

    select
        ticket_id,
        subscriber_id,
        topic,
        case when csat_score between 1 and 5 then csat_score end as csat_score,
        opened_at,
        case when resolved_at < {{ as_of() }} then resolved_at end as resolved_at
    from support_tickets

),

tickets as (

    select
        ticket_id,
        subscriber_id,
        topic,
        opened_at,
        {{ local_month('opened_at') }} as open_month,
        resolved_at,
        {{ local_month('resolved_at') }} as resolve_month,
        {{ microseconds_between('opened_at', 'resolved_at') }} as resolution_microseconds,
        -- who is asked is asked at the end
        case when resolved_at is not null then csat_score end as csat_score
    from tickets_so_far

)

select * from tickets
