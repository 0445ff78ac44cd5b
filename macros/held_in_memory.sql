{#
    The database in which tables that know both ids of an erased subscriber are made: one in memory,
    which is gone with the build. What was dropped from a file would still lie in its free blocks.
#}
{% macro generate_database_name(custom_database_name=none, node=none) -%}
    {%- if target.name == 'embedded' and custom_database_name -%}
        {{ custom_database_name }}
    {%- else -%}
        {{ target.database }}
    {%- endif -%}
{%- endmacro %}


{#
    Spark has no such place: there these tables are made beside the others and dropped with their files,
    before a build and after each part of it.
#}
{% macro drop_forgotten() -%}
    {{ return(adapter.dispatch('drop_forgotten')()) }}
{%- endmacro %}

{% macro duckdb__drop_forgotten() %}{% endmacro %}

{% macro spark__drop_forgotten() -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() if node.config.database == 'forgotten' -%}
            {%- do run_query('create schema if not exists ' ~ node.schema) -%}
            {%- do run_query('drop table if exists ' ~ node.schema ~ '.' ~ node.alias) -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
