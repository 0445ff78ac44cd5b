{#
    Makes the tables that Python fits where there are none yet, typed and empty, so that the models that
    stand on them can be built before anything was fitted. One statement a call, as Spark takes them.
#}
{% macro lay_fitted_tables() %}
    {%- if execute -%}
        {%- for table in graph.sources.values() if table.source_name == 'fitted' %}
            {%- if loop.first %}
                {%- do run_query('create schema if not exists ' ~ table.schema) %}
            {%- endif %}
            {%- set columns = [] %}
            {%- for column in table.columns.values() %}
                {%- do columns.append(column.name ~ ' ' ~ column.data_type) %}
            {%- endfor %}
            {%- do run_query(
                'create table if not exists ' ~ table.relation_name ~ ' (' ~ columns | join(', ') ~ ')'
            ) %}
        {%- endfor %}
    {%- endif -%}
{% endmacro %}
