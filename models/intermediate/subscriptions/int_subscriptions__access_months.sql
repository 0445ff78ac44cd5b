with

periods as (

    select * from {{ ref('int_subscriptions__periods') }}

),

paying_levels as (

    select * from {{ ref('int_subscriptions__level_values') }}
    where is_paying

),

months as (

    select * from {{ ref('int_calendar__months') }}

),

-- a bridged gap counts as paid, whatever the states in it say
intervals as (

    select
        periods.subscriber_id,
        periods.started_at,
        coalesce(periods.ended_at, {{ as_of() }}) as ended_at,
        paying_levels.subscriber_id is not null as is_paying
    from periods
    left join paying_levels
        on
            periods.subscriber_id = paying_levels.subscriber_id
            and periods.started_at >= paying_levels.started_at
            and periods.started_at < {{ open_end('paying_levels.ended_at') }}
    where
        periods.has_access
        or paying_levels.subscriber_id is not null

),

access_months as (

    select
        intervals.subscriber_id,
        months.month_start,
        cast(
            sum(
                {{ microseconds_between(
                    'greatest(intervals.started_at, months.started_at)',
                    'least(intervals.ended_at, months.elapsed_until_at)',
                ) }}
            ) as bigint
        ) as access_microseconds,
        cast(
            sum(
                case
                    when intervals.is_paying
                        then {{ microseconds_between(
                            'greatest(intervals.started_at, months.started_at)',
                            'least(intervals.ended_at, months.elapsed_until_at)',
                        ) }}
                    else 0
                end
            ) as bigint
        ) as paying_microseconds
    from intervals
    inner join months
        on
            intervals.started_at < months.elapsed_until_at
            and intervals.ended_at > months.started_at
    group by intervals.subscriber_id, months.month_start

)

select * from access_months
