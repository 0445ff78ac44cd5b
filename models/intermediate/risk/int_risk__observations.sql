with

windows as (

    select * from {{ ref('int_risk__windows') }}

),

levels as (

    select * from {{ ref('int_subscriptions__level_values') }}
    where is_paying

),

sampled_lifetimes as (

    select * from {{ ref('int_risk__sampled_lifetimes') }}

),

lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}

),

lifetime_ends as (

    select * from {{ ref('int_subscriptions__lifetime_ends') }}

),

-- who pays just before the instant of observation: all of them now, a sample of them then
payers as (

    select
        levels.subscriber_id,
        levels.lifetime_number,
        windows.observation_date,
        windows.is_current,
        windows.horizon_ends_at
    from levels
    inner join windows
        on
            levels.started_at < windows.observed_at
            and {{ open_end('levels.ended_at') }} >= windows.observed_at
    left join sampled_lifetimes
        on
            levels.subscriber_id = sampled_lifetimes.subscriber_id
            and levels.lifetime_number = sampled_lifetimes.lifetime_number
    where windows.is_current or sampled_lifetimes.subscriber_id is not null

),

observations as (

    select
        payers.subscriber_id,
        payers.observation_date,
        payers.lifetime_number,
        payers.is_current,
        case
            when payers.is_current then cast(null as string)
            when {{ open_end('lifetimes.ended_at') }} < payers.horizon_ends_at
                then lifetime_ends.end_type
            else 'stayed'
        end as outcome
    from payers
    inner join lifetimes
        on
            payers.subscriber_id = lifetimes.subscriber_id
            and payers.lifetime_number = lifetimes.lifetime_number
    left join lifetime_ends
        on
            payers.subscriber_id = lifetime_ends.subscriber_id
            and payers.lifetime_number = lifetime_ends.lifetime_number

)

select * from observations
