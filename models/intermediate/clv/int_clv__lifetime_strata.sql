with

lifetime_renewals as (

    select * from {{ ref('int_clv__lifetime_renewals') }}

),

-- a renewal after a month and one after a year are different things: no stratum takes in both
lifetime_strata as (
    {% for tier, band, parent_band in [
        ('plan_tier', 'lifetime_band', 'lifetime_band'),
        ("'all tiers'", 'lifetime_band', "'all'"),
        ("'all tiers'", "'all'", none),
    ] %}
    {%- if not loop.first %}
    union all
    {% endif %}
    select
        subscriber_id,
        lifetime_number,
        {{ lifetime_stratum(tier, band) }} as stratum_id,
        {%- if parent_band is none %}
        cast(null as string) as parent_stratum_id,
        {%- else %}
        {{ lifetime_stratum("'all tiers'", parent_band) }} as parent_stratum_id,
        {%- endif %}
        {{ tier }} as plan_tier,
        billing_period_unit,
        billing_period_count,
        {{ band }} as lifetime_band,
        renewals,
        renewals_so_far,
        has_churned,
        period
    from lifetime_renewals
    {%- endfor %}

)

select * from lifetime_strata
