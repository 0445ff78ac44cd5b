{#
    The tables that an increment adds to, as Spark keeps them. Of its Parquet files no row can be deleted,
    only whole parts: a table has one for each day or month of the column that its meta `grows_by` names. Of
    a month, the rows of subscribers whose id is another in every build are a part of their own, which goes
    in every build, so that their months need not be made anew.
#}
{% materialization incremental, adapter='spark', supported_languages=['sql'] %}
    {%- set existing = load_relation(this) -%}
    {%- set target = this.incorporate(type='table') -%}

    {{ run_hooks(pre_hooks) }}

    {%- if existing is not none and not is_increment() -%}
        {%- do adapter.drop_relation(existing) -%}
    {%- endif -%}
    {%- call statement('main') -%}
        {%- if is_increment() %}
            insert into {{ target }} by name
        {%- else %}
            create table {{ target }}
            {{ file_format_clause() }}
            partitioned by ({{ part_columns() | join(', ') }})
            as
        {%- endif %}
        {{ in_parts(compiled_code) }}
    {%- endcall -%}

    {{ run_hooks(post_hooks) }}

    {{ return({'relations': [target]}) }}
{% endmaterialization %}


{# The columns by which a table is in parts: its own day, or two that only its files know. #}
{% macro part_columns() -%}
    {%- set grows_by = model.config.meta.grows_by -%}
    {%- if 'day' in grows_by -%}
        {{ return([grows_by.day]) }}
    {%- elif 'subscriber_id' in model.columns -%}
        {{ return(['kept_month', 'has_replaced_id']) }}
    {%- else -%}
        {{ return(['kept_month']) }}
    {%- endif -%}
{%- endmacro %}


{# The rows of a query with those columns; unless those of a part meet, each task writes a file to each. #}
{% macro in_parts(sql) -%}
    {%- set columns = part_columns() -%}
    select /*+ rebalance({{ columns | join(', ') }}) */ *
    from (
        select
            rows_to_keep.*
            {%- if 'kept_month' in columns %},
            {{ month_start('rows_to_keep.' ~ model.config.meta.grows_by.month) }} as kept_month
            {%- endif %}
            {%- if 'has_replaced_id' in columns %},
            replaced_ids.subscriber_id is not null as has_replaced_id
            {%- endif %}
        from ({{ sql }}) as rows_to_keep
        {%- if 'has_replaced_id' in columns %}
        left join {{ ref('int_viewing__replaced_ids') }} as replaced_ids
            on rows_to_keep.subscriber_id = replaced_ids.subscriber_id
        {%- endif %}
    ) as rows_of_parts
{%- endmacro %}


{#
    What drops the parts of a table that an increment makes anew: those of some days or months, those that are
    none any more, and those of replaced ids. `touched` and `known` are queries of dates; all are known
    without the second.
#}
{% macro drop_parts(touched, known=none) -%}
    {%- set touched_dates = first_column(touched) -%}
    {%- set known_dates = first_column(known) if known else [] -%}
    {%- set dropped = [] -%}
    {%- for part in first_column('show partitions ' ~ this) -%}
        {%- set kept_date = part.split('/')[0].split('=')[1] -%}
        {%- if
            kept_date in touched_dates
            or (known and kept_date not in known_dates)
            or part.endswith('has_replaced_id=true')
        -%}
            {%- set told = part.replace('=', " = '").replace('/', "', ") -%}
            {%- do dropped.append('partition (' ~ told ~ "')") -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if dropped -%}
        alter table {{ this }} drop if exists {{ dropped | join(', ') }}
    {%- endif -%}
{%- endmacro %}


{# What a query returns of its first column, as text. #}
{% macro first_column(query) -%}
    {{ return(run_query(query).columns[0].values() | map('string') | list) }}
{%- endmacro %}


{% macro spark__forget_touched(month, touched_months, months, replaced_ids) -%}
    {{ return(drop_parts(
        'select month_start from ' ~ touched_months, known='select month_start from ' ~ months
    )) }}
{%- endmacro %}

{% macro spark__forget_touched_dates(touched_dates) -%}
    {{ return(drop_parts('select profile_date from ' ~ touched_dates)) }}
{%- endmacro %}


{% macro spark__know_touched_dates(touched_dates) -%}
{%- endmacro %}

{# Here a query that returns one value is a constant to whoever reads the raw files. #}
{% macro spark__within_touched_dates(instant) -%}
    {%- set touched_dates = ref('stg_profiles__touched_dates') -%}
    {{ instant }} >= (select min(profile_date) from {{ touched_dates }})
    and {{ instant }} < (select max(profile_date) + interval 1 day from {{ touched_dates }})
{%- endmacro %}


{# Without its mark in the catalog the note in the build's books is void. #}
{% macro spark__forget_ground() -%}
    drop table if exists basis.marks
{%- endmacro %}
