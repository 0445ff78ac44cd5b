{% macro generate_schema_name(custom_schema_name, node) -%}
    {# a schema is called what the project calls it: readers find `marts`, not `main_marts` #}
    {{- custom_schema_name or target.schema -}}
{%- endmacro %}
