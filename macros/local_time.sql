{# What a clock on the wall of the reporting time zone shows at an instant of UTC. #}
{% macro local_timestamp(instant) -%}
    {{ return(adapter.dispatch('local_timestamp')(instant)) }}
{%- endmacro %}

{% macro duckdb__local_timestamp(instant) -%}
    {%- if var('reporting_timezone') == 'UTC' -%}
        {{ instant }}
    {%- else -%}
        timezone('{{ var("reporting_timezone") }}', timezone('UTC', {{ instant }}))
    {%- endif -%}
{%- endmacro %}

{% macro spark__local_timestamp(instant) -%}
    from_utc_timestamp({{ instant }}, '{{ var("reporting_timezone") }}')
{%- endmacro %}


{# The instant of UTC at which that clock shows a time; of two such instants, the engine's choice. #}
{% macro utc_timestamp(local_time) -%}
    {{ return(adapter.dispatch('utc_timestamp')(local_time)) }}
{%- endmacro %}

{% macro duckdb__utc_timestamp(local_time) -%}
    {%- if var('reporting_timezone') == 'UTC' -%}
        {{ local_time }}
    {%- else -%}
        timezone('UTC', timezone('{{ var("reporting_timezone") }}', {{ local_time }}))
    {%- endif -%}
{%- endmacro %}

{% macro spark__utc_timestamp(local_time) -%}
    to_utc_timestamp({{ local_time }}, '{{ var("reporting_timezone") }}')
{%- endmacro %}


{% macro local_date(instant) -%}
    cast({{ local_timestamp(instant) }} as date)
{%- endmacro %}


{% macro local_month(instant) -%}
    {{ month_start(local_timestamp(instant)) }}
{%- endmacro %}


{% macro month_start(day) -%}
    cast(date_trunc('month', {{ day }}) as date)
{%- endmacro %}


{#
    The first instant of a local day. Where the clock goes back to midnight, midnight comes twice
    and the first one counts: it is the one with the offset that held at noon of the day before.
    Where that instant is not on the day (the clock goes back from midnight, or midnight is skipped
    with the whole day), the engine's own reading is the only one.
#}
{% macro first_instant(day) -%}
    {%- set midnight = "cast(" ~ day ~ " as timestamp)" -%}
    {%- set noon_before = "(" ~ midnight ~ " - interval 12 hour)" -%}
    {%- set by_offset_before = "(" ~ utc_timestamp(noon_before) ~ " + interval 12 hour)" -%}
    {%- if var('reporting_timezone') == 'UTC' -%}
        {{ midnight }}
    {%- else -%}
        case
            when {{ local_date(by_offset_before) }} = {{ day }} then {{ by_offset_before }}
            else {{ utc_timestamp(midnight) }}
        end
    {%- endif -%}
{%- endmacro %}
