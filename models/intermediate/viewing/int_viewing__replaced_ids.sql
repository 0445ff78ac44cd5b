{{ config(database='forgotten') }}

-- depends_on: {{ ref('stg_subscribers__subscribers') }}
with

erasures as (

    select * from {{ ref('stg_subscribers__erasures') }}

),

-- an erased subscriber has another random id in every build, and the old one may be a newcomer's
replaced_ids as (

    select subscriber_id from erasures
    union distinct
    select erased_subscriber_id as subscriber_id from erasures
    {%- if is_increment() %}
    union distinct
    select known_subscribers.subscriber_id
    from {{ source('basis', 'subscribers') }} as known_subscribers
    left join {{ ref('stg_subscribers__subscribers') }} as subscribers
        on known_subscribers.subscriber_id = subscribers.subscriber_id
    where subscribers.subscriber_id is null
    {%- endif %}

)

select * from replaced_ids
