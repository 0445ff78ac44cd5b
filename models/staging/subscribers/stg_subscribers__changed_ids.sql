{{ config(database='forgotten') }}

with

accepted_subscribers as (

    select subscriber_id from {{ ref('base_subscribers__subscribers') }}
    where version_rank = 1 and broken_rule is null

),

erased_subscribers as (

    select subscriber_id from {{ ref('stg_subscribers__erasures') }}

),

{% if is_increment() %}

known_subscribers as (

    select subscriber_id from {{ source('basis', 'subscribers') }}

),

{% else %}

-- everything is built anew, and nobody asks what has changed
known_subscribers as (

    select subscriber_id from accepted_subscribers

),

{% endif %}

accepted_now as (

    select * from accepted_subscribers
    except
    select * from known_subscribers

),

changed_ids as (

    select * from accepted_now
    except
    -- an erased subscriber is known by another id
    select * from erased_subscribers
    union distinct
    (
        select * from known_subscribers
        except
        select * from accepted_subscribers
    )
    union distinct
    (
        select * from known_subscribers
        intersect
        select * from erased_subscribers
    )
    {%- if is_increment() %}
    union distinct
    select subscriber_id from {{ source('arrivals', 'erasure_requests') }}
    {%- endif %}

)

select * from changed_ids
