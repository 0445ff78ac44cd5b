with

totals as (

    select
        acquisition_channel,
        row_number() over (order by sum(cohort_size) desc, acquisition_channel) as size_rank
    from marts.clv_cohorts
    group by acquisition_channel

)

-- what can't be foretold is in neither side of a quotient, and cost only where money was spent
select
    cohorts.cohort_month,
    case
        when totals.size_rank <= 60 then cohorts.acquisition_channel
        else 'other channels'
    end as acquisition_channel,
    sum(cohorts.cohort_size) as subscribers,
    sum(cohorts.cohort_size) filter (where cohorts.clv_amount is not null) as valued_subscribers,
    sum(cohorts.historic_value_amount) filter (where cohorts.clv_amount is not null) as historic_value_amount,
    sum(cohorts.expected_remaining_value_amount) as expected_remaining_value_amount,
    sum(cohorts.clv_amount) as clv_amount,
    sum(cohorts.cohort_size) filter (where cohorts.acquisition_cost_amount > 0) as paid_subscribers,
    sum(cohorts.acquisition_cost_amount) as acquisition_cost_amount,
    sum(cohorts.clv_amount) filter (where cohorts.acquisition_cost_amount > 0) as paid_clv_amount,
    sum(cohorts.acquisition_cost_amount) filter (
        where cohorts.clv_amount is not null
    ) as valued_cost_amount
from marts.clv_cohorts as cohorts
inner join totals
    on cohorts.acquisition_channel = totals.acquisition_channel
where cohorts.cohort_month >= getvariable('first_month')
group by all
order by all
