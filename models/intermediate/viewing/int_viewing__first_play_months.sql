with

first_plays as (

    select * from {{ ref('int_viewing__first_plays') }}

),

paid_dates as (

    select * from {{ ref('int_subscriptions__paid_dates') }}

),

tiered_first_plays as (

    select
        {{ month_start('first_plays.first_viewing_date') }} as month_start,
        paid_dates.plan_tier,
        first_plays.hours_since_sign_up
    from first_plays
    left join paid_dates
        on
            first_plays.subscriber_id = paid_dates.subscriber_id
            and first_plays.first_viewing_date >= paid_dates.first_date
            and first_plays.first_viewing_date < {{ open_end('paid_dates.end_date', 'date') }}

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
