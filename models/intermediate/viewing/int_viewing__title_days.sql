{{ config(
    materialized='incremental',
    incremental_strategy='append',
    meta={'portions': 'int_viewing__build_portions', 'adds_at_once': true},
    pre_hook="{{ forget_touched(
        month_start('viewing_date'), touched='int_viewing__touched_title_months'
    ) }}",
) }}

-- depends_on: {{ ref('int_viewing__session_days') }}
with

title_windows as (

    select * from {{ ref('int_viewing__title_windows') }}

),

{% if is_increment() %}

-- other days than those that are counted anew are asked for as well
days_to_count as (

    {{ days_to_make_anew(
        touched='int_viewing__touched_title_months',
        are_within=may_be_within_months(
            'session_days.started_at', 'session_days.ended_at', 'int_viewing__touched_title_months'
        ),
    ) }}

),

{% else %}

days_to_count as (

    select * from {{ ref('int_viewing__days_to_count') }}

),

{% endif %}

session_days as (

    select * from days_to_count
    where title_id is not null

),

title_days as (

    select
        session_days.title_id,
        session_days.subscriber_id,
        session_days.viewing_date,
        count(*) filter (where session_days.is_first_day and session_days.is_valid_play)
            as valid_plays,
        cast(sum(session_days.seen_seconds) as bigint) as watched_seconds
    from title_windows
    inner join session_days
        on
            title_windows.subscriber_id = session_days.subscriber_id
            and title_windows.first_date <= session_days.viewing_date
            and title_windows.end_date > session_days.viewing_date
    group by session_days.title_id, session_days.subscriber_id, session_days.viewing_date

)

select * from title_days
