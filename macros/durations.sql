{# Microseconds from one timestamp to a later one, an integer. #}
{% macro microseconds_between(started_at, ended_at) -%}
    {{ return(adapter.dispatch('microseconds_between')(started_at, ended_at)) }}
{%- endmacro %}

{% macro duckdb__microseconds_between(started_at, ended_at) -%}
    date_diff('microsecond', {{ started_at }}, {{ ended_at }})
{%- endmacro %}

{% macro spark__microseconds_between(started_at, ended_at) -%}
    (unix_micros({{ ended_at }}) - unix_micros({{ started_at }}))
{%- endmacro %}


{# A sum of microseconds: those of four million subscribers' month are beyond 64 bits. #}
{% macro sum_of_microseconds(microseconds) -%}
    {{ return(adapter.dispatch('sum_of_microseconds')(microseconds)) }}
{%- endmacro %}

{% macro duckdb__sum_of_microseconds(microseconds) -%}
    sum({{ microseconds }})
{%- endmacro %}

{% macro spark__sum_of_microseconds(microseconds) -%}
    sum(cast({{ microseconds }} as decimal(19, 0)))
{%- endmacro %}


{# Days from one date to a later one, an integer. #}
{% macro days_between(first_date, last_date) -%}
    {{ return(adapter.dispatch('days_between')(first_date, last_date)) }}
{%- endmacro %}

{% macro duckdb__days_between(first_date, last_date) -%}
    date_diff('day', {{ first_date }}, {{ last_date }})
{%- endmacro %}

{% macro spark__days_between(first_date, last_date) -%}
    datediff({{ last_date }}, {{ first_date }})
{%- endmacro %}


{# Months from the month of one date to that of another, by their numbers in the calendar. #}
{% macro months_between(first_date, last_date) -%}
    (
        (extract(year from {{ last_date }}) - extract(year from {{ first_date }})) * 12
        + extract(month from {{ last_date }}) - extract(month from {{ first_date }})
    )
{%- endmacro %}


{% macro next_day(day) -%}
    cast({{ day }} + interval 1 day as date)
{%- endmacro %}


{% macro next_month(day) -%}
    cast({{ day }} + interval 1 month as date)
{%- endmacro %}
