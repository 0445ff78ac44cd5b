{%- set categories = [
    'new', 'reactivation', 'expansion', 'resume', 'contraction', 'churn', 'pause', 'fx',
    'transfer_in', 'transfer_out',
] -%}

with

movements as (

    select * from {{ ref('int_subscriptions__movements') }}

),

lifetime_ends as (

    select * from {{ ref('int_subscriptions__lifetime_ends') }}

),

subscribers as (

    select * from {{ ref('stg_subscribers__subscribers') }}

),

months as (

    select * from {{ ref('int_calendar__months') }}

),

-- country and channel are those of today, for all of history
monthly_totals as (

    select
        movements.month_start,
        movements.plan_tier,
        subscribers.country_code,
        subscribers.acquisition_channel,
        {%- for category in categories %}
        sum(case when movements.category = '{{ category }}' then movements.mrr_change_amount end)
            as {{ category }}_mrr_amount,
        {%- endfor %}
        sum(movements.mrr_change_amount) as mrr_change_amount,
        count(*) filter (where movements.category = 'new') as new_lifetimes,
        count(*) filter (where movements.category = 'reactivation') as reactivated_lifetimes,
        count(*) filter (where movements.category = 'churn') as churned_lifetimes,
        {%- for end_type in ['voluntary', 'involuntary', 'other'] %}
        count(*) filter (
            where movements.category = 'churn' and lifetime_ends.end_type = '{{ end_type }}'
        ) as {{ end_type }}_churned_lifetimes,
        {%- endfor %}
        count(*) filter (where movements.category = 'transfer_in') as transferred_in_lifetimes,
        count(*) filter (where movements.category = 'transfer_out') as transferred_out_lifetimes,
        sum(movements.lifetimes_change) as lifetimes_change
    from movements
    inner join subscribers
        on movements.subscriber_id = subscribers.subscriber_id
    left join lifetime_ends
        on
            movements.subscriber_id = lifetime_ends.subscriber_id
            and movements.lifetime_number = lifetime_ends.lifetime_number
    group by
        movements.month_start,
        movements.plan_tier,
        subscribers.country_code,
        subscribers.acquisition_channel

),

combinations as (

    select
        plan_tier,
        country_code,
        acquisition_channel,
        min(month_start) as first_month
    from monthly_totals
    group by plan_tier, country_code, acquisition_channel

),

-- a combination that had somebody once has a row in every later month
combination_months as (

    select
        months.month_start,
        months.is_complete,
        combinations.plan_tier,
        combinations.country_code,
        combinations.acquisition_channel
    from combinations
    inner join months
        on combinations.first_month <= months.month_start

),

filled_totals as (

    select
        combination_months.month_start,
        combination_months.plan_tier,
        combination_months.country_code,
        combination_months.acquisition_channel,
        combination_months.is_complete,
        {%- for category in categories %}
        cast(coalesce(monthly_totals.{{ category }}_mrr_amount, 0) as decimal(18, 4))
            as {{ category }}_mrr_amount,
        {%- endfor %}
        {%- for measure in [
            'new', 'reactivated', 'churned', 'voluntary_churned', 'involuntary_churned',
            'other_churned', 'transferred_in', 'transferred_out',
        ] %}
        coalesce(monthly_totals.{{ measure }}_lifetimes, 0) as {{ measure }}_lifetimes,
        {%- endfor %}
        cast(coalesce(monthly_totals.mrr_change_amount, 0) as decimal(18, 4)) as mrr_change_amount,
        cast(coalesce(monthly_totals.lifetimes_change, 0) as bigint) as lifetimes_change
    from combination_months
    left join monthly_totals
        on
            combination_months.month_start = monthly_totals.month_start
            and combination_months.plan_tier = monthly_totals.plan_tier
            and combination_months.country_code = monthly_totals.country_code
            and combination_months.acquisition_channel = monthly_totals.acquisition_channel

),

running_totals as (

    select
        filled_totals.*,
        cast(
            sum(mrr_change_amount) over (
                partition by plan_tier, country_code, acquisition_channel
                order by month_start
                rows between unbounded preceding and current row
            ) as decimal(18, 4)
        ) as closing_mrr_amount,
        cast(
            sum(lifetimes_change) over (
                partition by plan_tier, country_code, acquisition_channel
                order by month_start
                rows between unbounded preceding and current row
            ) as bigint
        ) as closing_lifetimes
    from filled_totals

)

select * from running_totals
