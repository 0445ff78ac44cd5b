{#
    Makes the tables that Python fits where there are none yet, typed and empty, so that the models that
    stand on them can be built before anything was fitted.
#}
{% macro lay_fitted_tables() %}
    {%- if execute -%}
        {%- for table in graph.sources.values() if table.source_name == 'fitted' %}
            {%- if loop.first %}
            create schema if not exists {{ table.schema }};
            {%- endif %}
            create table if not exists {{ table.relation_name }} (
                {%- for column in table.columns.values() %}
                {{ column.name }} {{ column.data_type }}{{ ',' if not loop.last }}
                {%- endfor %}
            );
        {%- endfor %}
    {%- endif -%}
{% endmacro %}
