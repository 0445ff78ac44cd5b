with

plans as (

    select
        plan_id,
        plan_name,
        plan_tier,
        is_ad_supported,
        max_streams
    from {{ ref('stg_billing__plans') }}

)

select * from plans
