with

renewals as (

    select
        account_id,
        product,
        start_date,
        end_date,
        mrr,
        max(end_date) over (
            partition by account_id
            order by start_date, end_date
            rows between unbounded preceding and 1 preceding
        ) as paid_until
    from subscription

),

-- renewals back to back are one subscription; one that comes after a gap begins another
numbered_renewals as (

    select
        *,
        count(*) filter (where paid_until is null or paid_until < start_date) over (
            partition by account_id
            order by start_date, end_date
            rows between unbounded preceding and current row
        ) as stretch_number
    from renewals

),

identified_renewals as (

    select
        *,
        account_id || '-' || stretch_number as subscription_id,
        cast(cast(mrr as decimal(18, 2)) * 100 as bigint) as amount_minor
    from numbered_renewals

),

-- a stretch that lasts beyond the newest renewal anybody has seen may yet be renewed
horizons as (

    select max(start_date) as seen_until
    from subscription

),

ended_stretches as (

    select
        identified_renewals.subscription_id,
        identified_renewals.account_id,
        max(identified_renewals.end_date) as ended_on,
        max_by(identified_renewals.product, identified_renewals.end_date) as product,
        max_by(identified_renewals.amount_minor, identified_renewals.end_date) as amount_minor
    from identified_renewals
    cross join horizons
    group by
        identified_renewals.subscription_id,
        identified_renewals.account_id,
        horizons.seen_until
    having max(identified_renewals.end_date) <= horizons.seen_until

),

changes as (

    select
        subscription_id || '-' || start_date as change_id,
        subscription_id,
        account_id,
        cast(start_date as timestamp) as changed_at,
        'active' as status,
        product,
        amount_minor
    from identified_renewals
    union all
    select
        subscription_id || '-end' as change_id,
        subscription_id,
        account_id,
        cast(ended_on as timestamp) as changed_at,
        'ended' as status,
        product,
        amount_minor
    from ended_stretches

)

select
    change_id,
    subscription_id,
    cast(account_id as varchar) as subscriber_id,
    changed_at,
    status,
    product as plan_id,
    'month' as billing_period_unit,
    cast(1 as bigint) as billing_period_count,
    amount_minor,
    'USD' as currency,
    cast(null as timestamp) as cancel_requested_at,
    cast(null as varchar) as end_reason,
    cast(null as varchar) as cancel_feedback,
    changed_at as recorded_at
from changes
