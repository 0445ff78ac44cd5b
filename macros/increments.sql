{#
    Whether this build adds to the tables of the last one. Only who knows that the last one was whole,
    and what has come since, can say so: `tenure run` does, in the environment, since another var would
    have the whole project parsed anew. Otherwise everything is built anew.
#}
{% macro is_increment() -%}
    {{ return(execute and not flags.FULL_REFRESH and env_var('TENURE_INCREMENT', 'no') == 'yes') }}
{%- endmacro %}


{#
    What is built anew by whoever runs dbt is none that `tenure run` may add to, nor one that may be
    released: it takes the notes away that say so.
#}
{% macro forget_ground() -%}
    {%- if execute and not is_increment() -%}
        {{ return(adapter.dispatch('forget_ground')()) }}
    {%- endif -%}
{%- endmacro %}

{% macro duckdb__forget_ground() -%}
    create schema if not exists bookkeeping;
    drop table if exists bookkeeping.grounds;
    create table if not exists bookkeeping.completed_steps (step varchar primary key);
    delete from bookkeeping.completed_steps
{%- endmacro %}


{# dbt asks it of each incremental model. #}
{% macro should_full_refresh() %}
    {{ return(not is_increment()) }}
{% endmacro %}


{#
    Takes the rows out of a table that an increment makes anew: those of touched months, and those of
    ids that stand for nobody any more or for somebody else. `month` is SQL of a row's month; a table
    without ids has no `subscriber_id`. The refs stand outside of the condition, where dbt sees them,
    and that of the portions in which such a table is made with them.
#}
{% macro forget_touched(month, of_subscribers=true) -%}
    {%- set touched_months, months = ref('int_viewing__touched_months'), ref('int_calendar__months') -%}
    {%- set replaced_ids = ref('int_viewing__replaced_ids') if of_subscribers -%}
    {%- do ref('int_viewing__build_portions') -%}
    {%- if is_increment() -%}
        {{ return(adapter.dispatch('forget_touched')(month, touched_months, months, replaced_ids)) }}
    {%- endif -%}
{%- endmacro %}

{% macro duckdb__forget_touched(month, touched_months, months, replaced_ids) -%}
    delete from {{ this }}
    where
        {{ month }} in (select month_start from {{ touched_months }})
        -- a month that is none any more has lost what it began with, perhaps with all others
        or {{ month }} not in (select month_start from {{ months }})
        {%- if replaced_ids %}
        or subscriber_id in (select subscriber_id from {{ replaced_ids }})
        {%- endif %}
{%- endmacro %}


{# The rows of such a table that the build has made; `month` is the date or month of a row. #}
{% macro made_anew(table, month) -%}
    {%- set touched_months = ref('int_viewing__touched_months') -%}
    {%- set replaced_ids = ref('int_viewing__replaced_ids') -%}
    {%- if is_increment() -%}
    (
        select * from {{ table }}
        where
            {{ month_start(month) }} in (select month_start from {{ touched_months }})
            or subscriber_id in (select subscriber_id from {{ replaced_ids }})
    ) as made_anew
    {%- else -%}
    {{ table }}
    {%- endif -%}
{%- endmacro %}


{# As `forget_touched`, for the days of the profile of playback. #}
{% macro forget_touched_dates() -%}
    {%- set touched_dates = ref('stg_profiles__touched_dates') -%}
    {%- if is_increment() -%}
        {{ return(adapter.dispatch('forget_touched_dates')(touched_dates)) }}
    {%- endif -%}
{%- endmacro %}

{% macro duckdb__forget_touched_dates(touched_dates) -%}
    delete from {{ this }}
    where profile_date in (select profile_date from {{ touched_dates }})
{%- endmacro %}


{% macro know_touched_dates() -%}
    {%- set touched_dates = ref('stg_profiles__touched_dates') -%}
    {%- if is_increment() -%}
        {{ return(adapter.dispatch('know_touched_dates')(touched_dates)) }}
    {%- endif -%}
{%- endmacro %}

{% macro duckdb__know_touched_dates(touched_dates) -%}
    set variable profiled_from = (select min(profile_date) from {{ touched_dates }});
    set variable profiled_until = (
        select max(profile_date) + interval 1 day from {{ touched_dates }}
    )
{%- endmacro %}


{# Whether what arrived at an instant can be of a day that is profiled anew. #}
{% macro within_touched_dates(instant) -%}
    {{ return(adapter.dispatch('within_touched_dates')(instant)) }}
{%- endmacro %}

{% macro duckdb__within_touched_dates(instant) -%}
    {{ instant }} >= getvariable('profiled_from')
    and {{ instant }} < getvariable('profiled_until')
{%- endmacro %}
