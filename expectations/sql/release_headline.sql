-- one row, for the last complete month: the figures that people look at first, against their history
with

subscribers as (

    select
        month_start,
        sum(opening_subscribers) as opening_subscribers,
        sum(new_subscribers + reactivated_subscribers + churned_subscribers) as moves,
        cast(sum(churned_from_opening) as double) / nullif(sum(opening_subscribers), 0) as churn_rate
    from marts.churn_monthly
    where is_complete
    group by month_start

),

closings as (

    select
        month_start,
        cast(sum(closing_mrr_amount) as double) as closing_mrr_amount
    from marts.mrr_bridge_monthly
    where is_complete
    group by month_start

),

-- revenue is recognised by the day, so that a February of 28 would look like a loss
months as (

    select
        subscribers.month_start,
        subscribers.opening_subscribers,
        subscribers.moves,
        subscribers.churn_rate,
        closings.closing_mrr_amount,
        cast(revenue.net_revenue_amount as double) / day(last_day(subscribers.month_start))
            as net_revenue_a_day
    from subscribers
    inner join closings
        on subscribers.month_start = closings.month_start
    inner join marts.revenue_monthly as revenue
        on subscribers.month_start = revenue.month_start

),

-- money grows, so its growth is what is judged, as a logarithm; a share is judged on the scale of
-- arcsines, where chance moves it by as much everywhere. Chance is Poisson's of who came and left, and
-- a binomial's of who left. A service in its first months may double every month: from 200 on it may not
figures as (

    select
        month_start,
        'mrr_ratio' as figure,
        ln(closing_mrr_amount / lag(closing_mrr_amount) over (order by month_start)) as value,
        sqrt(greatest(moves, 1)) / opening_subscribers as chance
    from months
    where opening_subscribers >= 200 and closing_mrr_amount > 0
    union all
    select
        month_start,
        'net_revenue_ratio' as figure,
        ln(net_revenue_a_day / lag(net_revenue_a_day) over (order by month_start)) as value,
        sqrt(greatest(moves, 1)) / opening_subscribers as chance
    from months
    where opening_subscribers >= 200 and net_revenue_a_day > 0
    union all
    select
        month_start,
        'churn_rate_change' as figure,
        asin(sqrt(least(churn_rate, 1))) as value,
        0.5 / sqrt(opening_subscribers) as chance
    from months
    where opening_subscribers >= 200

),

-- what is usual is the median of the six months before, which neither a leap nor a fault moves
distances as (

    select
        month_start,
        figure,
        value,
        chance,
        median(value) over six_before as usual,
        value - median(value) over six_before as distance
    from figures
    where value is not null
    window six_before as (
        partition by figure order by month_start rows between 6 preceding and 1 preceding
    )
    qualify count(*) over six_before = 6

),

-- how far the months before were from what was usual then, never less than chance, of the month and of
-- the median of six
judged as (

    select
        month_start,
        figure,
        usual,
        distance,
        count(*) over two_years_before as history_months,
        greatest(
            coalesce(median(abs(distance)) over two_years_before / 0.6745, 0),
            chance * sqrt(1 + pi() / 12)
        ) as spread
    from distances
    window two_years_before as (
        partition by figure order by month_start rows between 24 preceding and 1 preceding
    )

),

-- what has fallen to nothing has no logarithm, and is the worst leap that there is; judged where its
-- growth would be, by six months that say what is usual and six that were held against such
collapses as (

    select
        months.month_start,
        histories.figure,
        cast(-1 as double) as leap
    from months
    inner join (
        select
            figure,
            max(month_start) as last_month,
            count(value) as history_months
        from figures
        where figure <> 'churn_rate_change'
        group by figure
    ) as histories
        on histories.last_month < months.month_start
    where
        months.opening_subscribers >= 200
        and histories.history_months >= 12
        and case
            when histories.figure = 'mrr_ratio' then months.closing_mrr_amount
            else months.net_revenue_a_day
        end <= 0

),

last_figures as (

    select
        month_start,
        figure,
        -- within five spreads is chance, and counts as none
        case
            when abs(distance) <= 5 * spread then 0
            when figure = 'churn_rate_change' then power(sin(usual + distance), 2) - power(sin(usual), 2)
            else exp(distance) - 1
        end as leap
    from judged
    where history_months >= 6
    union all
    select * from collapses

)

select
    strftime(months.month_start, '%Y-%m') as month,
    1 + max(last_figures.leap) filter (where last_figures.figure = 'mrr_ratio') as mrr_ratio,
    1 + max(last_figures.leap) filter (where last_figures.figure = 'net_revenue_ratio')
        as net_revenue_ratio,
    max(last_figures.leap) filter (where last_figures.figure = 'churn_rate_change')
        as churn_rate_change
from months
left join last_figures
    on months.month_start = last_figures.month_start
group by months.month_start
qualify row_number() over (order by months.month_start desc) = 1
