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
    Takes the rows out of a table that an increment makes anew: those of touched months, which the model
    `touched` names, and those of ids that stand for nobody any more or for somebody else. `month` is SQL
    of a row's month; a table without ids has no `subscriber_id`. The refs stand outside of the condition,
    where dbt sees them, and that of the portions in which such a table is made with them.
#}
{% macro forget_touched(month, of_subscribers=true, touched='int_viewing__touched_months') -%}
    {%- set touched_months, months = ref(touched), ref('int_calendar__months') -%}
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


{#
    The rows of a table of subscribers that are of touched months or replaced ids; all of them where all is
    built anew. `date` is the column of a row's day or month. The two are apart, so that the engine leaves
    out what is of other months, and looks at no id where none is replaced. That a model reads which they
    are dbt sees in its `pre_hook`, which takes the same rows out.
#}
{% macro made_anew(
    table, date, touched='int_viewing__touched_months', alias='made_anew'
) -%}
    {%- if is_increment() -%}
    {%- set touched_months, replaced_ids = ref(touched), ref('int_viewing__replaced_ids') -%}
    {%- set month_of_row = 'rows_of_table.' ~ date -%}
    {%- if date != 'month_start' -%}
        {%- set month_of_row = month_start(month_of_row) -%}
    {%- endif -%}
    (
        select rows_of_table.*
        from {{ table }} as rows_of_table
        inner join {{ touched_months }} as touched_months
            on {{ month_of_row }} = touched_months.month_start
        union all
        select rows_of_table.*
        from {{ table }} as rows_of_table
        inner join {{ replaced_ids }} as replaced_ids
            on rows_of_table.subscriber_id = replaced_ids.subscriber_id
        left join {{ touched_months }} as touched_months
            on {{ month_of_row }} = touched_months.month_start
        where touched_months.month_start is null
    ) as {{ alias }}
    {%- else -%}
    {{ table }} as {{ alias }}
    {%- endif -%}
{%- endmacro %}


{#
    The days of sessions that an increment counts anew: those of touched months, and those of replaced ids, of
    which every session is an exception, so that no raw file is read for them. `are_within` spares to read
    what is of no such month.
#}
{% macro days_to_make_anew(
    are_within, touched='int_viewing__touched_months', are_of_replaced_ids='true'
) -%}
    select session_days.*
    from {{ ref('int_viewing__session_days') }} as session_days
    inner join {{ ref(touched) }} as touched_months
        on {{ month_start('session_days.viewing_date') }} = touched_months.month_start
    where {{ are_within }}
    union all
    select session_days.*
    from {{ ref('int_viewing__session_days') }} as session_days
    inner join {{ ref('int_viewing__replaced_ids') }} as replaced_ids
        on session_days.subscriber_id = replaced_ids.subscriber_id
    left join {{ ref(touched) }} as touched_months
        on {{ month_start('session_days.viewing_date') }} = touched_months.month_start
    where
        session_days.is_exception
        and touched_months.month_start is null
        and {{ are_of_replaced_ids }}
{%- endmacro %}


{#
    Rows of a table with each month at whose end they count, as `month_end`: those that meet the `windows`,
    which have a `month_start`, by `joined_on`, where they are called `counted`; `columns` of the windows
    come with them. An increment takes touched month ends, and the others of replaced ids alone; what these
    rows are known by besides, such as that no raw file has any, is `of_months` and `of_replaced_ids`.
#}
{% macro by_month_end(
    table, windows, joined_on, columns=[], of_months='true', of_replaced_ids='true'
) -%}
    select
        counted.*,
        {%- for column in columns %}
        windows.{{ column }},
        {%- endfor %}
        windows.month_start as month_end
    from {{ table }} as counted
    inner join {{ windows }} as windows
        on {{ joined_on }}
    {%- if is_increment() %}
    {%- set touched_month_ends = ref('int_viewing__touched_month_ends') %}
    {%- set replaced_ids = ref('int_viewing__replaced_ids') %}
    inner join {{ touched_month_ends }} as touched_month_ends
        on windows.month_start = touched_month_ends.month_start
    where {{ of_months }}
    union all
    select
        counted.*,
        {%- for column in columns %}
        windows.{{ column }},
        {%- endfor %}
        windows.month_start as month_end
    from {{ table }} as counted
    inner join {{ replaced_ids }} as replaced_ids
        on counted.subscriber_id = replaced_ids.subscriber_id
    inner join {{ windows }} as windows
        on {{ joined_on }}
    left join {{ touched_month_ends }} as touched_month_ends
        on windows.month_start = touched_month_ends.month_start
    where
        touched_month_ends.month_start is null
        and {{ of_replaced_ids }}
    {%- endif %}
{%- endmacro %}


{#
    The spans of days, from `first_date` up to `end_date`, in which what a model says of a subscriber's days is
    another than the last whole build knew. Two rows alike in the columns `alike`, which say from when on,
    differ between their ends. Replaced ids are told apart anyway.
#}
{% macro changed_spans(current, known, alike) -%}
    {%- set columns = (alike + ['end_date']) | join(', ') -%}
    select
        case
            when count(*) = 2 then min({{ open_end('changed_dates.end_date', 'date') }})
            else changed_dates.first_date
        end as first_date,
        max({{ open_end('changed_dates.end_date', 'date') }}) as end_date
    from (
        (select {{ columns }} from {{ current }} except select {{ columns }} from {{ known }})
        union all
        (select {{ columns }} from {{ known }} except select {{ columns }} from {{ current }})
    ) as changed_dates
    left join {{ ref('int_viewing__replaced_ids') }} as replaced_ids
        on changed_dates.subscriber_id = replaced_ids.subscriber_id
    where replaced_ids.subscriber_id is null
    group by
        {%- for column in alike %}
        changed_dates.{{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
{%- endmacro %}


{#
    Touched months and those that the spans of a query meet, which go from `first_date` up to `end_date`; none
    where all is built anew, and nobody asks.
#}
{% macro months_touched_by(spans) -%}
    {%- if is_increment() -%}
    select
        month_start,
        started_at,
        ended_at
    from {{ ref('int_viewing__touched_months') }}
    union distinct
    select
        months.month_start,
        months.started_at,
        months.ended_at
    from {{ ref('int_calendar__months') }} as months
    inner join {{ spans }} as spans
        on
            months.month_start < spans.end_date
            and months.next_month_start > spans.first_date
    {%- else -%}
    select
        month_start,
        started_at,
        ended_at
    from {{ ref('int_calendar__months') }}
    where false
    {%- endif -%}
{%- endmacro %}


{#
    Whether something begins while the months of a model last, or so many days before them: what can't is
    not read from the raw files, since a query of one value is a constant to their reader. A day on either
    side is for clocks that are put back at midnight.
#}
{% macro within_months(instant, touched, days_before=1) -%}
    {{ instant }} >= (select min(started_at) - interval {{ days_before }} day from {{ ref(touched) }})
    and {{ instant }} < (select max(ended_at) + interval 1 day from {{ ref(touched) }})
{%- endmacro %}


{# Whether something that happens from one instant to another can touch one of those months. #}
{% macro may_be_within_months(started_at, ended_at, touched) -%}
    {{ started_at }} < (select max(ended_at) + interval 1 day from {{ ref(touched) }})
    and {{ ended_at }} >= (select min(started_at) - interval 1 day from {{ ref(touched) }})
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


{#
    Whether a verdict of the last build may be another now, though no row of the key has come. Spark, which can
    take no row out of a file, judges all exceptions again.
#}
{% macro is_judged_again(broken_rule, is_of_erased) -%}
    {{ return(adapter.dispatch('is_judged_again')(broken_rule, is_of_erased)) }}
{%- endmacro %}

{% macro duckdb__is_judged_again(broken_rule, is_of_erased) -%}
    (coalesce({{ broken_rule }} = 'missing_reference', false) or {{ is_of_erased }})
{%- endmacro %}

{% macro spark__is_judged_again(broken_rule, is_of_erased) -%}
    true
{%- endmacro %}


{# Takes the verdicts on keys in question out of those of the last build, and on rows without a key. #}
{% macro forget_keys_in_question() -%}
    {%- set keys_in_question = ref('base_viewing__keys_in_question') -%}
    {%- do ref('base_viewing__exception_portions') -%}
    {%- if is_increment() -%}
        {{ return(adapter.dispatch('forget_keys_in_question')(keys_in_question)) }}
    {%- endif -%}
{%- endmacro %}

{% macro duckdb__forget_keys_in_question(keys_in_question) -%}
    delete from {{ this }}
    where
        session_id is null
        or session_id in (select session_id from {{ keys_in_question }})
{%- endmacro %}

{% macro spark__forget_keys_in_question(keys_in_question) %}{% endmacro %}
