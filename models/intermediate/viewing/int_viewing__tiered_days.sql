with

viewing_days as (

    select * from {{ ref('int_viewing__subscriber_days') }}

),

level_values as (

    select * from {{ ref('int_subscriptions__level_values') }}
    where is_paying

),

paying_levels as (

    select
        subscriber_id,
        plan_tier,
        started_at,
        {{ local_date('started_at') }} as first_date,
        -- the last instant lies just before the end: an end at midnight leaves the day before
        {{ local_date('coalesce(ended_at, ' ~ as_of() ~ ') - interval 1 microsecond') }}
            as last_date
    from level_values

),

tiered_days as (

    select
        viewing_days.subscriber_id,
        viewing_days.viewing_date,
        {{ month_start('viewing_days.viewing_date') }} as month_start,
        viewing_days.seen_seconds,
        max_by(paying_levels.plan_tier, paying_levels.started_at) as plan_tier
    from viewing_days
    left join paying_levels
        on
            viewing_days.subscriber_id = paying_levels.subscriber_id
            and viewing_days.viewing_date >= paying_levels.first_date
            and viewing_days.viewing_date <= paying_levels.last_date
    group by viewing_days.subscriber_id, viewing_days.viewing_date, viewing_days.seen_seconds

)

select * from tiered_days
