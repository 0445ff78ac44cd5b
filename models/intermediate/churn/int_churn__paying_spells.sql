with

subscriber_intervals as (

    select
        'subscriber' as unit,
        subscriber_id as holder_id,
        subscriber_id,
        started_at,
        ended_at,
        is_paying
    from {{ ref('int_subscriptions__periods') }}

),

subscription_intervals as (

    select
        'subscription' as unit,
        subscription_id as holder_id,
        subscriber_id,
        valid_from as started_at,
        valid_to as ended_at,
        own_currency_mrr > 0 as is_paying
    from {{ ref('int_subscriptions__states') }}

),

intervals as (

    select * from subscriber_intervals
    union all
    select * from subscription_intervals

),

paying_intervals as (

    select
        unit,
        holder_id,
        subscriber_id,
        started_at,
        ended_at,
        lag(ended_at) over (
            partition by unit, holder_id, subscriber_id order by started_at
        ) as paid_until_at
    from intervals
    where is_paying

),

numbered_intervals as (

    select
        paying_intervals.*,
        sum(case when paid_until_at = started_at then 0 else 1 end) over (
            partition by unit, holder_id, subscriber_id
            order by started_at
            rows between unbounded preceding and current row
        ) as spell_number
    from paying_intervals

),

spells as (

    select
        unit,
        holder_id,
        subscriber_id,
        min(started_at) as started_at,
        case when count(*) = count(ended_at) then max(ended_at) end as ended_at
    from numbered_intervals
    group by unit, holder_id, subscriber_id, spell_number

),

-- one more subscription beside a running one is no return
spells_with_history as (

    select
        spells.*,
        coalesce(
            max({{ open_end('ended_at') }}) over (
                partition by unit, subscriber_id
                order by started_at, holder_id
                rows between unbounded preceding and 1 preceding
            ) <= started_at,
            false
        ) as is_resubscription
    from spells

)

select * from spells_with_history
