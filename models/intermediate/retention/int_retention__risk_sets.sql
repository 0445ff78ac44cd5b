with

first_lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}
    where lifetime_number = 1

),

subscribers as (

    select * from {{ ref('stg_subscribers__subscribers') }}

),

strata as (

    select
        first_lifetimes.tenure_days,
        first_lifetimes.ended_at is not null as has_churned,
        first_lifetimes.first_plan_tier as plan_tier,
        {{ billing_period(
            'first_lifetimes.first_billing_period_unit',
            'first_lifetimes.first_billing_period_count',
        ) }} as billing_period,
        subscribers.country_code as country,
        subscribers.acquisition_channel as channel
    from first_lifetimes
    inner join subscribers
        on first_lifetimes.subscriber_id = subscribers.subscriber_id

),

stratified_lifetimes as (

    select
        'overall' as stratum,
        'all' as stratum_value,
        tenure_days,
        has_churned
    from strata
    {%- for stratum in ['plan_tier', 'billing_period', 'country', 'channel'] %}
    union all
    select
        '{{ stratum }}' as stratum,
        {{ stratum }} as stratum_value,
        tenure_days,
        has_churned
    from strata
    {%- endfor %}

),

tenures as (

    select
        stratum,
        stratum_value,
        tenure_days,
        count(*) filter (where has_churned) as churned,
        count(*) filter (where not has_churned) as censored
    from stratified_lifetimes
    group by stratum, stratum_value, tenure_days

),

risk_sets as (

    select
        tenures.*,
        sum(churned + censored) over (
            partition by stratum, stratum_value
            order by tenure_days desc
            rows between unbounded preceding and current row
        ) as at_risk
    from tenures

)

select * from risk_sets
