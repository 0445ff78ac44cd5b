{# A billing period in words: `month`, `3 months`; null where either is. #}
{% macro billing_period(unit, count) -%}
    case
        when {{ count }} = 1 then {{ unit }}
        else cast({{ count }} as string) || ' ' || {{ unit }} || 's'
    end
{%- endmacro %}
