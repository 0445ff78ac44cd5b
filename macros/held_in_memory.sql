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
