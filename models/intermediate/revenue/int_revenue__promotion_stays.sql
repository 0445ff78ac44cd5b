with

promotion_lifetimes as (

    select * from {{ ref('int_revenue__promotion_lifetimes') }}

),

-- who leaves early ends the discount early, so only those who outlasted it tell how long it is
discount_lengths as (

    select
        promotion_code,
        discount_days,
        count(*) as lifetimes
    from promotion_lifetimes
    where has_paid_full_price
    group by promotion_code, discount_days

),

terms as (

    select
        promotion_code,
        discount_days,
        discount_days + {{ var('past_due_grace_days') }} as horizon_days
    from discount_lengths
    qualify
        row_number() over (
            partition by promotion_code
            order by lifetimes desc, discount_days desc
        ) = 1

),

-- whether somebody stayed is known only of lifetimes that began long enough ago
observed_lifetimes as (

    select
        promotion_lifetimes.promotion_code,
        promotion_lifetimes.start_month,
        promotion_lifetimes.lifetime_number = 1 as is_first,
        promotion_lifetimes.first_billing_period_unit,
        promotion_lifetimes.first_billing_period_count,
        count(*) as observed,
        count(*) filter (where promotion_lifetimes.tenure_days > terms.horizon_days) as stayed
    from promotion_lifetimes
    inner join terms
        on promotion_lifetimes.promotion_code = terms.promotion_code
    where promotion_lifetimes.observed_days > terms.horizon_days
    group by
        promotion_lifetimes.promotion_code,
        promotion_lifetimes.start_month,
        promotion_lifetimes.lifetime_number = 1,
        promotion_lifetimes.first_billing_period_unit,
        promotion_lifetimes.first_billing_period_count

),

-- like with like: the same month, first lifetime or return, and billing period, without any code
comparison_cells as (

    select
        observed_lifetimes.promotion_code,
        observed_lifetimes.observed,
        count(*) as compared,
        count(*) filter (where others.tenure_days > terms.horizon_days) as stayed
    from observed_lifetimes
    inner join terms
        on observed_lifetimes.promotion_code = terms.promotion_code
    inner join promotion_lifetimes as others
        on
            observed_lifetimes.start_month = others.start_month
            and observed_lifetimes.first_billing_period_unit = others.first_billing_period_unit
            and observed_lifetimes.first_billing_period_count = others.first_billing_period_count
            and observed_lifetimes.is_first = (others.lifetime_number = 1)
            and others.promotion_code is null
            and terms.horizon_days < others.observed_days
    group by
        observed_lifetimes.promotion_code,
        observed_lifetimes.start_month,
        observed_lifetimes.is_first,
        observed_lifetimes.first_billing_period_unit,
        observed_lifetimes.first_billing_period_count,
        observed_lifetimes.observed

),

-- each kind weighs as much as among those who came on the promotion; sums of decimals are exact
comparisons as (

    select
        promotion_code,
        sum(compared) as compared,
        sum(stayed) as stayed,
        cast(
            sum(cast(cast(observed * stayed as double) / compared as decimal(38, 12))) as double
        ) / cast(sum(observed) as double) as stay_rate
    from comparison_cells
    group by promotion_code

),

outcomes as (

    select
        promotion_code,
        sum(observed) as observed_subscribers,
        sum(stayed) as stayed_subscribers
    from observed_lifetimes
    group by promotion_code

),

promotion_stays as (

    select
        terms.promotion_code,
        terms.discount_days,
        cast(outcomes.observed_subscribers as bigint) as observed_subscribers,
        cast(outcomes.stayed_subscribers as bigint) as stayed_subscribers,
        cast(comparisons.compared as bigint) as comparison_subscribers,
        cast(comparisons.stayed as bigint) as comparison_stayed_subscribers,
        comparisons.stay_rate as comparison_stay_rate
    from terms
    left join outcomes
        on terms.promotion_code = outcomes.promotion_code
    left join comparisons
        on terms.promotion_code = comparisons.promotion_code

)

select * from promotion_stays
