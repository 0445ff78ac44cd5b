{#
    The rows of a raw table that exist at the knowledge horizon, one per distinct version of a key, as
    `ranked_versions` says.

    columns: name → type, in the contract's order, without recorded_at; key: names;
    event_at: SQL of the row's own event time, or none.
#}
{% macro row_versions(relation, columns, key, event_at=none) %}
    with_types as (

        select
            {%- for name, type in columns.items() %}
            cast({{ name }} as {{ type }}) as {{ name }},
            {%- endfor %}
            cast(recorded_at as timestamp) as recorded_at
        from {{ relation }}

    ),

    known_rows as (

        select *
        from with_types
        where
            {{ exists_at_horizon('recorded_at', event_at) }}

    ),

    repeated_keys as (

        select {{ key | join(', ') }}
        from known_rows
        where
            {{ is_identified(key) }}
        group by {{ key | join(', ') }}
        having count(*) > 1

    ),

    marked_rows as (

        select
            known_rows.*,
            repeated_keys.{{ key[0] }} is not null as is_repeated
        from known_rows
        left join repeated_keys
            on {% for name in key %}{% if not loop.first %} and {% endif -%}
                known_rows.{{ name }} = repeated_keys.{{ name }}{% endfor %}

    ),

    {{ ranked_versions('marked_rows', columns, key) }}
{%- endmacro %}


{#
    One row per distinct version of a key, of rows that are marked `is_repeated` where their key comes
    again: its columns, the newest `recorded_at` of its equal copies, how many `copies` there are, and
    `version_rank`, 1 for the version that counts and null for a row without key or `recorded_at`.
    Of versions recorded at one instant the content decides, so that the order of arrival never does.
    Nearly all keys come once: only those that come again are sorted.
#}
{% macro ranked_versions(marked_rows, columns, key) %}
    {%- set names = columns.keys() | list -%}
    repeated_versions as (

        select
            {%- for name in names %}
            {{ name }},
            {%- endfor %}
            max(recorded_at) as recorded_at,
            count(*) as copies
        from {{ marked_rows }}
        where
            is_repeated
            and {{ is_identified(key) }}
        group by
            {%- for name in names %}
            {{ name }}{{ ',' if not loop.last }}
            {%- endfor %}

    ),

    versions as (

        select
            {%- for name in names %}
            {{ name }},
            {%- endfor %}
            recorded_at,
            cast(1 as bigint) as copies,
            cast(case when {{ is_identified(key) }} then 1 end as bigint) as version_rank
        from {{ marked_rows }}
        where
            not is_repeated
            or not ({{ is_identified(key) }})

        union all

        select
            *,
            row_number() over (
                partition by {{ key | join(', ') }}
                order by recorded_at desc, {{ names | join(', ') }}
            ) as version_rank
        from repeated_versions

    )
{%- endmacro %}


{# Whether a row says which it is and when it came; what does not is one by itself. #}
{% macro is_identified(key) -%}
    {{ (['recorded_at'] + key) | join(' is not null and ') }} is not null
{%- endmacro %}


{# The first arms of a verdict, the same for every raw table: key, arrival, event time, nulls. #}
{% macro common_rules(columns, key, nullable=[], event_at=none) %}
            {%- for name in key %}
            when versions.{{ name }} is null then 'null_key'
            {%- endfor %}
            when versions.recorded_at is null then 'null_recorded_at'
            {%- if event_at %}
            when {{ event_at }} > versions.recorded_at + interval 5 minute then 'event_after_recorded'
            {%- endif %}
            {%- for name in columns if name not in key and name not in nullable %}
            when versions.{{ name }} is null then 'null_value'
            {%- endfor %}
{%- endmacro %}


{#
    A closed list that only describes: what it does not know reads as `other`. Value by value, since
    DuckDB makes a join of a list, also for whoever doesn't ask for the column.
#}
{% macro known_or_other(column, known) -%}
    case {{ column }}
        {%- for value in known %}
        when '{{ value }}' then '{{ value }}'
        {%- endfor %}
        else case when {{ column }} is not null then 'other' end
    end
{%- endmacro %}


{# The id that stands for a subscriber in a row of this event time: a random one once erased. #}
{% macro subscriber_after_erasure(relation, event_at) -%}
    case
        when coalesce({{ event_at }} < erasures.requested_at, true)
            then coalesce(erasures.erased_subscriber_id, {{ relation }}.subscriber_id)
        else {{ relation }}.subscriber_id
    end
{%- endmacro %}


{# The words of all closed lists of the raw contract: who is told one of them is told of nobody. #}
{% macro words_of_closed_lists() -%}
    {{ return([
        'trialing', 'active', 'past_due', 'paused', 'ended',
        'day', 'week', 'month', 'year',
        'cancelled', 'payment_failed', 'trial_expired', 'gift_ended', 'refunded', 'admin',
        'price', 'content', 'quality', 'competitor', 'seasonal', 'technical', 'other',
        'draft', 'open', 'paid', 'void', 'uncollectible',
        'subscription', 'proration', 'add_on', 'one_off',
        'succeeded', 'failed',
        'card', 'direct_debit', 'wallet', 'app_store', 'carrier', 'voucher',
        'refund', 'chargeback', 'chargeback_reversal',
        'tv', 'mobile', 'tablet', 'web', 'console',
        'completed', 'stopped', 'error', 'startup_failure',
        'movie', 'episode', 'live', 'clip',
        'billing', 'playback', 'account',
        'nps', 'csat',
        'email', 'push', 'in_app', 'sms',
        'onboarding', 'engagement', 'save', 'win_back', 'upsell', 'loyalty',
    ]) }}
{%- endmacro %}


{#
    A row as JSON text, for a person to look at: without the columns that name one. Columns may be
    shifted, so of any other text only what can name nobody is told as it is: an id, a word of a closed
    list, the code of a currency or a country. Of the rest its shape is told, letters as `a` and digits
    as `9`, or how long it is. So no text holds what JSON would escape, and it is put together by hand:
    each engine has its own way to write a time and a decimal in JSON.
#}
{% macro row_as_json(columns, personal=[]) -%}
    {%- set members = [] -%}
    {%- for name, type in dict(columns, recorded_at='timestamp').items() if name not in personal -%}
        {%- if type == 'string' -%}
            {%- set text = told_text(name) -%}
        {%- elif type.startswith('decimal') -%}
            {%- set text = decimal_as_text(name, type) -%}
        {%- else -%}
            {%- set text = 'cast(' ~ name ~ ' as string)' -%}
        {%- endif -%}
        {%- set is_quoted = type in ['string', 'timestamp', 'date'] -%}
        {%- set value = "'\"' || " ~ text ~ " || '\"'" if is_quoted else text -%}
        {%- do members.append("'\"" ~ name ~ "\":' || coalesce(" ~ value ~ ", 'null')") -%}
    {%- endfor -%}
    '{' || {{ members | join(" || ',' || ") }} || '}'
{%- endmacro %}

{# A decimal with all of its digits: one engine's own text of a small one is `0E-12`. #}
{% macro decimal_as_text(value, type) -%}
    {{ return(adapter.dispatch('decimal_as_text')(value, type)) }}
{%- endmacro %}

{% macro duckdb__decimal_as_text(value, type) -%}
    cast({{ value }} as string)
{%- endmacro %}

{% macro spark__decimal_as_text(value, type) -%}
    replace(format_number({{ value }}, {{ type.split(',')[1] | replace(')', '') | int }}), ',', '')
{%- endmacro %}

{# A text if it is written as what it may be, else its shape, and of an odd or long one its length. #}
{% macro told_text(name) -%}
    {%- set capitals = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ' -%}
    {%- set letters = capitals ~ capitals | lower -%}
    {%- set digits = '0123456789' -%}
    case
        {%- if name.endswith('_id') %}
        when length({{ name }}) <= 64 and translate({{ name }}, '{{ letters ~ digits }}_.:+-', '') = ''
        {%- else %}
        when
            instr('|{{ words_of_closed_lists() | join('|') }}|', '|' || {{ name }} || '|') > 0
            or (length({{ name }}) <= 3 and translate({{ name }}, '{{ capitals }}', '') = '')
        {%- endif %}
            then {{ name }}
        when length({{ name }}) <= 30 and translate({{ name }}, '{{ letters ~ digits }} _.:+@,/()-', '') = ''
            then translate({{ name }}, '{{ letters ~ digits }}', '{{ 'a' * 52 ~ '9' * 10 }}')
        else '(' || cast(length({{ name }}) as string) || ' characters)'
    end
{%- endmacro %}
