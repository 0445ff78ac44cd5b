{%- set stages = {
    'reach': ['contacted_accounts', 'closing_accounts'],
    'acquisition': ['new_subscribers', 'opening_subscribers'],
    'conversion': ['converted_trials', 'decided_trials'],
    'retention': ['kept_subscribers', 'opening_subscribers'],
    'loyalty': ['loyal_subscribers', 'closing_subscribers'],
    'advocacy': ['referred_sign_ups', 'sign_ups'],
} -%}

with

account_months as (

    select * from {{ ref('int_lifecycle__account_months') }}

),

churn_months as (

    select * from {{ ref('churn_monthly') }}

),

trials as (

    select * from {{ ref('int_lifecycle__trials') }}

),

loyal_months as (

    select * from {{ ref('int_lifecycle__loyal_months') }}

),

targets as (

    select * from {{ ref('lifecycle_targets') }}

),

churn_totals as (

    select
        month_start,
        cast(sum(opening_subscribers) as bigint) as opening_subscribers,
        cast(sum(new_subscribers) as bigint) as new_subscribers,
        cast(sum(opening_subscribers - churned_from_opening) as bigint) as kept_subscribers
    from churn_months
    group by month_start

),

-- an open trial has decided nothing
trial_totals as (

    select
        end_month as month_start,
        count(*) filter (where outcome = 'converted') as converted_trials,
        count(*) as decided_trials
    from trials
    where outcome <> 'pending'
    group by end_month

),

month_counts as (

    select
        account_months.month_start,
        account_months.is_complete,
        account_months.contacted_accounts,
        account_months.closing_accounts,
        account_months.referred_sign_ups,
        account_months.sign_ups,
        {%- for measure in ['opening_subscribers', 'new_subscribers', 'kept_subscribers'] %}
        coalesce(churn_totals.{{ measure }}, 0) as {{ measure }},
        {%- endfor %}
        coalesce(trial_totals.converted_trials, 0) as converted_trials,
        coalesce(trial_totals.decided_trials, 0) as decided_trials,
        coalesce(loyal_months.loyal_subscribers, 0) as loyal_subscribers,
        coalesce(loyal_months.closing_subscribers, 0) as closing_subscribers
    from account_months
    left join churn_totals
        on account_months.month_start = churn_totals.month_start
    left join trial_totals
        on account_months.month_start = trial_totals.month_start
    left join loyal_months
        on account_months.month_start = loyal_months.month_start

),

stage_counts as (
    {% for stage, counts in stages.items() %}
    select
        month_start,
        '{{ stage }}' as stage,
        {{ counts[0] }} as numerator,
        {{ counts[1] }} as denominator,
        is_complete
    from month_counts
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

stage_rates as (

    select
        stage_counts.*,
        case when is_complete then cast(numerator as double) / nullif(denominator, 0) end
            as stage_rate
    from stage_counts

),

funnel as (

    select
        stage_rates.month_start,
        stage_rates.stage,
        targets.stage_number,
        targets.metric,
        stage_rates.numerator,
        stage_rates.denominator,
        stage_rates.stage_rate,
        targets.target_rate,
        stage_rates.stage_rate >= targets.target_rate as is_on_target,
        stage_rates.is_complete
    from stage_rates
    inner join targets
        on stage_rates.stage = targets.stage

)

select * from funnel
