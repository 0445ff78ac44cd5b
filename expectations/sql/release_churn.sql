-- one row per month of marts.churn_monthly: how many of its cells are not as they must be
with

cells as (

    select
        *,
        opening_subscribers + new_subscribers + reactivated_subscribers - churned_subscribers
        + transferred_in - transferred_out as bridged_subscribers,
        lag(closing_subscribers) over cell as previous_closing_subscribers,
        lead(month_start) over cell as next_month_start,
        max(month_start) over () as last_month_start
    from marts.churn_monthly
    window cell as (
        partition by plan_tier, country_code, acquisition_channel order by month_start
    )

)

select
    strftime(month_start, '%Y-%m') as month,
    cast(count(*) filter (where bridged_subscribers <> closing_subscribers) as double)
        as broken_cells,
    cast(count(*) filter (
        where opening_subscribers <> coalesce(previous_closing_subscribers, 0)
    ) as double) as cells_off_last_closing,
    cast(count(*) filter (
        where
            month_start < last_month_start
            and next_month_start is distinct from cast(month_start + interval 1 month as date)
    ) as double) as cells_before_a_gap,
    cast(count(*) filter (
        where churned_subscribers
            <> voluntary_churned_subscribers + involuntary_churned_subscribers
            + other_churned_subscribers
    ) as double) as cells_with_untyped_churn,
    cast(count(*) filter (
        where least(
            opening_subscribers, new_subscribers, reactivated_subscribers, churned_subscribers,
            transferred_in, transferred_out, churned_from_opening, closing_subscribers,
            voluntary_churned_subscribers, involuntary_churned_subscribers,
            other_churned_subscribers
        ) < 0
    ) as double) as negative_cells,
    cast(count(*) filter (where churned_from_opening > opening_subscribers) as double)
        as cells_losing_more_than_they_had,
    cast(sum(transferred_in) - sum(transferred_out) as double) as transfer_difference
from cells
group by month_start
order by month_start
