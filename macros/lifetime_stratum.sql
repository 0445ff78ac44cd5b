{#
    The id of a stratum of lifetimes: plan tier, billing period and lifetime band, of which the first
    and the last may be the text that stands for all.
#}
{% macro lifetime_stratum(plan_tier, lifetime_band) -%}
    {{ plan_tier }} || ' | '
    || case
        when billing_period_count = 1 then billing_period_unit
        else cast(billing_period_count as string) || ' ' || billing_period_unit || 's'
    end
    || ' | ' || {{ lifetime_band }}
{%- endmacro %}
