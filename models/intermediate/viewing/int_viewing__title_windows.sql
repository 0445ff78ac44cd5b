with

early_windows as (

    select * from {{ ref('int_viewing__early_windows') }}

),

final_windows as (

    select * from {{ ref('int_churn__windows') }}
    where has_churned

),

windows as (

    select
        subscriber_id,
        first_date,
        landmark_date as end_date
    from early_windows
    union all
    select
        subscriber_id,
        window_start_date as first_date,
        window_end_date as end_date
    from final_windows

),

-- who leaves early, or twice within four weeks, has windows that overlap
numbered_windows as (

    select
        *,
        coalesce(
            max(end_date) over (
                partition by subscriber_id
                order by first_date, end_date
                rows between unbounded preceding and 1 preceding
            ) >= first_date, false
        ) as is_continued
    from windows

),

stretched_windows as (

    select
        *,
        sum(case when is_continued then 0 else 1 end) over (
            partition by subscriber_id
            order by first_date, end_date
            rows between unbounded preceding and current row
        ) as stretch
    from numbered_windows

),

title_windows as (

    select
        subscriber_id,
        min(first_date) as first_date,
        max(end_date) as end_date
    from stretched_windows
    group by subscriber_id, stretch

)

select * from title_windows
