{# One row per day, in a column `calendar_date`, from the first to the last of two dates, both included. #}
{% macro day_series(relation, first_day, last_day) -%}
    {{ return(adapter.dispatch('day_series')(relation, first_day, last_day)) }}
{%- endmacro %}

{% macro duckdb__day_series(relation, first_day, last_day) -%}
    select cast(unnest(generate_series({{ first_day }}, {{ last_day }}, interval 1 day)) as date) as calendar_date
    from {{ relation }}
    where {{ first_day }} is not null
{%- endmacro %}

{% macro spark__day_series(relation, first_day, last_day) -%}
    select explode(sequence({{ first_day }}, {{ last_day }}, interval 1 day)) as calendar_date
    from {{ relation }}
    where {{ first_day }} is not null
{%- endmacro %}
