with

months as (

    select * from {{ ref('int_calendar__months') }}

),

growth_months as (

    select * from {{ ref('int_lifecycle__growth_months') }}

),

service_start as (

    select * from {{ ref('int_viewing__service_start') }}

),

totals as (

    select
        month_start,
        count(*) filter (where was_here) as opening_subscribers,
        {%- for category in ['new', 'resurrected', 'retained', 'dormant', 'churned'] %}
        count(*) filter (where category = '{{ category }}') as {{ category }}_subscribers,
        {%- endfor %}
        count(*) filter (where is_reawakened) as reawakened_subscribers,
        count(*) filter (where is_here) as closing_subscribers
    from growth_months
    group by month_start

),

-- before the first play of the service nobody can say who slept, nor in its month who slept before
growth as (

    select
        months.month_start,
        coalesce(totals.opening_subscribers, 0) as opening_subscribers,
        coalesce(totals.new_subscribers, 0) as new_subscribers,
        coalesce(totals.resurrected_subscribers, 0) as resurrected_subscribers,
        {%- for category in ['retained', 'dormant'] %}
        case
            when {{ month_start('service_start.first_viewing_date') }} <= months.month_start
                then coalesce(totals.{{ category }}_subscribers, 0)
        end as {{ category }}_subscribers,
        {%- endfor %}
        case
            when service_start.first_viewing_date < months.month_start
                then coalesce(totals.reawakened_subscribers, 0)
        end as reawakened_subscribers,
        coalesce(totals.retained_subscribers + totals.dormant_subscribers, 0) as kept_subscribers,
        coalesce(totals.churned_subscribers, 0) as churned_subscribers,
        coalesce(totals.closing_subscribers, 0) as closing_subscribers,
        months.is_complete
    from months
    left join totals
        on months.month_start = totals.month_start
    cross join service_start

)

select * from growth
