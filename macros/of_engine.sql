{# Of two ways to say something, that of the engine. #}
{% macro of_engine(duckdb, spark) -%}
    {{ return(adapter.dispatch('of_engine')(duckdb, spark)) }}
{%- endmacro %}

{% macro duckdb__of_engine(duckdb, spark) -%}
    {{ return(duckdb) }}
{%- endmacro %}

{% macro spark__of_engine(duckdb, spark) -%}
    {{ return(spark) }}
{%- endmacro %}
