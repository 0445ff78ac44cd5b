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

-- whether a row is accepted, and in which zone's month it begins, matters little to a size
raw_plays as (

    select
        {{ month_start('started_at') }} as month_start,
        count(*) as plays
    from {{ source('raw', 'playback_sessions') }}
    group by {{ month_start('started_at') }}

),

sized_months as (

    select
        months.month_start,
        months.started_at,
        months.ended_at,
        coalesce(raw_plays.plays, 0) as plays
    from months
    left join raw_plays
        on months.month_start = raw_plays.month_start

),

-- a month is of the portion that its first play is of
numbered_months as (

    select
        *,
        cast(
            floor((sum(plays) over (order by month_start) - plays) / {{ plays_of_a_portion() }})
            as integer
        ) as portion
    from sized_months

),

portions as (

    select
        portion,
        min(month_start) as first_month,
        min(started_at) as started_at,
        max(ended_at) as ended_at
    from numbered_months
    group by portion

),

-- a day on either side is for clocks that are put back at midnight
build_portions as (

    select
        portion,
        -- whatever comes earlier goes with the first
        case when lag(portion) over (order by portion) is not null then first_month end
            as first_month,
        lead(first_month) over (order by portion) as next_month,
        started_at - interval 1 day as read_from,
        ended_at + interval 1 day as read_until
    from portions

)

select * from build_portions
