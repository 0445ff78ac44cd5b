with

cohort_members as (

    select * from {{ ref('int_clv__cohort_members') }}

),

acquisition_costs as (

    select * from {{ ref('int_clv__acquisition_costs') }}

),

months as (

    select * from {{ ref('int_calendar__months') }}

),

last_complete_months as (

    select max(case when is_complete then month_start end) as month_start
    from months

),

cohort_sizes as (

    select
        cohort_month,
        acquisition_channel,
        count(*) as cohort_size
    from cohort_members
    group by cohort_month, acquisition_channel

),

-- money spent in a month in which nobody came is spent all the same
cohorts_with_costs as (

    select
        coalesce(cohort_sizes.cohort_month, acquisition_costs.month_start) as cohort_month,
        coalesce(cohort_sizes.acquisition_channel, acquisition_costs.acquisition_channel)
            as acquisition_channel,
        coalesce(cohort_sizes.cohort_size, 0) as cohort_size,
        cast(coalesce(acquisition_costs.acquisition_cost_amount, 0) as decimal(18, 4))
            as acquisition_cost_amount
    from cohort_sizes
    full outer join acquisition_costs
        on
            cohort_sizes.cohort_month = acquisition_costs.month_start
            and cohort_sizes.acquisition_channel = acquisition_costs.acquisition_channel

),

-- who came on a month's last day is n months old when the n-th month after it is over
cohorts as (

    select
        cohorts_with_costs.*,
        cast(
            greatest(
                {{ months_between(
                    'cohorts_with_costs.cohort_month',
                    'last_complete_months.month_start',
                ) }},
                0
            ) as integer
        ) as whole_months_old,
        coalesce(cohorts_with_costs.cohort_month <= last_complete_months.month_start, false)
            as is_complete
    from cohorts_with_costs
    cross join last_complete_months

)

select * from cohorts
