{# Shares and probabilities, which lie between 0 and 1 where they are known. #}
{% test within_unit_interval(model, columns) %}

select
    {{ columns | join(', ') }}
from {{ model }}
where
    {%- for column in columns %}
    {{ 'or ' if not loop.first }}not coalesce({{ column }} between 0 and 1, true)
    {%- endfor %}

{% endtest %}
