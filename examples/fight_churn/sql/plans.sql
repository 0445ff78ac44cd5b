with

products as (

    select
        subscription.product,
        cast(min(subscription.start_date) as timestamp) as first_started_at
    from subscription
    group by subscription.product

),

-- advertising is known only from somebody having been shown some
advertised_products as (

    select subscription.product
    from subscription
    inner join event_daily
        on
            subscription.account_id = event_daily.account_id
            and subscription.start_date <= event_daily.event_date
            and subscription.end_date > event_daily.event_date
    where event_daily.adview > 0
    group by subscription.product

)

select
    products.product as plan_id,
    products.product as plan_name,
    products.product as plan_tier,
    advertised_products.product is not null as is_ad_supported,
    -- a social network has no streams; one person uses an account
    cast(1 as bigint) as max_streams,
    products.first_started_at as recorded_at
from products
left join advertised_products
    on products.product = advertised_products.product
