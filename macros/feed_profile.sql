{#
    What a raw table delivered, figure by figure and day by day, in one scan: all figures of a day
    are aggregates of one select, and only the few rows that come out of it are turned into the long
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
    another name is seen to leave its bucket and no name is shown; repeated: of a table with a key of one
    column, a relation of the hashes that come more than once (`session_key_hash`), so that only rows of
    these are told apart by their keys, and not hundreds of millions.
#}
{% macro feed_profile(
    table_name, key, required, optional=[], event_at=none, categories={}, numbers=[], amounts={}, distincts=[], names=[],
    repeated=none
) %}
    {%- set figures = [] -%}
    {%- do figures.append(['rows', 'all', 'all', true, 'count(*)']) -%}
    {%- set key_as_text = [] -%}
    {%- for name in key -%}{%- do key_as_text.append('cast(' ~ name ~ ' as string)') -%}{%- endfor -%}
    {%- set told_apart = 'count(distinct case when is_repeated then ' ~ key_as_text | join(" || '|' || ") ~ ' end)' -%}
    {%- do figures.append(['distinct_keys', 'all', 'all', true, 'count(' ~ key[0] ~ ') filter (where not is_repeated) + ' ~ told_apart]) -%}
    {%- do figures.append(['incomplete_rows', 'all', 'all', true, 'count(*) filter (where ' ~ (required + ['recorded_at']) | join(' is null or ') ~ ' is null)']) -%}
    {%- for name in required + optional + ['recorded_at'] -%}
        {%- do figures.append(['nulls', name, 'all', true, 'count(*) filter (where ' ~ name ~ ' is null)']) -%}
    {%- endfor -%}
    {%- if event_at -%}
        {%- do figures.append(['early_rows', 'all', 'all', true, 'count(*) filter (where event_at > recorded_at + interval 5 minute)']) -%}
        {%- do figures.append(['late_rows', 'all', 'all', true, 'count(*) filter (where event_at < recorded_at - interval 1 day)']) -%}
        {%- do figures.append(['event_hours', 'all', 'all', false, 'count(distinct extract(hour from event_at))']) -%}
        {%- do figures.append(['median_delay', 'all', 'all', false, percentile(microseconds_between('event_at', 'recorded_at'), 0.5) ~ ' / 1000000']) -%}
    {%- endif -%}
    {%- for name, known in categories.items() -%}
        {%- set text = 'cast(' ~ name ~ ' as string)' -%}
        {%- for value in known -%}
            {%- do figures.append(['category_rows', name, value, true, 'count(*) filter (where ' ~ text ~ " = '" ~ value ~ "')"]) -%}
        {%- endfor -%}
        {%- do figures.append(['category_rows', name, 'unlisted', true, 'count(*) filter (where ' ~ text ~ " not in ('" ~ known | join("', '") ~ "'))"]) -%}
    {%- endfor -%}
    {%- for name in names -%}
        {%- for digit in '0123456789abcdef' -%}
            {%- do figures.append(['category_rows', name, 'bucket_' ~ digit, true, 'count(*) filter (where substr(md5(' ~ name ~ "), 1, 1) = '" ~ digit ~ "')"]) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for name in numbers + amounts.keys() | list -%}
        {%- do figures.append(['minimum', name, 'all', false, 'min(' ~ name ~ ')']) -%}
        {%- do figures.append(['maximum', name, 'all', false, 'max(' ~ name ~ ')']) -%}
    {%- endfor -%}
    {%- for name in numbers -%}
        {%- do figures.append(['sum', name, 'all', false, 'sum(' ~ name ~ ')']) -%}
    {%- endfor -%}
    {%- for name, currency in amounts.items() -%}
        {%- if currency -%}
            {%- for code in watched_currencies() -%}
                {%- do figures.append(['sum', name, code, false, 'sum(' ~ name ~ ') filter (where ' ~ currency ~ " = '" ~ code ~ "')"]) -%}
            {%- endfor -%}
        {%- else -%}
            {%- do figures.append(['sum', name, 'all', false, 'sum(' ~ name ~ ')']) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for name in distincts -%}
        {%- do figures.append(['distinct_values', name, 'all', false, 'count(distinct ' ~ name ~ ')']) -%}
    {%- endfor %}

with

raw_rows as (

    select
        {%- for name in required + optional %}
        {{ name }},
        {%- endfor %}
        recorded_at,
        {{ event_at or 'cast(null as timestamp)' }} as event_at,
        {{ 'repeated_keys.session_key_hash is not null' if repeated else 'true' }} as is_repeated,
        {{ as_of() }} as as_of
    from {{ source('raw', table_name) }}
    {{ 'left join ' ~ repeated ~ ' as repeated_keys on ' ~ key_hash(key[0]) ~ ' = repeated_keys.session_key_hash' if repeated }}

),

known_rows as (

    select
        *,
        cast(coalesce(recorded_at, event_at, as_of - interval 1 second) as date) as profile_date
    from raw_rows
    where
        coalesce(recorded_at < as_of, true)
        and coalesce(event_at < as_of, true)

),

days as (

    select
        profile_date,
        count(*) as day_rows,
        {%- for metric, column_name, category, is_count, sql in figures %}
        cast({{ sql }} as double) as figure_{{ loop.index }}{{ ',' if not loop.last }}
        {%- endfor %}
    from known_rows
    group by profile_date

),

figures as (
    {% for metric, column_name, category, is_count, _ in figures %}
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
    where value is not null and (value <> 0 or not is_count or metric = 'distinct_keys')

)

select * from profile
{%- endmacro %}


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
