with

first_plays as (

    select * from {{ ref('int_viewing__first_plays') }}

),

tiered_days as (

    select * from {{ ref('int_viewing__tiered_days') }}

),

tiered_first_plays as (

    select
        tiered_days.month_start,
        tiered_days.plan_tier,
        first_plays.hours_since_sign_up
    from first_plays
    inner join tiered_days
        on
            first_plays.subscriber_id = tiered_days.subscriber_id
            and first_plays.first_viewing_date = tiered_days.viewing_date

),

first_plays_by_stratum as (

    {{ plan_tier_strata('tiered_first_plays') }}

),

first_play_months as (

    select
        month_start,
        stratum,
        stratum_value,
        count(*) as first_plays,
        {{ percentile('hours_since_sign_up', 0.5) }}
            as median_hours_to_first_play
    from first_plays_by_stratum
    group by month_start, stratum, stratum_value

)

select * from first_play_months
