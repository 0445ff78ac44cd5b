with

accepted as (

    select
        plan_id,
        plan_name,
        plan_tier,
        is_ad_supported,
        max_streams,
        recorded_at
    from {{ ref('base_billing__plans') }}
    where version_rank = 1 and broken_rule is null

)

select * from accepted
