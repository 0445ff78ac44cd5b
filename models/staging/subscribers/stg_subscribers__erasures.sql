{{ config(database='forgotten') }}

with

erasures as (

    select
        subscriber_id,
        requested_at,
        cast(uuid() as string) as erased_subscriber_id
    from {{ ref('base_subscribers__erasure_requests') }}
    where version_rank = 1 and broken_rule is null

)

select * from erasures
