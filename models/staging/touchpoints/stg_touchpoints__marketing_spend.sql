with

accepted as (

    select
        spend_date,
        acquisition_channel,
        country_code,
        amount_minor,
        currency,
        recorded_at
    from {{ ref('base_touchpoints__marketing_spend') }}
    where version_rank = 1 and broken_rule is null

)

select * from accepted
