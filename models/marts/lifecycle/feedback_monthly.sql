{%- set verdicts = ['promoter', 'passive', 'detractor', 'satisfied', 'unsatisfied', 'off_scale'] -%}

with

responses as (

    select * from {{ ref('int_touchpoints__responses') }}

),

tickets as (

    select * from {{ ref('int_touchpoints__tickets') }}

),

revenue_months as (

    select * from {{ ref('revenue_monthly') }}

),

response_totals as (

    select
        month_start,
        {%- for verdict in verdicts %}
        count(*) filter (where verdict = '{{ verdict }}') as {{ verdict }}_responses,
        {%- endfor %}
        count(*) as all_responses
    from responses
    group by month_start

),

opened_totals as (

    select
        open_month as month_start,
        count(*) as opened_tickets
    from tickets
    group by open_month

),

resolved_totals as (

    select
        resolve_month as month_start,
        count(*) as resolved_tickets,
        cast({{ sum_of_microseconds('resolution_microseconds') }} as double)
        / 3600000000 / nullif(count(*), 0) as mean_hours_to_resolve,
        {{ percentile('resolution_microseconds', 0.5) }} / 3600000000 as median_hours_to_resolve
    from tickets
    where resolve_month is not null
    group by resolve_month

),

-- before its first row a feed says nothing: unknown, not 0
feed_starts as (

    select
        (select min(month_start) from response_totals) as first_response_month,
        (select min(month_start) from opened_totals) as first_ticket_month

),

feedback_months as (

    select
        revenue_months.month_start,
        revenue_months.average_paying_subscribers,
        revenue_months.is_complete,
        coalesce(feed_starts.first_response_month <= revenue_months.month_start, false)
            as is_surveyed,
        coalesce(feed_starts.first_ticket_month <= revenue_months.month_start, false)
            as is_ticketed
    from revenue_months
    cross join feed_starts

),

totals as (

    select
        feedback_months.month_start,
        {%- for verdict in verdicts %}
        case
            when feedback_months.is_surveyed
                then coalesce(response_totals.{{ verdict }}_responses, 0)
        end as {{ verdict }}_responses,
        {%- endfor %}
        case when feedback_months.is_ticketed then coalesce(opened_totals.opened_tickets, 0) end
            as opened_tickets,
        case when feedback_months.is_ticketed then coalesce(resolved_totals.resolved_tickets, 0) end
            as resolved_tickets,
        feedback_months.average_paying_subscribers,
        resolved_totals.mean_hours_to_resolve,
        resolved_totals.median_hours_to_resolve,
        feedback_months.is_complete
    from feedback_months
    left join response_totals
        on feedback_months.month_start = response_totals.month_start
    left join opened_totals
        on feedback_months.month_start = opened_totals.month_start
    left join resolved_totals
        on feedback_months.month_start = resolved_totals.month_start
    where feedback_months.is_surveyed or feedback_months.is_ticketed

),

feedback as (

    select
        month_start,
        promoter_responses,
        passive_responses,
        detractor_responses,
        case
            when is_complete
                then
                    100 * cast(promoter_responses - detractor_responses as double)
                    / nullif(promoter_responses + passive_responses + detractor_responses, 0)
        end as net_promoter_score,
        satisfied_responses,
        unsatisfied_responses,
        case
            when is_complete
                then
                    cast(satisfied_responses as double)
                    / nullif(satisfied_responses + unsatisfied_responses, 0)
        end as satisfied_rate,
        off_scale_responses,
        opened_tickets,
        resolved_tickets,
        average_paying_subscribers,
        case
            when is_complete
                then 1000 * cast(opened_tickets as double) / nullif(average_paying_subscribers, 0)
        end as opened_tickets_per_thousand,
        mean_hours_to_resolve,
        median_hours_to_resolve,
        is_complete
    from totals

)

select * from feedback
