{% macro as_of() -%}
    {# the knowledge horizon: what is recorded or happens from it on does not exist yet #}
    (select as_of from {{ ref('stg_clock') }})
{%- endmacro %}


{# Whether a row of the raw data exists at the horizon: a time that it lacks keeps no row out. #}
{% macro exists_at_horizon(recorded_at, event_at=none) -%}
    coalesce({{ recorded_at }} < {{ as_of() }}, true)
    {%- if event_at %}
    and coalesce({{ event_at }} < {{ as_of() }}, true)
    {%- endif %}
{%- endmacro %}


{# Whether a row is recorded, or happens, at the horizon or later. #}
{% macro is_beyond_horizon(recorded_at, event_at=none) -%}
    {%- if event_at -%}
        ({{ recorded_at }} >= {{ as_of() }} or {{ event_at }} >= {{ as_of() }})
    {%- else -%}
        {{ recorded_at }} >= {{ as_of() }}
    {%- endif -%}
{%- endmacro %}
