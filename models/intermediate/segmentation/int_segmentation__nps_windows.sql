with

responses as (

    select * from {{ ref('int_touchpoints__responses') }}
    where
        kind = 'nps'
        and verdict <> 'off_scale'

),

windows as (

    select
        month_start,
        cast(elapsed_until_date - interval 365 day as date) as window_start_date,
        elapsed_until_date
    from {{ ref('int_calendar__months') }}

),

answers as (

    select
        response_id,
        subscriber_id,
        responded_at,
        score,
        {{ local_date('responded_at') }} as answer_date
    from responses

),

nps_windows as (

    select
        answers.subscriber_id,
        windows.month_start,
        answers.score as nps_score
    from answers
    inner join windows
        on
            answers.answer_date >= windows.window_start_date
            and answers.answer_date < windows.elapsed_until_date
    qualify
        row_number() over (
            partition by answers.subscriber_id, windows.month_start
            order by answers.responded_at desc, answers.response_id desc
        ) = 1

)

select * from nps_windows
