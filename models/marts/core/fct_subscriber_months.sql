with

status_months as (

    select * from {{ ref('int_subscribers__status_months') }}

),

revenue_months as (

    select * from {{ ref('int_revenue__subscriber_months') }}

),

activity_months as (

    select * from {{ ref('int_subscribers__activity_months') }}

),

filled_months as (

    select
        status_months.subscriber_id,
        status_months.month_start,
        cast(
            {{ months_between('status_months.first_month', 'status_months.month_start') }}
            as integer
        ) as months_since_start,
        status_months.lifetime_number,
        coalesce(
            lag(status_months.closing_status) over (
                partition by status_months.subscriber_id order by status_months.month_start
            ), 'never_paid'
        ) as opening_status,
        status_months.closing_status,
        status_months.plan_tier as closing_plan_tier,
        cast(
            status_months.closing_mrr_amount - status_months.mrr_change_amount as decimal(18, 4)
        ) as opening_mrr_amount,
        status_months.closing_mrr_amount,
        {%- for kind in ['recognised', 'refunded', 'uncollectible', 'collected'] %}
        cast(coalesce(revenue_months.{{ kind }}_amount, 0) as decimal(18, 4)) as {{ kind }}_amount,
        {%- endfor %}
        {%- for measure in [
            'viewing_days', 'plays', 'valid_plays', 'watched_seconds', 'failed_payments',
            'support_tickets',
        ] %}
        cast(coalesce(activity_months.{{ measure }}, 0) as bigint) as {{ measure }},
        {%- endfor %}
        status_months.is_complete
    from status_months
    left join revenue_months
        on
            status_months.subscriber_id = revenue_months.subscriber_id
            and status_months.month_start = revenue_months.month_start
    left join activity_months
        on
            status_months.subscriber_id = activity_months.subscriber_id
            and status_months.month_start = activity_months.month_start

)

select * from filled_months
