{%- set columns = {
    'plan_id': 'string',
    'plan_name': 'string',
    'plan_tier': 'string',
    'is_ad_supported': 'boolean',
    'max_streams': 'bigint',
} -%}

with

{{ row_versions(source('raw', 'plans'), columns, ['plan_id']) }},

judged as (

    select
        versions.*,
        case
            {{- common_rules(columns, ['plan_id']) }}
        end as broken_rule
    from versions

),

rows_with_verdict as (

    select
        plan_id,
        plan_name,
        plan_tier,
        is_ad_supported,
        max_streams,
        recorded_at,
        copies,
        version_rank,
        broken_rule,
        plan_id as row_key,
        case
            when broken_rule is not null
                then {{ row_as_json(columns) }}
        end as row_json
    from judged

)

select * from rows_with_verdict
