{#
    Drops the tables that know both the old and the new id of an erased subscriber, as soon as every
    table that needed them stands. What is left links the two no more.
#}
{% macro forget_erased_ids() %}
    {%- if execute -%}
        {%- for node in graph.nodes.values()
            if node.resource_type == 'model' and node.config.meta.get('is_forgotten_after_run') %}
            drop table if exists {{ node.relation_name }};
        {%- endfor %}
    {%- endif -%}
{% endmacro %}
