{% macro as_of() -%}
    {# the knowledge horizon: what is recorded or happens from it on does not exist yet #}
    (select as_of from {{ ref('stg_clock') }})
{%- endmacro %}
