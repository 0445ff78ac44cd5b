with

status_months as (

    select * from {{ ref('int_subscribers__status_months') }}

),

activity_months as (

    select * from {{ ref('int_subscribers__activity_months') }}

),

-- a subscriber is one in a lifetime, paused or not
presences as (

    select
        status_months.subscriber_id,
        status_months.month_start,
        status_months.month_start = status_months.first_month as is_first_month,
        coalesce(
            lag(status_months.closing_status) over (
                partition by status_months.subscriber_id order by status_months.month_start
            ) <> 'churned', false
        ) as was_here,
        status_months.closing_status <> 'churned' as is_here,
        coalesce(activity_months.viewing_days, 0) > 0 as has_watched
    from status_months
    left join activity_months
        on
            status_months.subscriber_id = activity_months.subscriber_id
            and status_months.month_start = activity_months.month_start

),

growth_months as (

    select
        subscriber_id,
        month_start,
        was_here,
        is_here,
        case
            when was_here and not is_here then 'churned'
            when was_here and has_watched then 'retained'
            when was_here then 'dormant'
            when is_here and is_first_month then 'new'
            when is_here then 'resurrected'
        end as category
    from presences
    where was_here or is_here

),

growth_months_with_previous as (

    select
        growth_months.*,
        category = 'retained'
        and coalesce(
            lag(category) over (partition by subscriber_id order by month_start) = 'dormant', false
        ) as is_reawakened
    from growth_months

)

select * from growth_months_with_previous
