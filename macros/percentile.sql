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
