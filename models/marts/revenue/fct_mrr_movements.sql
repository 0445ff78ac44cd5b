{{ config(materialized='view') }}

with

movements as (

    select
        subscriber_id,
        moved_at,
        month_start,
        category,
        mrr_change_amount,
        is_billing_period_change,
        lifetime_number
    from {{ ref('int_subscriptions__movements') }}
    where
        category not in ('transfer_in', 'transfer_out')
        and (mrr_change_amount <> 0 or is_out_of_pause)

)

select * from movements
