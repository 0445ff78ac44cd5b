with

bridge as (

    select
        mrr_bridge_monthly.*,
        lag(closing_mrr_amount) over (
            partition by plan_tier, country_code, acquisition_channel
            order by month_start
        ) as previous_closing_mrr_amount
    from {{ ref('mrr_bridge_monthly') }} as mrr_bridge_monthly

)

select *
from bridge
where opening_mrr_amount <> coalesce(previous_closing_mrr_amount, 0)
