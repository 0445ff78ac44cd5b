{#
    64 bits of a text: what tells keys apart in a table too large to sort their texts. Two texts may
    share one, so whoever meets an equal pair still has to compare the texts.
#}
{% macro key_hash(text) -%}
    {{ return(adapter.dispatch('key_hash')(text)) }}
{%- endmacro %}

{% macro duckdb__key_hash(text) -%}
    hash({{ text }})
{%- endmacro %}

{% macro spark__key_hash(text) -%}
    xxhash64({{ text }})
{%- endmacro %}
