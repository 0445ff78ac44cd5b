with

level_subscriptions as (

    select * from {{ ref('int_subscriptions__level_subscriptions') }}

),

-- drawn by the subscription, whose id stays where a subscriber's is erased
lifetime_draws as (

    select
        subscriber_id,
        lifetime_number,
        substr(md5(min(subscription_id)), 1, 3) as draw
    from level_subscriptions
    group by subscriber_id, lifetime_number

),

numbered_draws as (

    select
        subscriber_id,
        lifetime_number,
        256 * (instr('0123456789abcdef', substr(draw, 1, 1)) - 1)
        + 16 * (instr('0123456789abcdef', substr(draw, 2, 1)) - 1)
        + instr('0123456789abcdef', substr(draw, 3, 1)) - 1 as draw_number
    from lifetime_draws

),

totals as (

    select count(*) as lifetimes
    from numbered_draws

),

sampled_lifetimes as (

    select
        numbered_draws.subscriber_id,
        numbered_draws.lifetime_number
    from numbered_draws
    cross join totals
    where
        cast(numbered_draws.draw_number as bigint) * totals.lifetimes
        < cast(4096 as bigint) * {{ var('risk_sample_lifetimes') }}

)

select * from sampled_lifetimes
