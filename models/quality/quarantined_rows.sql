{%- set judged_tables = raw_table_models() -%}

with

{% for table_name, model_name in judged_tables.items() %}
{{ table_name }} as (

    select
        '{{ table_name }}' as table_name,
        row_key,
        broken_rule as rule,
        row_json,
        recorded_at,
        {% if table_name in ['subscribers', 'erasure_requests'] %}
        subscriber_id as keyed_subscriber_id,
        {% else %}
        cast(null as string) as keyed_subscriber_id,
        {% endif %}
        {% if table_name == 'subscribers' %}
        signed_up_at as keyed_from
        {% else %}
        cast(null as timestamp) as keyed_from
        {% endif %}
    from {{ ref(model_name) }}
    where
        broken_rule is not null
        and (version_rank = 1 or version_rank is null)

),

{% endfor %}

quarantine_rules as (

    select * from {{ ref('quarantine_rules') }}

),

erasures as (

    select * from {{ ref('stg_subscribers__erasures') }}

),

rejected_rows as (

    {% for table_name in judged_tables %}
    select * from {{ table_name }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

-- where the key is itself a subscriber, staging could not replace it: the requests are judged by it
rejected_rows_after_erasure as (

    select
        rejected_rows.table_name,
        coalesce(erasures.erased_subscriber_id, rejected_rows.row_key) as row_key,
        rejected_rows.rule,
        case when erasures.subscriber_id is null then rejected_rows.row_json end as row_json,
        rejected_rows.recorded_at
    from rejected_rows
    left join erasures
        on
            rejected_rows.keyed_subscriber_id = erasures.subscriber_id
            and coalesce(rejected_rows.keyed_from, timestamp '0001-01-01 00:00:00')
            < erasures.requested_at

),

explained_rows as (

    select
        rejected_rows_after_erasure.table_name,
        rejected_rows_after_erasure.row_key,
        rejected_rows_after_erasure.rule,
        quarantine_rules.rule_number,
        quarantine_rules.reason,
        rejected_rows_after_erasure.row_json,
        rejected_rows_after_erasure.recorded_at
    from rejected_rows_after_erasure
    inner join quarantine_rules
        on rejected_rows_after_erasure.rule = quarantine_rules.rule

)

select * from explained_rows
