-- depends_on: {{ ref('base_viewing__repeated_session_keys') }}
-- depends_on: {{ ref('base_viewing__keys_in_question') }}
with

rows_in_question as (

    {% if is_increment() -%}
    -- of a key that arrives again there are two rows at least, most often two
    select count(*) * 2 as session_rows
    from {{ ref('base_viewing__keys_in_question') }}
    {%- else -%}
    select coalesce(sum(session_rows), 0) as session_rows
    from {{ ref('base_viewing__repeated_session_keys') }}
    {%- endif %}

),

-- all columns of these rows are kept: 5 million took less time than larger or smaller portions
sizes as (

    select
        cast(
            greatest(ceil(session_rows * 1.7 / {{ plays_of_a_portion() }}), 1) as integer
        ) as portions
    from rows_in_question

),

numbers as (

    {{ integer_series(0, '(select portions - 1 from sizes)') }}

),

exception_portions as (

    select
        numbers.number as portion,
        numbers.number as key_remainder,
        -- one alone has all keys, and none need be asked
        case when sizes.portions > 1 then sizes.portions end as key_divisor
    from numbers
    cross join sizes

)

select * from exception_portions
