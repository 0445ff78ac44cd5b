-- one row per month of marts.mrr_bridge_monthly: how many of its cells are not as they must be
with

cells as (

    select
        *,
        opening_mrr_amount + new_mrr_amount + reactivation_mrr_amount + expansion_mrr_amount
        + resume_mrr_amount + contraction_mrr_amount + churn_mrr_amount + pause_mrr_amount
        + fx_mrr_amount + transfer_in_mrr_amount + transfer_out_mrr_amount as bridged_mrr_amount,
        lag(closing_mrr_amount) over cell as previous_closing_mrr_amount,
        lead(month_start) over cell as next_month_start,
        max(month_start) over () as last_month_start
    from marts.mrr_bridge_monthly
    window cell as (
        partition by plan_tier, country_code, acquisition_channel order by month_start
    )

)

select
    strftime(month_start, '%Y-%m') as month,
    cast(count(*) filter (where bridged_mrr_amount <> closing_mrr_amount) as double)
        as broken_cells,
    cast(count(*) filter (
        where opening_mrr_amount <> coalesce(previous_closing_mrr_amount, 0)
    ) as double) as cells_off_last_closing,
    cast(count(*) filter (
        where
            month_start < last_month_start
            and next_month_start is distinct from cast(month_start + interval 1 month as date)
    ) as double) as cells_before_a_gap,
    cast(count(*) filter (
        where least(
            opening_mrr_amount, closing_mrr_amount, new_mrr_amount, reactivation_mrr_amount,
            expansion_mrr_amount, resume_mrr_amount, transfer_in_mrr_amount
        ) < 0
        or greatest(
            contraction_mrr_amount, churn_mrr_amount, pause_mrr_amount, transfer_out_mrr_amount
        ) > 0
    ) as double) as cells_of_wrong_sign,
    cast(sum(transfer_in_mrr_amount) + sum(transfer_out_mrr_amount) as double)
        as transfer_difference_amount
from cells
group by month_start
order by month_start
