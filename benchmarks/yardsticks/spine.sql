-- MRR movements by a spine: a row for each customer and month, joined with what holds at the month's
-- end, compared with the row before. Written from the description of dbt Labs' playbook ("Modeling
-- subscription revenue": spine of customers and months, a row for the month of churn, windows for the
-- change and its category), with what these data need beside it: states with an end of their own,
-- several subscriptions, currencies. Reads `changes`, `exchange_rates`, `currencies`, `clock`.

with

states as (

    select
        changes.subscriber_id,
        changes.currency,
        changes.changed_at as started_at,
        coalesce(
            lead(changes.changed_at) over (
                partition by changes.subscription_id
                order by changes.changed_at, changes.recorded_at, changes.change_id
            ),
            clock.as_of
        ) as ended_at,
        case
            when changes.status in ('active', 'past_due')
                then cast(
                    round(
                        changes.amount_minor * 1.0 / power(10, currencies.minor_unit_digits)
                        * case changes.billing_period_unit
                            when 'day' then 365 when 'week' then 52 when 'month' then 12 else 1
                        end
                        / (12 * changes.billing_period_count),
                        4
                    ) as decimal(18, 4)
                )
            else 0
        end as monthly_amount
    from changes
    inner join currencies on changes.currency = currencies.currency
    cross join clock

),

subscription_periods as (

    select *
    from states
    where
        monthly_amount > 0
        and started_at < ended_at

),

months as (

    select
        cast(month_start as date) as month_start,
        least(month_start + interval 1 month, (select as_of from clock)) as month_ends_at
    from (
        select
            unnest(
                generate_series(
                    date_trunc('month', (select min(started_at) from subscription_periods)),
                    (select as_of from clock) - interval 1 microsecond,
                    interval 1 month
                )
            ) as month_start
    )

),

customers as (

    select
        subscriber_id,
        min(started_at) as started_at,
        max(ended_at) as ended_at
    from subscription_periods
    group by subscriber_id

),

customer_months as (

    select
        customers.subscriber_id,
        months.month_start,
        months.month_ends_at
    from customers
    inner join months
        on
            customers.started_at < months.month_ends_at
            and customers.ended_at >= months.month_ends_at

),

rates as (

    select
        currency,
        rate_date as month_start,
        rate
    from exchange_rates
    where day(rate_date) = 1

),

customer_revenue as (

    select
        customer_months.subscriber_id,
        customer_months.month_start,
        cast(
            coalesce(
                sum(round(subscription_periods.monthly_amount * coalesce(rates.rate, 1), 4)), 0
            ) as decimal(18, 4)
        ) as mrr
    from customer_months
    left join subscription_periods
        on
            customer_months.subscriber_id = subscription_periods.subscriber_id
            and subscription_periods.started_at < customer_months.month_ends_at
            and subscription_periods.ended_at >= customer_months.month_ends_at
    left join rates
        on
            subscription_periods.currency = rates.currency
            and customer_months.month_start = rates.month_start
    group by customer_months.subscriber_id, customer_months.month_start

),

customer_activity as (

    select
        *,
        mrr > 0 as is_active,
        min(case when mrr > 0 then month_start end) over (
            partition by subscriber_id
        ) as first_active_month,
        max(case when mrr > 0 then month_start end) over (
            partition by subscriber_id
        ) as last_active_month
    from customer_revenue

),

churn_months as (

    select
        customer_activity.subscriber_id,
        months.month_start,
        cast(0 as decimal(18, 4)) as mrr,
        false as is_active,
        customer_activity.first_active_month
    from customer_activity
    inner join months
        on months.month_start = customer_activity.last_active_month + interval 1 month
    where customer_activity.month_start = customer_activity.last_active_month

),

all_months as (

    select
        subscriber_id,
        month_start,
        mrr,
        is_active,
        first_active_month
    from customer_activity
    union all
    select * from churn_months

),

compared_months as (

    select
        *,
        coalesce(
            lag(is_active) over (partition by subscriber_id order by month_start), false
        ) as was_active,
        coalesce(lag(mrr) over (partition by subscriber_id order by month_start), 0) as previous_mrr
    from all_months

),

movements as (

    select
        subscriber_id,
        month_start,
        case
            when is_active and month_start = first_active_month then 'new'
            when was_active and not is_active then 'churn'
            when is_active and not was_active then 'reactivation'
            when mrr > previous_mrr then 'expansion'
            when mrr < previous_mrr then 'contraction'
        end as category,
        cast(mrr - previous_mrr as decimal(18, 4)) as mrr_change_amount
    from compared_months
    where mrr <> previous_mrr

)

select * from movements
