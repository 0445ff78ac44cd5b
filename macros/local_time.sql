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


{#
    The local date of one of many instants, as `local_date` has it. To ask the time zone takes ten times as long as
    to read the instant, so the row of its UTC date says it, which `join_utc_dates` joins by that name; where
    there is none, the zone is asked.
#}
{% macro local_date_of(instant, utc_dates) -%}
    {%- if var('reporting_timezone') == 'UTC' -%}
        {{ local_date(instant) }}
    {%- else -%}
        case
            when {{ instant }} < {{ utc_dates }}.later_started_at then {{ utc_dates }}.earlier_date
            when {{ instant }} >= {{ utc_dates }}.later_started_at then {{ utc_dates }}.later_date
            else {{ local_date(instant) }}
        end
    {%- endif -%}
{%- endmacro %}

{% macro join_utc_dates(instant, alias) -%}
    {%- set utc_dates = ref('int_calendar__utc_dates') -%}
    {%- if var('reporting_timezone') != 'UTC' -%}
        left join {{ utc_dates }} as {{ alias }}
        on cast({{ instant }} as date) = {{ alias }}.utc_date
    {%- endif -%}
{%- endmacro %}


{% macro local_month(instant) -%}
    {{ month_start(local_timestamp(instant)) }}
{%- endmacro %}


{% macro month_start(day) -%}
    cast(date_trunc('month', {{ day }}) as date)
{%- endmacro %}


{# Whether a day is one of the 28 before the first of the next month: none is of the month before. #}
{% macro is_at_month_end(day) -%}
    extract(day from {{ day }}) > extract(day from last_day({{ day }})) - 28
{%- endmacro %}


{#
    The first instant of a local day: the earlier of midnight by the offset of the noon before and
    midnight by that of its own noon, of those that lie on the day. Where midnight comes twice that is
    the first one; where it is skipped, or the hour before it, the instant of the jump. A day that is
    skipped whole has neither, and is given no length by the engine's own reading.
#}
{% macro first_instant(day) -%}
    {%- set midnight = "cast(" ~ day ~ " as timestamp)" -%}
    {%- set by_noon_before =
        "(" ~ utc_timestamp("(" ~ midnight ~ " - interval 12 hour)") ~ " + interval 12 hour)" -%}
    {%- set by_own_noon =
        "(" ~ utc_timestamp("(" ~ midnight ~ " + interval 12 hour)") ~ " - interval 12 hour)" -%}
    {%- if var('reporting_timezone') == 'UTC' -%}
        {{ midnight }}
    {%- else -%}
        coalesce(
            least(
                case when {{ local_date(by_noon_before) }} = {{ day }} then {{ by_noon_before }} end,
                case when {{ local_date(by_own_noon) }} = {{ day }} then {{ by_own_noon }} end
            ),
            {{ utc_timestamp(midnight) }}
        )
    {%- endif -%}
{%- endmacro %}
