{#
    The id of a stratum of lifetimes: plan tier, billing period and lifetime band, of which the first
    and the last may be the text that stands for all.
#}
{% macro lifetime_stratum(plan_tier, lifetime_band) -%}
    {{ plan_tier }} || ' | '
    || {{ billing_period('billing_period_unit', 'billing_period_count') }}
    || ' | ' || {{ lifetime_band }}
{%- endmacro %}
