{#
    Rows with a `plan_tier` once as part of all, and once in their tier; what belongs to no paid tier is
    `not_paying`. Adds `stratum` and `stratum_value`.
#}
{% macro plan_tier_strata(relation) -%}
    select
        {{ relation }}.*,
        'overall' as stratum,
        'all' as stratum_value
    from {{ relation }}
    union all
    select
        {{ relation }}.*,
        'plan_tier' as stratum,
        coalesce(plan_tier, 'not_paying') as stratum_value
    from {{ relation }}
{%- endmacro %}
