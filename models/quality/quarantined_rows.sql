{%- set judged_tables = raw_table_models() -%}

with

{% for table_name, model_name in judged_tables.items() %}
{{ table_name }} as (

    select
        '{{ table_name }}' as table_name,
        row_key,
        broken_rule as rule,
        row_json,
        recorded_at
    from {{ ref(model_name) }}
    where
        broken_rule is not null
        and (version_rank = 1 or version_rank is null)

),

{% endfor %}

quarantine_rules as (

    select * from {{ ref('quarantine_rules') }}

),

rejected_rows as (

    {% for table_name in judged_tables %}
    select * from {{ table_name }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

explained_rows as (

    select
        rejected_rows.table_name,
        rejected_rows.row_key,
        rejected_rows.rule,
        quarantine_rules.rule_number,
        quarantine_rules.reason,
        rejected_rows.row_json,
        rejected_rows.recorded_at
    from rejected_rows
    inner join quarantine_rules
        on rejected_rows.rule = quarantine_rules.rule

)

select * from explained_rows
