{#- name, the kind of spell that it counts, numerator and denominator in the counts of that kind -#}
{%- set definitions = [
    ('tenure', 'lifetime', 'ended_from_opening', 'opening_spells'),
    ('antenna', 'cancellation', 'ended_spells', 'opening_spells'),
    ('antenna_net', 'cancellation', 'ended_spells - resubscribed_spells', 'opening_spells'),
    ('chartmogul', 'lifetime', 'lost_from_opening', 'opening_spells'),
    ('recurly', 'lifetime', 'ended_spells', 'opening_spells'),
    ('stripe', 'subscriber', 'ended_spells', 'opening_spells + started_spells'),
    ('revenuecat', 'subscription', 'ended_spells - resubscribed_spells', 'opening_spells'),
    ('cleeng', 'lifetime', 'lost_spells', 'opening_spells + joining_spells'),
    ('fight_churn', 'first_instant', 'ended_from_opening', 'opening_spells'),
] -%}

with

months as (

    select * from {{ ref('int_calendar__months') }}

),

spell_months as (

    select * from {{ ref('int_churn__spell_months') }}

),

membership_expiries as (

    select * from {{ ref('int_churn__membership_expiries') }}

),

access_months as (

    select * from {{ ref('int_subscriptions__access_months') }}

),

paying_time as (

    select
        month_start,
        {{ sum_of_microseconds('paying_microseconds') }} as paying_microseconds
    from access_months
    group by month_start

),

expiries as (

    select
        month_start,
        count(*) as expired_memberships,
        count(*) filter (where is_churned) as churned_memberships
    from membership_expiries
    group by month_start

),

fractions as (

    {%- for name, kind, numerator, denominator in definitions %}
    select
        month_start,
        '{{ name }}' as definition,
        {{ numerator }} as numerator,
        cast({{ denominator }} as double) as denominator
    from spell_months
    where kind = '{{ kind }}'
    union all
    {%- endfor %}
    -- per customer and day, times the days of the month: the mean number of customers
    select
        months.month_start,
        'recurly_customer_days' as definition,
        spell_months.ended_spells as numerator,
        cast(coalesce(paying_time.paying_microseconds, 0) as double)
        / {{ microseconds_between('months.started_at', 'months.elapsed_until_at') }} as denominator
    from months
    inner join spell_months
        on months.month_start = spell_months.month_start
    left join paying_time
        on months.month_start = paying_time.month_start
    where spell_months.kind = 'lifetime'
    union all
    select
        months.month_start,
        'kkbox' as definition,
        coalesce(expiries.churned_memberships, 0) as numerator,
        cast(coalesce(expiries.expired_memberships, 0) as double) as denominator
    from months
    left join expiries
        on months.month_start = expiries.month_start

),

churn_rates as (

    select
        fractions.month_start,
        fractions.definition,
        cast(fractions.numerator as bigint) as numerator,
        fractions.denominator,
        case
            -- who pays at the next month's first instant is known once that is past
            when fractions.definition = 'fight_churn' and months.ended_at >= {{ as_of() }}
                then null
            when
                fractions.definition = 'kkbox'
                and months.ended_at + interval 30 day > {{ as_of() }}
                then null
            when months.is_complete
                then fractions.numerator / nullif(fractions.denominator, 0)
        end as rate,
        months.is_complete
    from fractions
    inner join months
        on fractions.month_start = months.month_start

)

select * from churn_rates
