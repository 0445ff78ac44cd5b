with

subscribers as (

    select * from {{ ref('stg_subscribers__subscribers') }}

),

campaign_touches as (

    select * from {{ ref('stg_touchpoints__campaign_touches') }}

),

months as (

    select * from {{ ref('int_calendar__months') }}

),

-- a recommendation by somebody nobody knows is none
sign_up_totals as (

    select
        {{ local_month('subscribers.signed_up_at') }} as month_start,
        count(*) as sign_ups,
        count(referrers.subscriber_id) as referred_sign_ups
    from subscribers
    left join subscribers as referrers
        on subscribers.referred_by_subscriber_id = referrers.subscriber_id
    group by {{ local_month('subscribers.signed_up_at') }}

),

touch_totals as (

    select
        {{ local_month('sent_at') }} as month_start,
        count(distinct subscriber_id) as contacted_accounts
    from campaign_touches
    group by {{ local_month('sent_at') }}

),

first_touches as (

    select min(month_start) as first_month
    from touch_totals

),

account_months as (

    select
        months.month_start,
        months.is_complete,
        coalesce(sign_up_totals.sign_ups, 0) as sign_ups,
        coalesce(sign_up_totals.referred_sign_ups, 0) as referred_sign_ups,
        cast(
            sum(coalesce(sign_up_totals.sign_ups, 0)) over (
                order by months.month_start
                rows between unbounded preceding and current row
            ) as bigint
        ) as closing_accounts,
        -- before the first touch nobody recorded any: unknown, not 0
        case
            when first_touches.first_month <= months.month_start
                then coalesce(touch_totals.contacted_accounts, 0)
        end as contacted_accounts
    from months
    left join sign_up_totals
        on months.month_start = sign_up_totals.month_start
    left join touch_totals
        on months.month_start = touch_totals.month_start
    cross join first_touches

)

select * from account_months
