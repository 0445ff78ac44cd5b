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


{# Whether an instant, or either of two, is the horizon or later. #}
{% macro is_beyond_horizon(instant, other_instant=none) -%}
    {%- if other_instant -%}
        ({{ instant }} >= {{ as_of() }} or {{ other_instant }} >= {{ as_of() }})
    {%- else -%}
        {{ instant }} >= {{ as_of() }}
    {%- endif -%}
{%- endmacro %}
