with

lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}

),

months as (

    select * from {{ ref('int_calendar__months') }}

),

-- a returner stays in the cohort of the first start: moving cohorts would flatter retention
first_lifetimes as (

    select
        subscriber_id,
        start_month as cohort_month,
        end_month
    from lifetimes
    where lifetime_number = 1

),

cohort_sizes as (

    select
        cohort_month,
        count(*) as cohort_size
    from first_lifetimes
    group by cohort_month

),

lifetime_changes as (

    select
        first_lifetimes.cohort_month,
        lifetimes.start_month as month_start,
        1 as retained_change,
        case when lifetimes.lifetime_number = 1 then 1 else 0 end as never_lapsed_change
    from lifetimes
    inner join first_lifetimes
        on lifetimes.subscriber_id = first_lifetimes.subscriber_id
    union all
    select
        first_lifetimes.cohort_month,
        lifetimes.end_month as month_start,
        -1 as retained_change,
        case when lifetimes.lifetime_number = 1 then -1 else 0 end as never_lapsed_change
    from lifetimes
    inner join first_lifetimes
        on lifetimes.subscriber_id = first_lifetimes.subscriber_id
    where lifetimes.ended_at is not null

),

monthly_changes as (

    select
        cohort_month,
        month_start,
        sum(retained_change) as retained_change,
        sum(never_lapsed_change) as never_lapsed_change
    from lifetime_changes
    group by cohort_month, month_start

),

cohort_months as (

    select
        cohort_sizes.cohort_month,
        cohort_sizes.cohort_size,
        months.month_start,
        months.is_complete
    from cohort_sizes
    inner join months
        on cohort_sizes.cohort_month <= months.month_start

),

running_totals as (

    select
        cohort_months.cohort_month,
        cohort_months.cohort_size,
        cohort_months.month_start,
        cohort_months.is_complete,
        sum(coalesce(monthly_changes.retained_change, 0)) over (
            partition by cohort_months.cohort_month
            order by cohort_months.month_start
            rows between unbounded preceding and current row
        ) as retained_subscribers,
        sum(coalesce(monthly_changes.never_lapsed_change, 0)) over (
            partition by cohort_months.cohort_month
            order by cohort_months.month_start
            rows between unbounded preceding and current row
        ) as never_lapsed_subscribers
    from cohort_months
    left join monthly_changes
        on
            cohort_months.cohort_month = monthly_changes.cohort_month
            and cohort_months.month_start = monthly_changes.month_start

),

-- a month that is not over has no retention yet: null, never 0
retention as (

    select
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
