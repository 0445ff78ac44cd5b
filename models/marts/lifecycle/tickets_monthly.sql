with

support_tickets as (

    select * from {{ ref('int_touchpoints__tickets') }}

),

months as (

    select * from {{ ref('int_calendar__months') }}

),

opened_totals as (

    select
        open_month as month_start,
        topic,
        count(*) as opened_tickets
    from support_tickets
    group by open_month, topic

),

resolved_totals as (

    select
        resolve_month as month_start,
        topic,
        count(*) as resolved_tickets,
        cast({{ sum_of_microseconds('resolution_microseconds') }} as double)
        / 3600000000 / nullif(count(*), 0) as mean_hours_to_resolve,
        {{ percentile('resolution_microseconds', 0.5) }} / 3600000000 as median_hours_to_resolve,
        count(csat_score) as scored_tickets,
        count(*) filter (where csat_score >= 4) as satisfied_tickets
    from support_tickets
    where resolve_month is not null
    group by resolve_month, topic

),

topic_starts as (

    select
        topic,
        min(month_start) as first_month
    from opened_totals
    group by topic

),

-- a topic that had a ticket once has a row in every later month
topic_months as (

    select
        months.month_start,
        topic_starts.topic,
        months.is_complete
    from topic_starts
    inner join months
        on topic_starts.first_month <= months.month_start

),

tickets as (

    select
        topic_months.month_start,
        topic_months.topic,
        coalesce(opened_totals.opened_tickets, 0) as opened_tickets,
        coalesce(resolved_totals.resolved_tickets, 0) as resolved_tickets,
        cast(
            sum(
                coalesce(opened_totals.opened_tickets, 0)
                - coalesce(resolved_totals.resolved_tickets, 0)
            ) over (
                partition by topic_months.topic
                order by topic_months.month_start
                rows between unbounded preceding and current row
            ) as bigint
        ) as closing_open_tickets,
        resolved_totals.mean_hours_to_resolve,
        resolved_totals.median_hours_to_resolve,
        coalesce(resolved_totals.scored_tickets, 0) as scored_tickets,
        coalesce(resolved_totals.satisfied_tickets, 0) as satisfied_tickets,
        case
            when topic_months.is_complete
                then
                    cast(resolved_totals.satisfied_tickets as double)
                    / nullif(resolved_totals.scored_tickets, 0)
        end as satisfied_rate,
        topic_months.is_complete
    from topic_months
    left join opened_totals
        on
            topic_months.month_start = opened_totals.month_start
            and topic_months.topic = opened_totals.topic
    left join resolved_totals
        on
            topic_months.month_start = resolved_totals.month_start
            and topic_months.topic = resolved_totals.topic

)

select * from tickets
