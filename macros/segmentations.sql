{# The segmentations, each a column of the segments' models: everybody is in one segment of each. #}
{% macro segmentations() -%}
    {{ return([
        'lifecycle_stage', 'engagement_tier', 'rfm_segment', 'value_tier', 'payment_behaviour',
        'taste', 'household',
    ]) }}
{%- endmacro %}
