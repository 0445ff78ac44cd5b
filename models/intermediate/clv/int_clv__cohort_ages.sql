with

cohort_members as (

    select * from {{ ref('int_clv__cohort_members') }}

),

value_movements as (

    select * from {{ ref('int_clv__value_movements') }}

),

-- whole months of the subscriber's own life; one from the 31st is over on the 28th of February
aged_movements as (

    select
        cohort_members.cohort_month,
        cohort_members.acquisition_channel,
        value_movements.value_amount,
        {{ months_between('cohort_members.start_date', 'value_movements.moved_date') }}
        - case
            when
                extract(day from value_movements.moved_date) < least(
                    extract(day from cohort_members.start_date),
                    extract(day from last_day(value_movements.moved_date))
                )
                then 1
            else 0
        end as age_months
    from value_movements
    inner join cohort_members
        on value_movements.subscriber_id = cohort_members.subscriber_id

),

-- what came in before the first lifetime, for a film that was rented, is there from its start
age_values as (

    select
        cohort_month,
        acquisition_channel,
        cast(greatest(age_months, 0) as integer) as age_months,
        cast(sum(value_amount) as decimal(18, 4)) as value_amount
    from aged_movements
    group by cohort_month, acquisition_channel, cast(greatest(age_months, 0) as integer)

),

cohort_ages as (

    select
        age_values.*,
        cast(
            sum(value_amount) over (
                partition by cohort_month, acquisition_channel
                order by age_months
                rows between unbounded preceding and current row
            ) as decimal(18, 4)
        ) as value_to_date_amount
    from age_values

)

select * from cohort_ages
