{#
    Best and worst segment are drawn from the months before the last one whose churn is known, and
    judged on that last one: chosen and judged on one month, some pair would always look good.
    A warning: what people watch may say little about who leaves, and then the marts are right to
    say so. Judged only where there is enough to judge: a segment counts with 100 subscribers in
    the last month and 1,000 subscriber-months before, which takes a service of some thousands.
#}
{{ config(severity='warn') }}

with

churn as (

    select * from {{ ref('segment_churn_monthly') }}
    where segmentation in ('lifecycle_stage', 'engagement_tier')

),

last_months as (

    select max(month_start) as last_month
    from churn

),

drawn as (

    select
        churn.segmentation,
        churn.segment,
        cast(sum(churn.churned_next_month) as double) / sum(churn.subscribers) as drawn_rate
    from churn
    inner join last_months
        on churn.month_start < last_months.last_month
    group by churn.segmentation, churn.segment
    having sum(churn.subscribers) >= 1000

),

judged as (

    select
        churn.segmentation,
        churn.segment,
        drawn.drawn_rate,
        churn.churn_rate,
        churn.ci_lower,
        churn.ci_upper
    from churn
    inner join last_months
        on churn.month_start = last_months.last_month
    inner join drawn
        on
            churn.segmentation = drawn.segmentation
            and churn.segment = drawn.segment
    where churn.subscribers >= 100

),

ranked as (

    select
        judged.*,
        row_number() over (partition by segmentation order by drawn_rate asc, segment asc)
            as best_rank,
        row_number() over (partition by segmentation order by drawn_rate desc, segment asc)
            as worst_rank,
        count(*) over (partition by segmentation) as segments
    from judged

)

select
    best.segmentation,
    best.segment as best_segment,
    best.churn_rate as best_rate,
    best.ci_upper as best_ci_upper,
    worst.segment as worst_segment,
    worst.churn_rate as worst_rate,
    worst.ci_lower as worst_ci_lower
from ranked as best
inner join ranked as worst
    on
        best.segmentation = worst.segmentation
        and best.best_rank = 1
        and worst.worst_rank = 1
where
    best.segments >= 2
    and (
        worst.churn_rate < 2 * best.churn_rate
        or worst.ci_lower <= best.ci_upper
    )
