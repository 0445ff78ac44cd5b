with

bridge as (

    select
        churn_monthly.*,
        lag(closing_subscribers) over (
            partition by plan_tier, country_code, acquisition_channel
            order by month_start
        ) as previous_closing_subscribers
    from {{ ref('churn_monthly') }} as churn_monthly

)

select *
from bridge
where
    closing_subscribers
    <> opening_subscribers + new_subscribers + reactivated_subscribers + transferred_in
    - transferred_out - churned_subscribers
    or opening_subscribers <> coalesce(previous_closing_subscribers, 0)
    or churned_subscribers
    <> voluntary_churned_subscribers + involuntary_churned_subscribers + other_churned_subscribers
