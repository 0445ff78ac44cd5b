{{ config(database='forgotten') }}

{%- set columns = {
    'subscriber_id': 'string',
    'email': 'string',
    'country_code': 'string',
    'birth_year': 'bigint',
    'acquisition_channel': 'string',
    'referred_by_subscriber_id': 'string',
    'signed_up_at': 'timestamp',
    'is_marketing_opt_in': 'boolean',
} -%}

with

{{ row_versions(source('raw', 'subscribers'), columns, ['subscriber_id'], 'signed_up_at') }},

judged as (

    select
        versions.*,
        case
            {{- common_rules(
                columns,
                ['subscriber_id'],
                nullable=['email', 'country_code', 'birth_year', 'acquisition_channel', 'referred_by_subscriber_id'],
                event_at='versions.signed_up_at',
            ) }}
        end as broken_rule
    from versions

),

rows_with_verdict as (

    select
        subscriber_id,
        email,
        country_code,
        birth_year,
        acquisition_channel,
        referred_by_subscriber_id,
        signed_up_at,
        is_marketing_opt_in,
        recorded_at,
        copies,
        version_rank,
        broken_rule,
        {{ told_text('subscriber_id') }} as row_key,
        case
            when broken_rule is not null
                then {{ row_as_json(
                    columns,
                    personal=['email', 'birth_year', 'referred_by_subscriber_id'],
                ) }}
        end as row_json
    from judged

)

select * from rows_with_verdict
