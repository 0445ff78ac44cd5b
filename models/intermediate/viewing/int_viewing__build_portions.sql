-- depends_on: {{ ref('int_viewing__touched_months') }}
-- depends_on: {{ ref('int_calendar__months') }}
with

months as (

    {% if is_increment() -%}
    select * from {{ ref('int_viewing__touched_months') }}
    {%- else -%}
    select * from {{ ref('int_calendar__months') }}
    {%- endif %}

),

session_months as (

    select * from {{ ref('stg_viewing__session_months') }}

),

-- ids of up to 12 characters lie in the row of a group, longer ones beside it
long_ids as (

    select avg(case when length(subscriber_id) > 12 then length(subscriber_id) else 0 end) as bytes
    from {{ ref('stg_subscribers__subscribers') }}
    union all
    select avg(case when length(title_id) > 12 then length(title_id) else 0 end) as bytes
    from {{ ref('stg_viewing__titles') }}

),

-- two UUIDs make a play count as one and a half: with them 6 million took less time than 9 or 4
play_sizes as (

    select 1 + coalesce(sum(bytes), 0) / 144 as plays_of_short_ids
    from long_ids

),

-- in which zone's month a session begins matters little to a size
sized_months as (

    select
        months.month_start,
        months.started_at,
        months.ended_at,
        coalesce(session_months.sessions, 0) * play_sizes.plays_of_short_ids as size_in_plays
    from months
    cross join play_sizes
    left join session_months
        on months.month_start = session_months.month_start

),

ordered_months as (

    select
        *,
        lag(ended_at) over (order by month_start) as previous_ended_at
    from sized_months

),

-- months of an increment may lie years apart, and what is between them is not to be read
stretched_months as (

    select
        *,
        sum(case when started_at = previous_ended_at then 0 else 1 end) over (order by month_start)
            as stretch
    from ordered_months

),

-- a month is of the portion that its first play is of
numbered_months as (

    select
        *,
        cast(
            floor(
                (sum(size_in_plays) over (order by month_start) - size_in_plays)
                / {{ plays_of_a_portion() }}
            )
            as integer
        ) as portion_of_plays
    from stretched_months

),

portions as (

    select
        cast(row_number() over (order by stretch, portion_of_plays) - 1 as integer) as portion,
        min(month_start) as first_month,
        min(started_at) as started_at,
        max(ended_at) as ended_at
    from numbered_months
    group by stretch, portion_of_plays

),

-- a day on either side is for clocks that are put back at midnight
build_portions as (

    select
        portion,
        -- whatever comes earlier goes with the first
        case when lag(portion) over (order by portion) is not null then first_month end
            as first_month,
        lead(first_month) over (order by portion) as next_month,
        started_at - interval 1 day as earliest_at,
        ended_at + interval 1 day as latest_at
    from portions

)

select * from build_portions
