with

status_months as (

    select * from {{ ref('int_subscribers__status_months') }}

),

viewing_months as (

    select * from {{ ref('int_viewing__subscriber_months') }}

),

months as (

    select * from {{ ref('int_calendar__months') }}

),

-- months of viewing and months of a status in one, so that a trial's viewing is known to the first
observations as (

    select
        subscriber_id,
        month_start,
        closing_status,
        plan_tier,
        cast(null as date) as last_viewing_date
    from status_months
    union all
    select
        subscriber_id,
        month_start,
        cast(null as string) as closing_status,
        cast(null as string) as plan_tier,
        last_viewing_date
    from viewing_months

),

observations_so_far as (

    select
        subscriber_id,
        month_start,
        closing_status,
        plan_tier,
        max(last_viewing_date) over (
            partition by subscriber_id
            order by month_start
            range between unbounded preceding and current row
        ) as last_viewing_date
    from observations

),

recencies as (

    select
        observations_so_far.subscriber_id,
        observations_so_far.month_start,
        observations_so_far.plan_tier,
        observations_so_far.last_viewing_date,
        cast(
            {{ days_between(
                'observations_so_far.last_viewing_date', 'months.elapsed_until_date'
            ) }} - 1 as integer
        ) as days_since_last_view
    from observations_so_far
    inner join months
        on observations_so_far.month_start = months.month_start
    where observations_so_far.closing_status = 'paying'

)

select * from recencies
