{# The closed lists of playback; they only describe, and what they do not know reads as `other`. #}
{% macro device_types() -%}
    {{ return(['tv', 'mobile', 'tablet', 'web', 'console']) }}
{%- endmacro %}


{% macro end_causes() -%}
    {{ return(['completed', 'stopped', 'error', 'startup_failure']) }}
{%- endmacro %}
