with

lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}

),

known_dates as (

    select
        {{ local_date(as_of() ~ ' - interval ' ~ var('churn_grace_hours') ~ ' hour') }}
            as known_date,
        {{ local_date(as_of()) }} as present_date

),

-- an end on the day of a renewal is a renewal not made, and no day counts before it is final
dated_lifetimes as (

    select
        lifetimes.subscriber_id,
        lifetimes.lifetime_number,
        lifetimes.ended_at is not null as has_ended,
        -- one of that name is not all of them
        case
            when lifetimes.first_plan_tier = 'all tiers' then 'tier "all tiers"'
            else lifetimes.first_plan_tier
        end as plan_tier,
        lifetimes.first_billing_period_unit as billing_period_unit,
        lifetimes.first_billing_period_count as billing_period_count,
        case
            when lifetimes.lifetime_number = 1 then '1'
            when lifetimes.lifetime_number = 2 then '2'
            else '3+'
        end as lifetime_band,
        {{ local_date('lifetimes.started_at') }} as start_date,
        known_dates.known_date,
        coalesce({{ local_date('lifetimes.ended_at') }}, known_dates.known_date) as last_date,
        coalesce({{ local_date('lifetimes.ended_at') }}, known_dates.present_date) as present_date
    from lifetimes
    cross join known_dates

),

-- whole months and days from the start before a day: a month from the 31st ends on the 28th
elapsed_lifetimes as (

    select
        dated_lifetimes.*,
        {%- for name in ['known', 'last', 'present'] %}
        case
            when billing_period_unit in ('month', 'year')
                then
                    {{ months_between('start_date', name ~ '_date') }}
                    - case
                        when extract(day from start_date) >= extract(day from {{ name }}_date)
                            then 1
                        else 0
                    end
            else {{ days_between('start_date', name ~ '_date') }} - 1
        end as {{ name }}_steps,
        {%- endfor %}
        -- an absurd count, which the contract lets through, would overflow as an integer
        cast(billing_period_count as double)
        * case billing_period_unit when 'year' then 12 when 'week' then 7 else 1 end as period_steps
    from dated_lifetimes

),

lifetimes_with_renewals as (

    select
        elapsed_lifetimes.*,
        cast(greatest(floor(cast(known_steps as double) / period_steps), 0) as bigint)
            as known_renewals,
        cast(greatest(floor(cast(last_steps as double) / period_steps), 0) as bigint)
            as last_renewals,
        cast(greatest(floor(cast(present_steps as double) / period_steps), 0) as bigint)
            as present_renewals
    from elapsed_lifetimes

),

-- who left in a period that is not over yet waits for those who stay in it
lifetime_renewals as (

    select
        subscriber_id,
        lifetime_number,
        has_ended,
        plan_tier,
        billing_period_unit,
        billing_period_count,
        lifetime_band,
        {{ lifetime_stratum('plan_tier', 'lifetime_band') }} as stratum_id,
        last_renewals as renewals,
        present_renewals as renewals_so_far,
        has_ended and known_renewals > last_renewals as has_churned,
        case
            when has_ended and known_renewals > last_renewals then last_renewals + 1
            else last_renewals
        end as period
    from lifetimes_with_renewals

)

select * from lifetime_renewals
