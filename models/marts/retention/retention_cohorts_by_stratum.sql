with

lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}

),

subscribers as (

    select * from {{ ref('stg_subscribers__subscribers') }}

),

months as (

    select * from {{ ref('int_calendar__months') }}

),

-- the tier is that of the first paying state: with today's, who moved up would count as kept by it
first_lifetimes as (

    select
        lifetimes.subscriber_id,
        lifetimes.start_month as cohort_month,
        lifetimes.first_plan_tier as plan_tier,
        subscribers.country_code as country,
        subscribers.acquisition_channel as channel
    from lifetimes
    inner join subscribers
        on lifetimes.subscriber_id = subscribers.subscriber_id
    where lifetimes.lifetime_number = 1

),

members as (

    {% for stratum in ['plan_tier', 'country', 'channel'] %}
    select
        '{{ stratum }}' as stratum,
        {{ stratum }} as stratum_value,
        cohort_month,
        subscriber_id
    from first_lifetimes
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

cohort_sizes as (

    select
        stratum,
        stratum_value,
        cohort_month,
        count(*) as cohort_size
    from members
    group by stratum, stratum_value, cohort_month

),

lifetime_changes as (

    select
        subscriber_id,
        start_month as month_start,
        1 as retained_change,
        case when lifetime_number = 1 then 1 else 0 end as never_lapsed_change
    from lifetimes
    union all
    select
        subscriber_id,
        end_month as month_start,
        -1 as retained_change,
        case when lifetime_number = 1 then -1 else 0 end as never_lapsed_change
    from lifetimes
    where ended_at is not null

),

monthly_changes as (

    select
        members.stratum,
        members.stratum_value,
        members.cohort_month,
        lifetime_changes.month_start,
        sum(lifetime_changes.retained_change) as retained_change,
        sum(lifetime_changes.never_lapsed_change) as never_lapsed_change
    from members
    inner join lifetime_changes
        on members.subscriber_id = lifetime_changes.subscriber_id
    group by
        members.stratum, members.stratum_value, members.cohort_month, lifetime_changes.month_start

),

running_totals as (

    select
        cohort_sizes.stratum,
        cohort_sizes.stratum_value,
        cohort_sizes.cohort_month,
        cohort_sizes.cohort_size,
        months.month_start,
        months.is_complete,
        sum(coalesce(monthly_changes.retained_change, 0)) over cohort as retained_subscribers,
        sum(coalesce(monthly_changes.never_lapsed_change, 0)) over cohort
            as never_lapsed_subscribers
    from cohort_sizes
    inner join months
        on cohort_sizes.cohort_month <= months.month_start
    left join monthly_changes
        on
            cohort_sizes.stratum = monthly_changes.stratum
            and cohort_sizes.stratum_value = monthly_changes.stratum_value
            and cohort_sizes.cohort_month = monthly_changes.cohort_month
            and months.month_start = monthly_changes.month_start
    window cohort as (
        partition by
            cohort_sizes.stratum, cohort_sizes.stratum_value, cohort_sizes.cohort_month
        order by months.month_start
        rows between unbounded preceding and current row
    )

),

-- a month that is not over has no retention yet: null, never 0
retention as (

    select
        stratum,
        stratum_value,
        cohort_month,
        cast({{ months_between('cohort_month', 'month_start') }} as integer) as months_since_start,
        cast(cohort_size as bigint) as cohort_size,
        cast(case when is_complete then retained_subscribers end as bigint) as retained_subscribers,
        cast(
            case when is_complete then never_lapsed_subscribers end as bigint
        ) as never_lapsed_subscribers,
        case
            when is_complete then cast(retained_subscribers as double) / nullif(cohort_size, 0)
        end as retention_rate
    from running_totals

)

select * from retention
