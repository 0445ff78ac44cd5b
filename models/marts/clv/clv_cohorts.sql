{%- set ages = [1, 3, 6, 12, 24] -%}

with

cohorts as (

    select * from {{ ref('int_clv__cohorts') }}

),

cohort_members as (

    select * from {{ ref('int_clv__cohort_members') }}

),

cohort_ages as (

    select * from {{ ref('int_clv__cohort_ages') }}

),

subscriber_values as (

    select * from {{ ref('clv_subscribers') }}

),

cohort_values as (

    select
        cohort_members.cohort_month,
        cohort_members.acquisition_channel,
        sum(subscriber_values.historic_value_amount) as historic_value_amount,
        sum(subscriber_values.expected_remaining_value_amount) as expected_remaining_value_amount,
        count(*) - count(subscriber_values.expected_remaining_value_amount)
            as subscribers_without_forecast
    from cohort_members
    inner join subscriber_values
        on cohort_members.subscriber_id = subscriber_values.subscriber_id
    group by cohort_members.cohort_month, cohort_members.acquisition_channel

),

-- of an age n, what came in before each subscriber was n months old
realised_values as (

    select
        cohorts.cohort_month,
        cohorts.acquisition_channel,
        {%- for age in ages %}
        case
            when cohorts.whole_months_old >= {{ age }}
                then
                    sum(
                        case
                            when cohort_ages.age_months < {{ age }} then cohort_ages.value_amount
                            else 0
                        end
                    )
        end as realised_value_{{ age }}_months_amount,
        {%- endfor %}
        min(
            case
                when
                    cohorts.acquisition_cost_amount > 0
                    and cohort_ages.value_to_date_amount >= cohorts.acquisition_cost_amount
                    and cohort_ages.age_months < cohorts.whole_months_old
                    then cohort_ages.age_months + 1
            end
        ) as months_to_pay_back
    from cohorts
    left join cohort_ages
        on
            cohorts.cohort_month = cohort_ages.cohort_month
            and cohorts.acquisition_channel = cohort_ages.acquisition_channel
    group by cohorts.cohort_month, cohorts.acquisition_channel, cohorts.whole_months_old

),

valued_cohorts as (

    select
        cohorts.*,
        coalesce(cohort_values.subscribers_without_forecast, 0) as subscribers_without_forecast,
        coalesce(cohort_values.historic_value_amount, 0) as historic_value_amount,
        case
            when cohorts.cohort_size = 0 then 0
            else cohort_values.expected_remaining_value_amount
        end as expected_remaining_value_amount,
        {%- for age in ages %}
        realised_values.realised_value_{{ age }}_months_amount,
        {%- endfor %}
        realised_values.months_to_pay_back
    from cohorts
    inner join realised_values
        on
            cohorts.cohort_month = realised_values.cohort_month
            and cohorts.acquisition_channel = realised_values.acquisition_channel
    left join cohort_values
        on
            cohorts.cohort_month = cohort_values.cohort_month
            and cohorts.acquisition_channel = cohort_values.acquisition_channel

),

summed_cohorts as (

    select
        valued_cohorts.*,
        historic_value_amount + expected_remaining_value_amount as clv_amount
    from valued_cohorts

),

-- of an open month neither the newcomers nor the spend are all there
cohorts_against_cost as (

    select
        cohort_month,
        acquisition_channel,
        cast(cohort_size as bigint) as cohort_size,
        cast(subscribers_without_forecast as bigint) as subscribers_without_forecast,
        whole_months_old,
        acquisition_cost_amount,
        case
            when is_complete
                then {{ amount_per_average('acquisition_cost_amount', 'cohort_size', 1) }}
        end as cost_per_subscriber_amount,
        cast(historic_value_amount as decimal(18, 4)) as historic_value_amount,
        cast(expected_remaining_value_amount as decimal(18, 4)) as expected_remaining_value_amount,
        cast(clv_amount as decimal(18, 4)) as clv_amount,
        case when is_complete then {{ amount_per_average('clv_amount', 'cohort_size', 1) }} end
            as clv_per_subscriber_amount,
        case
            when is_complete
                then cast(clv_amount as double) / nullif(cast(acquisition_cost_amount as double), 0)
        end as ltv_to_cac,
        {%- for age in ages %}
        cast(realised_value_{{ age }}_months_amount as decimal(18, 4))
            as realised_value_{{ age }}_months_amount,
        {%- endfor %}
        cast(months_to_pay_back as integer) as months_to_pay_back,
        is_complete
    from summed_cohorts

)

select * from cohorts_against_cost
