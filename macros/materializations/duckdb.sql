{#
    Tables and views as DuckDB makes them: in place of what stands, in one transaction. dbt-duckdb makes each
    under another name and renames it, and what is added goes through a table of its own, as databases
    without such transactions need: four more statements a model, which for a small service is a tenth of
    a build.
#}
{% materialization table, adapter='duckdb', supported_languages=['sql'] %}
    {{ return(make_in_place('table')) }}
{% endmaterialization %}


{% materialization view, adapter='duckdb' %}
    {{ return(make_in_place('view')) }}
{% endmaterialization %}


{#
    A table that grows: rows are added to the one that stands, whose `pre_hook` has taken out what is made
    anew; a full refresh makes another. Where `meta` names a model of `portions`, it is made in as many
    statements as that has rows, each with the portion's limits in variables that the SQL asks for; where it
    says `adds_at_once`, only a full refresh is.
#}
{% materialization incremental, adapter='duckdb', supported_languages=['sql'] %}
    {{ return(make_in_place('table', adds=not should_full_refresh())) }}
{% endmaterialization %}


{# Makes the model a relation of that type, whatever stands in its place; says which, as dbt asks. #}
{% macro make_in_place(type, adds=false) %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type=type) -%}
    {%- set meta = config.get('meta', {}) -%}
    {%- set portions = none if adds and meta.get('adds_at_once') else meta.get('portions') -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- call statement('main') -%}
        {%- if existing is not none and not adds %}
            drop {{ existing.type }} {{ existing }};
        {% endif -%}
        {%- if type == 'view' %}
            {{ get_create_view_as_sql(target, compiled_code) }}
        {%- endif -%}
        {%- set portions_to_make = rows_of_portions(portions) if type == 'table' else [] -%}
        {%- for portion in portions_to_make %}
            {{ know_portion(portions, portion) }}
            {%- if loop.first and (existing is none or not adds) %}
                {{ create_table_as(False, target, compiled_code) }};
            {%- else %}
                insert into {{ target }} by name (
                    {{ compiled_code }}
                );
            {%- endif %}
        {%- endfor %}
        {{ forget_portion(portions_to_make | last) }}
    {%- endcall -%}

    {%- do persist_docs(target, model) -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [target]}) }}
{% endmacro %}


{# The portions that a table is made in, as rows; one that is none where it is made at once. #}
{% macro rows_of_portions(portions) -%}
    {%- set rows = [] -%}
    {%- if portions -%}
        {%- do rows.extend(run_query('select * from ' ~ ref(portions) ~ ' order by portion').rows) -%}
    {%- endif -%}
    {{ return(rows or [none]) }}
{%- endmacro %}


{#
    SQL that lets the connection know which portion is being made: a variable for each column of the model of
    portions, named `portion_` and as the column.
#}
{% macro know_portion(portions, portion) -%}
    {%- for limit in limits_of_portion(portion) %}
        set variable portion_{{ limit }} = (
            select {{ limit }} from {{ ref(portions) }} where portion = {{ portion['portion'] }}
        );
    {%- endfor %}
{%- endmacro %}


{# SQL that lets the connection know that none is being made any more. #}
{% macro forget_portion(portion) -%}
    {%- for limit in limits_of_portion(portion) %}
        reset variable portion_{{ limit }};
    {%- endfor %}
{%- endmacro %}


{% macro limits_of_portion(portion) -%}
    {{ return((portion.keys() if portion else []) | reject('equalto', 'portion') | list) }}
{%- endmacro %}
