{#
    The end of an interval, or the end of all time where it goes on. A join on `or … is null` is no
    comparison to an engine, which then compares every row with every other.
#}
{% macro open_end(ended, type='timestamp') -%}
    coalesce({{ ended }}, {{ type }} '9999-12-31{{ " 00:00:00" if type == "timestamp" }}')
{%- endmacro %}
