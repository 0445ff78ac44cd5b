with

accepted as (

    select
        rate_date,
        currency,
        rate,
        recorded_at
    from {{ ref('base_billing__exchange_rates') }}
    where version_rank = 1 and broken_rule is null

)

select * from accepted
