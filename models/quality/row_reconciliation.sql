{%- set judged_tables = raw_table_models() -%}

with

row_counts as (

    select * from {{ ref('stg_row_counts') }}

),

{% for table_name, model_name in judged_tables.items() %}
{{ table_name }} as (

    select
        '{{ table_name }}' as table_name,
        coalesce(sum(copies), 0) as judged_rows,
        count(*) filter (where version_rank = 1 and broken_rule is null) as accepted_rows,
        coalesce(sum(copies - 1) filter (where version_rank = 1), 0) as duplicate_rows,
        coalesce(sum(copies) filter (where version_rank > 1), 0) as superseded_rows,
        count(*) filter (
            where broken_rule is not null and (version_rank = 1 or version_rank is null)
        ) as quarantined_rows
    from {{ ref(model_name) }}

),

{% endfor %}

verdict_counts as (

    {% for table_name in judged_tables %}
    select * from {{ table_name }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

reconciliation as (

    select
        row_counts.table_name,
        cast(row_counts.raw_rows as bigint) as raw_rows,
        cast(
            verdict_counts.accepted_rows
            -- most sessions are accepted as they came, without a verdict of their own
            + case
                when row_counts.table_name = 'playback_sessions'
                    then
                        row_counts.raw_rows
                        - row_counts.beyond_as_of_rows
                        - verdict_counts.judged_rows
                else 0
            end as bigint
        ) as accepted_rows,
        cast(verdict_counts.duplicate_rows as bigint) as duplicate_rows,
        cast(verdict_counts.superseded_rows as bigint) as superseded_rows,
        cast(verdict_counts.quarantined_rows as bigint) as quarantined_rows,
        cast(row_counts.beyond_as_of_rows as bigint) as beyond_as_of_rows
    from row_counts
    left join verdict_counts
        on row_counts.table_name = verdict_counts.table_name

)

select * from reconciliation
