{%- set columns = {
    'title_id': 'string',
    'title_name': 'string',
    'content_type': 'string',
    'genre': 'string',
    'series_id': 'string',
    'runtime_seconds': 'bigint',
    'released_on': 'date',
} -%}

with

{{ row_versions(source('raw', 'titles'), columns, ['title_id']) }},

judged as (

    select
        versions.*,
        case
            {{- common_rules(
                columns,
                ['title_id'],
                nullable=['series_id', 'runtime_seconds', 'released_on'],
            ) }}
        end as broken_rule
    from versions

),

rows_with_verdict as (

    select
        title_id,
        title_name,
        {{ known_or_other('content_type', ['movie', 'episode', 'live', 'clip']) }} as content_type,
        genre,
        series_id,
        runtime_seconds,
        released_on,
        recorded_at,
        copies,
        version_rank,
        broken_rule,
        title_id as row_key,
        case
            when broken_rule is not null
                then {{ row_as_json(columns) }}
        end as row_json
    from judged

)

select * from rows_with_verdict
