with

promotion_lines as (

    select * from {{ ref('int_revenue__promotion_lines') }}

),

promotion_lifetimes as (

    select * from {{ ref('int_revenue__promotion_lifetimes') }}

),

promotion_stays as (

    select * from {{ ref('int_revenue__promotion_stays') }}

),

redemptions as (

    select
        promotion_code,
        min(issued_date) as first_redeemed_date,
        max(issued_date) as last_redeemed_date,
        count(distinct redemption_id) as redemptions,
        count(distinct subscriber_id) as redeeming_subscribers,
        count(*) as discounted_lines,
        cast(sum(discount_amount) as decimal(18, 4)) as discount_amount
    from promotion_lines
    group by promotion_code

),

starts as (

    select
        promotion_code,
        count(*) filter (where lifetime_number = 1) as new_subscribers,
        count(*) filter (where lifetime_number > 1) as reactivated_subscribers
    from promotion_lifetimes
    where promotion_code is not null
    group by promotion_code

),

promotions as (

    select
        redemptions.promotion_code,
        redemptions.first_redeemed_date,
        redemptions.last_redeemed_date,
        redemptions.redemptions,
        redemptions.redeeming_subscribers,
        redemptions.discounted_lines,
        redemptions.discount_amount,
        coalesce(starts.new_subscribers, 0) as new_subscribers,
        coalesce(starts.reactivated_subscribers, 0) as reactivated_subscribers,
        promotion_stays.discount_days,
        promotion_stays.observed_subscribers,
        promotion_stays.stayed_subscribers,
        cast(promotion_stays.stayed_subscribers as double)
        / nullif(promotion_stays.observed_subscribers, 0) as stay_rate,
        promotion_stays.comparison_subscribers,
        promotion_stays.comparison_stayed_subscribers,
        promotion_stays.comparison_stay_rate
    from redemptions
    left join starts
        on redemptions.promotion_code = starts.promotion_code
    left join promotion_stays
        on redemptions.promotion_code = promotion_stays.promotion_code

)

select * from promotions
