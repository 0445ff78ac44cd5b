{# Figures that count or measure something and can't be below 0. #}
{% test never_negative(model, columns) %}

select
    {{ columns | join(', ') }}
from {{ model }}
where
    {%- for column in columns %}
    {{ 'or ' if not loop.first }}{{ column }} < 0
    {%- endfor %}

{% endtest %}
