with

subscriber_months as (

    select * from {{ ref('int_segmentation__subscriber_months') }}

),

revenue_months as (

    select * from {{ ref('int_revenue__subscriber_months') }}

),

viewing_months as (

    select * from {{ ref('int_viewing__subscriber_months') }}

),

lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}
    where lifetime_number = 1

),

subscribers as (

    select * from {{ ref('stg_subscribers__subscribers') }}

),

-- money and viewing may come before the first month and then count from it on
events as (

    select
        subscriber_id,
        month_start,
        recognised_amount - refunded_amount as net_revenue_amount,
        collected_amount,
        0 as referred_payers,
        cast(null as date) as viewing_date,
        0 as is_spine
    from revenue_months
    union all
    select
        subscriber_id,
        month_start,
        cast(0 as decimal(18, 4)) as net_revenue_amount,
        cast(0 as decimal(18, 4)) as collected_amount,
        0 as referred_payers,
        last_viewing_date as viewing_date,
        0 as is_spine
    from viewing_months
    union all
    select
        subscribers.referred_by_subscriber_id as subscriber_id,
        lifetimes.start_month as month_start,
        cast(0 as decimal(18, 4)) as net_revenue_amount,
        cast(0 as decimal(18, 4)) as collected_amount,
        1 as referred_payers,
        cast(null as date) as viewing_date,
        0 as is_spine
    from lifetimes
    inner join subscribers
        on lifetimes.subscriber_id = subscribers.subscriber_id
    where subscribers.referred_by_subscriber_id is not null
    union all
    select
        subscriber_id,
        month_start,
        cast(0 as decimal(18, 4)) as net_revenue_amount,
        cast(0 as decimal(18, 4)) as collected_amount,
        0 as referred_payers,
        cast(null as date) as viewing_date,
        1 as is_spine
    from subscriber_months

),

month_totals as (

    select
        subscriber_id,
        month_start,
        sum(net_revenue_amount) as net_revenue_amount,
        sum(collected_amount) as collected_amount,
        sum(referred_payers) as referred_payers,
        max(viewing_date) as last_viewing_date,
        max(is_spine) as is_spine
    from events
    group by subscriber_id, month_start

),

running_totals as (

    select
        subscriber_id,
        month_start,
        {%- for total in ['net_revenue_amount', 'collected_amount'] %}
        cast(
            sum({{ total }}) over (
                partition by subscriber_id
                order by month_start
                rows between unbounded preceding and current row
            ) as decimal(18, 4)
        ) as {{ total }},
        {%- endfor %}
        cast(
            sum(referred_payers) over (
                partition by subscriber_id
                order by month_start
                rows between unbounded preceding and current row
            ) as integer
        ) as referred_payers,
        max(last_viewing_date) over (
            partition by subscriber_id
            order by month_start
            rows between unbounded preceding and current row
        ) as last_viewing_date,
        is_spine
    from month_totals

),

spine_totals as (

    select
        subscriber_id,
        month_start,
        net_revenue_amount,
        collected_amount,
        referred_payers,
        last_viewing_date
    from running_totals
    where is_spine = 1

)

select * from spine_totals
