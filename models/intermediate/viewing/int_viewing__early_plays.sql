{{ config(
    materialized='incremental',
    incremental_strategy='append',
    meta={'portions': 'int_viewing__build_portions'},
    pre_hook="{{ forget_touched(month_start('viewing_date')) }}",
) }}

with

early_windows as (

    select * from {{ ref('int_viewing__early_windows') }}

),

plays as (

    select * from {{ ref('int_viewing__days_to_count') }}
    where
        is_first_day
        and is_valid_play
        and title_id is not null

),

early_plays as (

    select
        plays.title_id,
        plays.subscriber_id,
        plays.viewing_date
    from early_windows
    inner join plays
        on
            early_windows.subscriber_id = plays.subscriber_id
            and early_windows.first_date <= plays.viewing_date
            and early_windows.landmark_date > plays.viewing_date
    group by plays.title_id, plays.subscriber_id, plays.viewing_date

)

select * from early_plays
