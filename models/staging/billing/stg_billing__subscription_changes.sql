with

accepted as (

    select
        change_id,
        subscription_id,
        subscriber_id,
        changed_at,
        status,
        plan_id,
        billing_period_unit,
        billing_period_count,
        amount_minor,
        currency,
        cancel_requested_at,
        end_reason,
        cancel_feedback,
        recorded_at
    from {{ ref('base_billing__subscription_changes') }}
    where version_rank = 1 and broken_rule is null

)

select * from accepted
