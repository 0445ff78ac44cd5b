with

ranked as (

    select
        circumstance,
        circumstance_value,
        row_number() over (
            partition by circumstance
            order by sum(churned_subscribers) desc, circumstance_value
        ) as size_rank
    from marts.churn_by_reason_monthly
    group by circumstance, circumstance_value

)

select
    monthly.month_start,
    monthly.circumstance,
    case
        when ranked.size_rank <= 15 then monthly.circumstance_value
        else 'all others'
    end as shown_value,
    sum(monthly.churned_subscribers) as churned_subscribers,
    sum(monthly.churned_mrr_amount) as churned_mrr_amount,
    sum(monthly.staying_subscribers) as staying_subscribers
from marts.churn_by_reason_monthly as monthly
inner join ranked
    on
        monthly.circumstance = ranked.circumstance
        and monthly.circumstance_value = ranked.circumstance_value
where monthly.month_start >= getvariable('first_month')
group by all
order by monthly.month_start, monthly.circumstance, shown_value
