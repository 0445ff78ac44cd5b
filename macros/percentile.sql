{# The value below which a share of the known values lie, interpolated; null where none is known. #}
{% macro percentile(value, share) -%}
    {{ return(adapter.dispatch('percentile')(value, share)) }}
{%- endmacro %}

{% macro duckdb__percentile(value, share) -%}
    quantile_cont(cast({{ value }} as double), {{ share }})
{%- endmacro %}

{% macro spark__percentile(value, share) -%}
    percentile({{ value }}, {{ share }})
{%- endmacro %}


{#
    The same of values that come once each, in the order of which the first has `first_index` and the
    last of all `last_index`: in memory for the values, not for all that have them.
#}
{% macro percentile_of_counted(value, share) -%}
    {%- set lower = 'max(' ~ value ~ ') filter (where first_index <= floor(' ~ share ~ ' * last_index))' -%}
    {%- set upper = 'max(' ~ value ~ ') filter (where first_index <= ceil(' ~ share ~ ' * last_index))' -%}
    cast({{ lower }} as double)
    + (cast({{ upper }} as double) - cast({{ lower }} as double))
    * (cast({{ share }} as double) * max(last_index) - floor({{ share }} * max(last_index)))
{%- endmacro %}
