{#
    Tables that grow with the plays are made in portions of months, one after another, so that the groups
    of one stay in memory however long the history is: model `int_viewing__build_portions` says which.
    That many plays are a portion, and those of a month are never in two.
#}
{% macro plays_of_a_portion() -%}
    {{ env_var('TENURE_PORTION_PLAYS', '9000000') | as_number }}
{%- endmacro %}


{# Whether a month is of the portion that is being made; any is where a table is made at once. #}
{% macro is_of_portion(month) -%}
    {{ return(adapter.dispatch('is_of_portion')(month)) }}
{%- endmacro %}

{% macro duckdb__is_of_portion(month) -%}
    {{ month }} >= coalesce(getvariable('portion_first_month'), date '-infinity')
    and {{ month }} < coalesce(getvariable('portion_next_month'), date 'infinity')
{%- endmacro %}

{# what is too much for memory is on the disks of all executors there: it makes a table at once #}
{% macro spark__is_of_portion(month) -%}
    true
{%- endmacro %}


{#
    Whether something that happens from one instant to another can be of that portion, so that whatever
    can't be is not read: the engine leaves out what it can tell from constants, and can't from a join.
#}
{% macro may_be_of_portion(started_at, ended_at) -%}
    {{ return(adapter.dispatch('may_be_of_portion')(started_at, ended_at)) }}
{%- endmacro %}

{% macro duckdb__may_be_of_portion(started_at, ended_at) -%}
    {{ started_at }} < coalesce(getvariable('portion_latest_at'), timestamp 'infinity')
    and {{ ended_at }} >= coalesce(getvariable('portion_earliest_at'), timestamp '-infinity')
{%- endmacro %}

{# a query that returns one value is a constant there to whoever reads the raw files #}
{% macro spark__may_be_of_portion(started_at, ended_at) -%}
    {%- set portions = ref('int_viewing__build_portions') -%}
    {{ started_at }} < (select max(latest_at) from {{ portions }})
    and {{ ended_at }} >= (select min(earliest_at) from {{ portions }})
{%- endmacro %}


{#
    The same for what stands below the model of portions: while a portion is being made, nobody reads a
    session that can't be of it.
#}
{% macro is_read_of_portion(started_at, ended_at) -%}
    {{ return(adapter.dispatch('is_read_of_portion')(started_at, ended_at)) }}
{%- endmacro %}

{% macro duckdb__is_read_of_portion(started_at, ended_at) -%}
    {{ duckdb__may_be_of_portion(started_at, ended_at) }}
{%- endmacro %}

{% macro spark__is_read_of_portion(started_at, ended_at) -%}
    true
{%- endmacro %}


{#
    Whether a key of this hash is of the portion of keys that is being made; any is where a table is made at
    once. The hash is hashed again: the engine's own tables of groups go by the first one.
#}
{% macro is_of_key_portion(key_hash) -%}
    {{ return(adapter.dispatch('is_of_key_portion')(key_hash)) }}
{%- endmacro %}

{% macro duckdb__is_of_key_portion(key_hash) -%}
    (
        getvariable('portion_key_divisor') is null
        or hash({{ key_hash }}) % cast(getvariable('portion_key_divisor') as ubigint)
        = getvariable('portion_key_remainder')
    )
{%- endmacro %}

{% macro spark__is_of_key_portion(key_hash) -%}
    true
{%- endmacro %}
