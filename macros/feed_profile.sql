{#
    What a raw table delivered, figure by figure and day by day. What adds up is aggregated once, by
    day and categories, so that a category costs no aggregate of its own over all rows; what does not
    (distinct values, a median) by day. Only the few rows that come out of it are turned into the long
    form. Nothing in it grows with the volume: the figures are named here, categories come from
    closed lists (a value that is not in its list is counted as `unlisted`, never shown), so no
    text of a raw row, and nothing personal, can get through.

    A day is the UTC day of arrival (`recorded_at`), because a feed is judged by what it delivers:
    such a day is final once it is over, whatever arrives late or is sent again. A row that does not
    say when it arrived counts on the day of its event, else on the last day before the horizon.

    required, optional: columns without and with `?` in the contract; event_at: SQL of the row's own
    event time, or none; categories: column → closed list; numbers: columns that get minimum, maximum
    and sum; amounts: column in a minor unit → column of its currency, or none (sums of different
    currencies mean nothing, so each gets its own); distincts: columns whose values are counted; names:
    columns of names that no list closes, told apart by the first digit of a hash, so that one that gets
    another name is seen to leave its bucket and no name is shown; exceptions: of a table with a key of
    one column, a relation that has every key which comes more than once, so that only rows of these are
    told apart by their keys, and not hundreds of millions; grows: whether the table grows by
    increments.
#}
{% macro feed_profile(
    table_name, key, required, optional=[], event_at=none, categories={}, numbers=[], amounts={}, distincts=[], names=[],
    exceptions=none, grows=false
) %}
    {%- set figures = feed_figures(key, required, optional, event_at, categories, numbers, amounts, distincts, names) %}
    {#- named twice: read twice under one name, rows would be kept in between -#}
    {%- set known_rows = profiled_rows(table_name, key, event_at, exceptions, grows) %}

with

{%- if exceptions %}

-- every key that comes more than once is among them
exceptional_keys as (

    select {{ key[0] }}
    from {{ exceptions }}
    where {{ key[0] }} is not null
    group by {{ key[0] }}

),
{%- endif %}

rows_of_slices as (
{{ known_rows }}

),

rows_of_days as (
{{ known_rows }}

),

slices as (

    select
        profile_date,
        {%- for name in categories %}
        cast({{ name }} as string) as {{ name }},
        {%- endfor %}
        count(*) as slice_rows,
        {%- for metric, column_name, category, is_count, merge, sql in figures if merge in ['sum', 'min', 'max'] %}
        {{ sql }} as {{ [metric, column_name, category] | join('_') }}{{ ',' if not loop.last }}
        {%- endfor %}
    from rows_of_slices
    group by profile_date{% for name in categories %}, cast({{ name }} as string){% endfor %}

),

whole_days as (

    select
        profile_date,
        {%- for metric, column_name, category, is_count, merge, sql in figures if merge == 'whole' %}
        {{ sql }} as {{ [metric, column_name, category] | join('_') }}{{ ',' if not loop.last }}
        {%- endfor %}
    from rows_of_days
    group by profile_date

),

sliced_days as (

    select
        profile_date,
        {%- for metric, column_name, category, is_count, merge, sql in figures if merge != 'whole' %}
        {%- set name = [metric, column_name, category] | join('_') %}
        {{ sql if merge == 'slice' else merge ~ '(' ~ name ~ ')' }} as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from slices
    group by profile_date

),

days as (

    select
        sliced_days.profile_date,
        sliced_days.rows_all_all as day_rows,
        {%- for metric, column_name, category, is_count, merge, sql in figures %}
        {%- set name = [metric, column_name, category] | join('_') %}
        cast(
            {{ 'whole_days' if merge == 'whole' else 'sliced_days' }}.{{ name }} as double
        ) as figure_{{ loop.index }}{{ ',' if not loop.last }}
        {%- endfor %}
    from sliced_days
    inner join whole_days
        on sliced_days.profile_date = whole_days.profile_date

),

figures as (
    {% for metric, column_name, category, is_count, _, _ in figures %}
    select
        {{ loop.index }} as figure_number,
        '{{ metric }}' as metric,
        '{{ column_name }}' as column_name,
        '{{ category }}' as category,
        {{ is_count | lower }} as is_count
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

figures_by_day as (

    select
        days.profile_date,
        days.day_rows,
        figures.metric,
        figures.column_name,
        figures.category,
        figures.is_count,
        case figures.figure_number
            {%- for _ in figures %}
            when {{ loop.index }} then days.figure_{{ loop.index }}
            {%- endfor %}
        end as value
    from days
    cross join figures

),

profile as (

    select
        '{{ table_name }}' as table_name,
        profile_date,
        metric,
        column_name,
        category,
        value,
        case when is_count then value / day_rows end as share
    from figures_by_day
    -- most columns hold no null and most categories no row on most days: no row says none
    where
        value is not null
        and (value <> 0 or not is_count or metric = 'distinct_keys')
        {%- if grows and is_increment() %}
        and profile_date in (select profile_date from {{ ref('stg_profiles__touched_dates') }})
        {%- endif %}

)

select * from profile
{%- endmacro %}


{# The rows of a raw table that exist at the horizon, with the day on which each counts. #}
{% macro profiled_rows(table_name, key, event_at, exceptions, grows) %}
    select
        raw_rows.*,
        {{ event_at or 'cast(null as timestamp)' }} as event_at,
        {{ 'exceptional_keys.' ~ key[0] ~ ' is not null' if exceptions else 'true' }} as is_repeated,
        cast(
            coalesce(
                raw_rows.recorded_at,
                {{ event_at or 'cast(null as timestamp)' }},
                {{ as_of() }} - interval 1 second
            ) as date
        ) as profile_date
    from {{ source('raw', table_name) }} as raw_rows
    {%- if exceptions %}
    left join exceptional_keys
        on raw_rows.{{ key[0] }} = exceptional_keys.{{ key[0] }}
    {%- endif %}
    where
        {{ exists_at_horizon('raw_rows.recorded_at', event_at) }}
        {%- if grows and is_increment() %}
        and (
            raw_rows.recorded_at is null
            or ({{ within_touched_dates('raw_rows.recorded_at') }})
        )
        {%- endif %}
{%- endmacro %}


{#
    The figures of a profile, each a list: metric, column, category, whether it counts rows, how those of
    the slices of a day come together (`whole`: only the day can say), and its SQL.
#}
{% macro feed_figures(key, required, optional, event_at, categories, numbers, amounts, distincts, names) %}
    {%- set figures = [] -%}
    {%- do figures.append(['rows', 'all', 'all', true, 'sum', 'count(*)']) -%}
    {%- set key_as_text = [] -%}
    {%- for name in key -%}{%- do key_as_text.append('cast(' ~ name ~ ' as string)') -%}{%- endfor -%}
    {%- do figures.append(['distinct_keys', 'all', 'all', true, 'whole', 'count(' ~ key[0] ~ ') filter (where not is_repeated) + count(distinct case when is_repeated then ' ~ key_as_text | join(" || '|' || ") ~ ' end)']) -%}
    {%- do figures.append(['incomplete_rows', 'all', 'all', true, 'sum', 'count(*) filter (where ' ~ (required + ['recorded_at']) | join(' is null or ') ~ ' is null)']) -%}
    {%- for name in required + optional + ['recorded_at'] -%}
        {%- do figures.append(['nulls', name, 'all', true, 'sum', 'count(*) - count(' ~ name ~ ')']) -%}
    {%- endfor -%}
    {%- if event_at -%}
        {%- do figures.append(['early_rows', 'all', 'all', true, 'sum', 'count(*) filter (where event_at > recorded_at + interval 5 minute)']) -%}
        {%- do figures.append(['late_rows', 'all', 'all', true, 'sum', 'count(*) filter (where event_at < recorded_at - interval 1 day)']) -%}
        {%- do figures.append(['event_hours', 'all', 'all', false, 'whole', 'count(distinct extract(hour from event_at))']) -%}
        {%- do figures.append(['median_delay', 'all', 'all', false, 'whole', percentile(microseconds_between('event_at', 'recorded_at'), 0.5) ~ ' / 1000000']) -%}
    {%- endif -%}
    {%- for name, known in categories.items() -%}
        {%- for value in known -%}
            {%- do figures.append(['category_rows', name, value, true, 'slice', 'sum(slice_rows) filter (where ' ~ name ~ " = '" ~ value ~ "')"]) -%}
        {%- endfor -%}
        {%- do figures.append(['category_rows', name, 'unlisted', true, 'slice', 'sum(slice_rows) filter (where ' ~ name ~ " not in ('" ~ known | join("', '") ~ "'))"]) -%}
    {%- endfor -%}
    {%- for name in names -%}
        {%- for digit in '0123456789abcdef' -%}
            {%- do figures.append(['category_rows', name, 'bucket_' ~ digit, true, 'sum', 'count(*) filter (where substr(md5(' ~ name ~ "), 1, 1) = '" ~ digit ~ "')"]) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for name in numbers + amounts.keys() | list -%}
        {%- do figures.append(['minimum', name, 'all', false, 'min', 'min(' ~ name ~ ')']) -%}
        {%- do figures.append(['maximum', name, 'all', false, 'max', 'max(' ~ name ~ ')']) -%}
    {%- endfor -%}
    {%- for name in numbers -%}
        {%- do figures.append(['sum', name, 'all', false, 'sum', 'sum(' ~ name ~ ')']) -%}
    {%- endfor -%}
    {%- for name, currency in amounts.items() -%}
        {%- if currency -%}
            {%- for code in watched_currencies() -%}
                {%- do figures.append(['sum', name, code, false, 'sum', 'sum(' ~ name ~ ') filter (where ' ~ currency ~ " = '" ~ code ~ "')"]) -%}
            {%- endfor -%}
        {%- else -%}
            {%- do figures.append(['sum', name, 'all', false, 'sum', 'sum(' ~ name ~ ')']) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for name in distincts -%}
        {%- do figures.append(['distinct_values', name, 'all', false, 'whole', 'count(distinct ' ~ name ~ ')']) -%}
    {%- endfor %}
    {{ return(figures) }}
{% endmacro %}


{#
    Currencies watched one by one: those that most streaming services bill in. All others count as
    `unlisted`; one code more is one figure more a day in each table with money.
#}
{% macro watched_currencies() -%}
    {{ return([
        'USD', 'EUR', 'GBP', 'JPY', 'BRL', 'MXN', 'CAD', 'AUD', 'INR', 'KRW', 'CHF', 'SEK', 'NOK', 'DKK',
        'PLN', 'TRY', 'KWD',
    ]) }}
{%- endmacro %}


{# Countries watched one by one: the largest markets of subscription video. All others: `unlisted`. #}
{% macro watched_countries() -%}
    {{ return([
        'US', 'GB', 'DE', 'FR', 'ES', 'IT', 'NL', 'SE', 'NO', 'DK', 'PL', 'PT', 'CH', 'TR', 'BR', 'MX', 'AR',
        'CO', 'CA', 'AU', 'NZ', 'JP', 'KR', 'IN', 'ID', 'ZA',
    ]) }}
{%- endmacro %}
