{#
    A table and a view as DuckDB makes them: in place of the one that stands, in one transaction.
    dbt-duckdb makes each under another name and renames it, as databases without such transactions
    need: four more statements a model, which for a small service is a tenth of a build.
#}
{% materialization table, adapter='duckdb', supported_languages=['sql'] %}
    {{ return(make_in_place('table')) }}
{% endmaterialization %}


{% materialization view, adapter='duckdb' %}
    {{ return(make_in_place('view')) }}
{% endmaterialization %}


{# Makes the model a relation of that type, whatever stands in its place; says which, as dbt asks. #}
{% macro make_in_place(type) %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type=type) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- call statement('main') -%}
        {%- if existing is not none %}
            drop {{ existing.type }} {{ existing }};
        {% endif -%}
        {%- if type == 'table' %}
            {{ create_table_as(False, target, compiled_code) }}
        {%- else %}
            {{ get_create_view_as_sql(target, compiled_code) }}
        {%- endif -%}
    {%- endcall -%}

    {%- do persist_docs(target, model) -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [target]}) }}
{% endmacro %}
